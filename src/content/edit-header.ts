/**
 * Makes the changes that rules ask for in a header; every other byte stays as it was.
 *
 * A signature (DKIM) over a changed field breaks, as with every such change.
 * @see RFC 5322 §3.6, RFC 2047
 */
import { formatAddress } from '../mail/address.ts';
import type { HeaderEdit } from '../policy/rules/header-edit.ts';
import { nameOfMalformed, scanHeaderFields } from '../standards/message-format/header-fields.ts';
import { formatWords } from './encoded-words.ts';

/** One field or malformed line, whole, as latin1 text with its line end. */
interface Line {
  /** Lower-case, as a generous reader takes it. */
  readonly name: string;
  readonly text: string;
}

/** `header` with the empty line that ends it. The edits are made one after the other. */
export function editHeader(header: Buffer, edits: readonly HeaderEdit[]): Buffer {
  if (edits.length === 0) return header;
  const { lines, end } = splitHeader(header);
  const edited = edits.reduce(applyEdit, lines);
  return Buffer.from(edited.map(({ text }) => text).join('') + end, 'latin1');
}

/** What is no line of its own (behind too many fields, the empty line) is `end`. */
function splitHeader(header: Buffer): { readonly lines: readonly Line[]; readonly end: string } {
  const text = header.toString('latin1');
  const { fields, malformed } = scanHeaderFields(text);
  const spans = [
    ...fields.map(({ name, start, end }) => ({ name: name.toLowerCase(), start, end })),
    ...malformed.map((line) => ({ ...line, name: nameOfMalformed(text, line).toLowerCase() })),
  ].sort((a, b) => a.start - b.start);
  const lines = spans.map(({ name, start, end }) => ({
    name,
    text: withLineEnd(text.slice(start, end)),
  }));
  return { lines, end: text.slice(spans.at(-1)?.end ?? 0) };
}

/** A header that is cut off may end without one. */
function withLineEnd(text: string): string {
  return text.endsWith('\r\n') ? text : `${text}\r\n`;
}

function applyEdit(lines: readonly Line[], edit: HeaderEdit): readonly Line[] {
  switch (edit.kind) {
    case 'set':
      return setField(lines, edit.name, edit.value);
    case 'remove':
      return lines.filter(({ name }) => name !== edit.name.toLowerCase());
    case 'prepend-subject':
      return prependSubject(lines, edit.text);
    case 'add-address':
      return addAddress(lines, edit.name, toLatin1(formatAddress(edit.address)));
    case 'count-pass':
      return [...lines, lineOf(loopName, edit.hostName)];
  }
}

const loopName = 'X-Postern-Rules-Loop';

/** In the place of the first of that name, or behind all others. */
function setField(lines: readonly Line[], name: string, value: string): readonly Line[] {
  const lower = name.toLowerCase();
  const line = lineOf(name, toFolded(value));
  const first = lines.findIndex((one) => one.name === lower);
  if (first === -1) return [...lines, line];
  return lines.flatMap((one, place) => {
    if (one.name !== lower) return [one];
    return place === first ? [line] : [];
  });
}

/** Before each Subject there is, since readers show one or another; else it becomes one. */
function prependSubject(lines: readonly Line[], text: string): readonly Line[] {
  if (!lines.some(({ name }) => name === 'subject')) {
    return [...lines, lineOf('Subject', toFolded(text.trimEnd()))];
  }
  return lines.map((line) => {
    const colon = line.name === 'subject' ? line.text.indexOf(':') : -1;
    if (colon === -1) return line;
    const rest = line.text.slice(colon + 1).replace(/^[ \t]+/, '');
    return { ...line, text: `${line.text.slice(0, colon)}: ${joinSubject(text, rest)}` };
  });
}

/** `rest` is the value as written, with its line end. */
function joinSubject(text: string, rest: string): string {
  const prefix = formatWords(text);
  const isEncoded = prefix !== text;
  const isNextEncoded = rest.startsWith('=?');
  // Readers drop the blank between two encoded words, and show it beside any other.
  const isShown = isEncoded && !isNextEncoded;
  const written = isShown ? formatWords(text.replace(/ $/, '')) : prefix;
  const mustPart = isEncoded || isNextEncoded;
  const folded = foldWords(written);
  const start = mustPart && !folded.endsWith(' ') ? `${folded} ` : folded;
  const isLong = start.length + rest.indexOf('\r\n') > lineLengthMax;
  return isLong ? `${start.trimEnd()}\r\n ${rest}` : `${start}${rest}`;
}

/** Characters of a line without its name. @see RFC 5322 §2.1.1 */
const lineLengthMax = 900;

function addAddress(lines: readonly Line[], name: string, address: string): readonly Line[] {
  const lower = name.toLowerCase();
  const place = lines.findIndex((line) => line.name === lower && hasValue(line));
  if (place === -1) {
    return [...lines.filter((line) => line.name !== lower), lineOf(name, address)];
  }
  return lines.map((line, at) => {
    if (at !== place) return line;
    const value = line.text.slice(0, -2).replace(/[\s,]+$/, '');
    return { ...line, text: `${value},\r\n ${address}\r\n` };
  });
}

function hasValue({ text }: Line): boolean {
  const colon = text.indexOf(':');
  return colon !== -1 && text.slice(colon + 1).trim() !== '';
}

function lineOf(name: string, value: string): Line {
  return { name: name.toLowerCase(), text: `${name}: ${value}\r\n` };
}

function toFolded(text: string): string {
  return foldWords(formatWords(text.trim()));
}

/** Encoded words stand on lines of their own; other text is one line, which the configuration bounds. */
function foldWords(text: string): string {
  return text.startsWith('=?') ? text.replaceAll('?= =?', '?=\r\n =?') : text;
}

function toLatin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
