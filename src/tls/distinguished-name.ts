/**
 * Distinguished names: read, compared as OpenSSL compares them, and shown.
 *
 * @see RFC 5280 §4.1.2.4, §7.1 (comparison)
 */
import { sanitizePeerText } from '../mail/peer-text.ts';
import { childrenOf, derTag, expectTag, MalformedDer, oidOf } from './der.ts';
import type { DerElement } from './der.ts';

/**
 * `canonical` has one text per RDN, in order; equal texts are equal RDNs. `commonNames` and
 * `emails` are as written, not sanitized; a value of an unknown string type is left out.
 */
export interface DistinguishedName {
  readonly canonical: readonly string[];
  readonly text: string;
  readonly commonNames: readonly string[];
  readonly emails: readonly string[];
  /** Whether each value is of a string type that comparison understands. */
  readonly isComparable: boolean;
}

/** One attribute; `text` is null for a type that is no character string. */
interface Attribute {
  readonly oid: string;
  readonly canonical: string;
  readonly text: string | null;
}

const attributeNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.97': 'organizationIdentifier',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
};

/** Throws `MalformedDer`. */
export function readDistinguishedName(name: DerElement): DistinguishedName {
  const canonical: string[] = [];
  const all: Attribute[] = [];
  for (const rdn of childrenOf(expectTag(name, derTag.sequence))) {
    const attributes = childrenOf(expectTag(rdn, derTag.set)).map(readAttribute);
    if (attributes.length === 0) throw new MalformedDer('an empty relative distinguished name');
    canonical.push(
      attributes
        .map((each) => each.canonical)
        .sort()
        .join('+'),
    );
    all.push(...attributes);
  }
  const valuesOf = (oid: string): string[] =>
    all.filter((each) => each.oid === oid && each.text !== null).map((each) => each.text!);
  return {
    canonical,
    text: sanitizePeerText(all.map(formatAttribute).join(', ')),
    commonNames: valuesOf('2.5.4.3'),
    emails: valuesOf('1.2.840.113549.1.9.1'),
    isComparable: all.every((each) => each.text !== null),
  };
}

function readAttribute(pair: DerElement): Attribute {
  const [type, value, ...rest] = childrenOf(expectTag(pair, derTag.sequence));
  if (type === undefined || value === undefined || rest.length > 0) {
    throw new MalformedDer('a broken attribute');
  }
  const text = stringOf(value);
  const canonical =
    text === null ? value.raw.toString('hex') : `s${Buffer.from(fold(text)).toString('hex')}`;
  return { oid: oidOf(type), canonical: `${type.value.toString('hex')}=${canonical}`, text };
}

/** White space trimmed and collapsed, ASCII letters in lower case: OpenSSL's canonical form. */
function fold(text: string): string {
  return text
    .replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '')
    .replace(/[ \t\n\v\f\r]+/g, ' ')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a character string; null for other types. */
function stringOf(element: DerElement): string | null {
  const { tag, value } = element;
  switch (tag) {
    case derTag.utf8String:
      try {
        return utf8.decode(value);
      } catch {
        throw new MalformedDer('broken UTF-8');
      }
    case 0x13: // PrintableString
    case 0x14: // T61String, read as Latin-1 as everyone does
    case 0x16: // IA5String
    case 0x1a: // VisibleString
      return value.toString('latin1');
    case 0x1e: // BMPString
      if (value.length % 2 !== 0) throw new MalformedDer('a broken BMPString');
      return Buffer.from(value).swap16().toString('utf16le');
    case 0x1c: // UniversalString
      return universalString(value);
    default:
      return null;
  }
}

function universalString(value: Buffer): string {
  if (value.length % 4 !== 0) throw new MalformedDer('a broken UniversalString');
  let text = '';
  for (let offset = 0; offset < value.length; offset += 4) {
    const point = value.readUInt32BE(offset);
    if (point > 0x10ffff) throw new MalformedDer('a broken UniversalString');
    text += String.fromCodePoint(point);
  }
  return text;
}

function formatAttribute(attribute: Attribute): string {
  const name = attributeNames[attribute.oid] ?? attribute.oid;
  const text = attribute.text ?? `#${attribute.canonical.split('=')[1]!}`;
  return `${name}=${text.replace(/[\\,+]/g, '\\$&')}`;
}

/** Whether `base` is a leading part of `name`: how subtrees of names are constrained. */
export function isWithinName(name: DistinguishedName, base: DistinguishedName): boolean {
  return base.canonical.every((rdn, index) => name.canonical[index] === rdn);
}

/** One text for a whole name, for indexes and equality. */
export function nameKey(name: DistinguishedName): string {
  return name.canonical.join('/');
}
