/**
 * Address lists of header fields, read strictly: who is the author decides about spoofing.
 *
 * What the grammar does not read in exactly one way is `unparsable`, and never guessed. Understood
 * are display names, quoted strings, nested comments, groups and the obsolete source route; white
 * space or comments inside a dotted name, and encoded words inside an address, are not. Time is
 * linear and the length bounded.
 * @see RFC 5322 §3.4, RFC 5322 §4.4, RFC 6854 §2 (groups in From)
 */
import type { Address } from '../../mail/address.ts';
import { parseAddress } from '../../mail/address.ts';

/** Longest list that is read, in octets; an author's field is far below it. */
export const addressListLengthMax = 16_384;
/** Most addresses in one list of authors. */
export const addressesMax = 100;

/**
 * Octets and addresses of one list; with `mayBeEmpty` also none, as in `undisclosed-recipients:;`. `defaultDomain`, where it is given, completes a single word without a
 * domain, as programs on this machine write `root`; a quoted string alone is a display name, and refused.
 */
export interface AddressListBounds {
  readonly lengthMax: number;
  readonly addressesMax: number;
  readonly mayBeEmpty?: boolean;
  readonly defaultDomain?: string | null;
}

const authorBounds: AddressListBounds = { lengthMax: addressListLengthMax, addressesMax };

const commentDepthMax = 16;

/** `addresses` in order and not empty, unless that is asked for; `reason` completes "the field …". */
export type AddressList =
  | { readonly kind: 'addresses'; readonly addresses: readonly Address[] }
  | { readonly kind: 'unparsable'; readonly reason: string };

type Special = '<' | '>' | ',' | ':' | ';' | '@';
interface Token {
  readonly kind: 'word' | 'quoted' | 'literal' | Special;
  readonly text: string;
}

/** Reads an unfolded value whose characters are octets. */
export function parseAddressList(
  text: string,
  bounds: AddressListBounds = authorBounds,
): AddressList {
  if (text.length > bounds.lengthMax) return unparsable('is too long');
  const tokens = tokenize(text);
  if (typeof tokens === 'string') return unparsable(tokens);
  const addresses = readList(tokens, bounds);
  if (typeof addresses === 'string') return unparsable(addresses);
  if (addresses.length === 0 && bounds.mayBeEmpty !== true) return unparsable('names no address');
  return { kind: 'addresses', addresses };
}

function unparsable(reason: string): AddressList {
  return { kind: 'unparsable', reason };
}

/** All tokens without comments and white space, or what is wrong. */
function tokenize(text: string): Token[] | string {
  const tokens: Token[] = [];
  let position = 0;
  while (position < text.length) {
    const char = text[position]!;
    if (char === ' ' || char === '\t') {
      position++;
    } else if (char === '(') {
      const end = endOfComment(text, position);
      if (end === -1) return 'has a comment that does not end, or is nested too deep';
      position = end;
    } else {
      const token = readToken(text, position, char);
      if (typeof token === 'string') return token;
      tokens.push(token);
      position += token.text.length;
    }
  }
  return tokens;
}

function readToken(text: string, start: number, char: string): Token | string {
  switch (char) {
    case '<':
    case '>':
    case ',':
    case ':':
    case ';':
    case '@':
      return { kind: char, text: char };
    case '"': {
      const end = endOfQuoted(text, start);
      if (end === -1) return 'has a quoted string that does not end';
      return { kind: 'quoted', text: text.slice(start, end) };
    }
    case '[': {
      const close = text.indexOf(']', start);
      if (close === -1) return 'has an address literal that does not end';
      return { kind: 'literal', text: text.slice(start, close + 1) };
    }
    default: {
      let end = start;
      while (end < text.length && isWordCode(text.charCodeAt(end))) end++;
      if (end === start) return 'has a character that is not allowed there';
      return { kind: 'word', text: text.slice(start, end) };
    }
  }
}

/** After the comment that opens at `start`, or -1. */
function endOfComment(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (isControl(code)) return -1;
    if (code === 0x5c) i++;
    else if (code === 0x28) depth++;
    else if (code === 0x29) depth--;
    if (depth === 0) return i + 1;
    if (depth > commentDepthMax) return -1;
  }
  return -1;
}

/** After the quote that closes the string, or -1. */
function endOfQuoted(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (isControl(code)) return -1;
    if (code === 0x5c) i++;
    else if (code === 0x22) return i + 1;
  }
  return -1;
}

function isControl(code: number): boolean {
  return (code < 0x20 && code !== 0x09) || code === 0x7f;
}

const notInWords = new Set(Array.from('()<>[]:;@\\,"', (char) => char.charCodeAt(0)));

/** Atoms, the dot, and octets of other character sets, which only display names may hold. */
function isWordCode(code: number): boolean {
  return code > 0x20 && code !== 0x7f && !notInWords.has(code);
}

/** Elements parted by commas, some of them groups; empty elements are the obsolete syntax. */
function readList(tokens: readonly Token[], bounds: AddressListBounds): Address[] | string {
  const { defaultDomain = null } = bounds;
  const addresses: Address[] = [];
  let isInGroup = false;
  let position = 0;
  while (position < tokens.length) {
    if (addresses.length > bounds.addressesMax) return 'names too many addresses';
    const headEnd = indexOfKind(tokens, position, headDelimiters);
    const head = tokens.slice(position, headEnd);
    const delimiter = tokens[headEnd]?.kind;
    if (delimiter === '>') return 'has an angle bracket that was not opened';
    if (delimiter === ':') {
      if (isInGroup || !isPhrase(head)) return 'has a group without a name or inside a group';
      isInGroup = true;
      position = headEnd + 1;
      continue;
    }
    let next = headEnd;
    if (delimiter === '<') {
      const close = indexOfKind(tokens, headEnd, new Set(['>']));
      if (close === tokens.length) return 'has an angle bracket that is not closed';
      const inner = complete(tokens.slice(headEnd + 1, close), defaultDomain);
      const address = readNamed(head, inner);
      if (address === null) return whyNoAddress(inner);
      addresses.push(address);
      next = close + 1;
    } else if (head.length > 0) {
      const whole = complete(head, defaultDomain);
      const address = readAddrSpec(whole);
      if (address === null) return whyNoAddress(whole);
      addresses.push(address);
    }
    if (tokens[next]?.kind === ';') {
      if (!isInGroup) return 'ends a group that was not opened';
      isInGroup = false;
      next++;
    }
    if (next < tokens.length && tokens[next]?.kind !== ',') {
      return 'has text where a comma belongs';
    }
    position = next + 1;
  }
  if (addresses.length > bounds.addressesMax) return 'names too many addresses';
  return isInGroup ? 'has a group that does not end' : addresses;
}

function isBareName(tokens: readonly Token[]): boolean {
  return tokens.length === 1 && tokens[0]!.kind === 'word';
}

function complete(tokens: readonly Token[], defaultDomain: string | null): readonly Token[] {
  if (defaultDomain === null || !isBareName(tokens)) return tokens;
  return [tokens[0]!, { kind: '@', text: '@' }, { kind: 'word', text: defaultDomain }];
}

function whyNoAddress(tokens: readonly Token[]): string {
  return isBareName(tokens)
    ? 'has an address without a domain'
    : 'has an address that can be read in several ways or none';
}

const headDelimiters: ReadonlySet<string> = new Set(['<', '>', ',', ':', ';']);

function indexOfKind(tokens: readonly Token[], from: number, kinds: ReadonlySet<string>): number {
  let index = from;
  while (index < tokens.length && !kinds.has(tokens[index]!.kind)) index++;
  return index;
}

function isPhrase(tokens: readonly Token[]): boolean {
  return tokens.length > 0 && tokens.every(({ kind }) => kind === 'word' || kind === 'quoted');
}

/**
 * `Name <address>`. A name that is itself an unquoted address is no phrase; it is let through only
 * where it says the same address, as much software writes it.
 */
function readNamed(head: readonly Token[], inner: readonly Token[]): Address | null {
  const address = readAddrSpec(withoutRoute(inner));
  if (address === null || head.length === 0 || isPhrase(head)) return address;
  const shown = readAddrSpec(head);
  const isSame = shown?.localPart === address.localPart && shown.domain === address.domain;
  return isSame ? address : null;
}

/** Drops an obsolete source route `@a,@b:`; what is no such route is returned as it was. */
function withoutRoute(inner: readonly Token[]): readonly Token[] {
  if (inner[0]?.kind !== '@') return inner;
  const colon = indexOfKind(inner, 0, new Set([':']));
  const isRoute = inner.slice(0, colon).every((token, index) => {
    const expected = (['@', 'word', ','] as const)[index % 3]!;
    return token.kind === expected;
  });
  return isRoute && colon % 3 === 2 ? inner.slice(colon + 1) : inner;
}

function readAddrSpec(tokens: readonly Token[]): Address | null {
  if (tokens.length !== 3 || tokens[1]!.kind !== '@') return null;
  const [local, , domain] = tokens as [Token, Token, Token];
  if (local.kind !== 'word' && local.kind !== 'quoted') return null;
  if (domain.kind !== 'word' && domain.kind !== 'literal') return null;
  const text = `${local.text}@${domain.text}`;
  // Some readers decode an encoded word even here, and no two agree on octets beyond ASCII.
  if (text.length > 320 || text.includes('=?') || !/^[\x20-\x7e]*$/.test(text)) return null;
  return parseAddress(text);
}
