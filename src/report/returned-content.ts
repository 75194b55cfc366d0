/**
 * What a DSN returns of the mail that it is about: its header, or all of it where RET=FULL asked so.
 *
 * Of forced mail only what names it and tells nothing: Message-ID and Date. Of other mail its fields,
 * bounded. What an organization says to itself is never returned. Always 7-bit, lines within the limit,
 * nothing that could end the part.
 * @see RFC 3461 §4.3 (RET), RFC 6522 §4 (text/rfc822-headers)
 */
import { isAscii } from 'node:buffer';
import type { DsnRequest } from '../mail/envelope.ts';
import { familyOf, isInternal, mayHoldInternal } from '../policy/header-family.ts';
import type { DsnAction } from '../standards/dsn/delivery-status.ts';
import type { Returned } from '../standards/dsn/report.ts';
import type { FieldSpan } from '../standards/message-format/header-fields.ts';
import {
  isNamed,
  scanHeaderFields,
  unfoldValue,
} from '../standards/message-format/header-fields.ts';
import { toPlainText } from './plain-text.ts';

/** Contents up to this are returned whole where that is asked for. */
export const returnedContentBytesMax = 65_536;

const returnedBytesMax = 32_768;
const lineLengthMax = 900;
const headerBytesMax = 262_144;
const shownOfForced: ReadonlySet<string> = new Set(['message-id', 'date']);

/** The parts of a `DsnSubject` that decide. */
interface Original {
  readonly isForced: boolean;
  readonly request: DsnRequest | null;
  readonly header: Buffer | null;
  readonly content: Buffer | null;
}

/** Why the content that RET=FULL asked for is not returned; null where it is, or was not asked for. */
export type LeftOut = 'forced' | 'too-large' | 'not-7bit';

/** `returned` null where nothing may be, or can be. Only a failure returns the whole mail. */
export function writeReturned(
  original: Original,
  action: DsnAction,
): { readonly returned: Returned | null; readonly leftOut: LeftOut | null } {
  const wantsAll = original.request?.ret === 'full' && action === 'failed';
  const leftOut = wantsAll ? findObstacle(original) : null;
  if (wantsAll && leftOut === null) {
    const text = withoutInternal(original.content!.toString('latin1'));
    return { returned: { kind: 'message', text }, leftOut: null };
  }
  const headers = writeHeaders(original.header, original.isForced);
  const returned = headers === null ? null : ({ kind: 'headers', text: headers } as const);
  return { returned, leftOut };
}

function findObstacle({ isForced, content }: Original): LeftOut | null {
  if (isForced) return 'forced';
  if (content === null || content.length > returnedContentBytesMax) return 'too-large';
  return isSevenBit(content) ? null : 'not-7bit';
}

/** The whole mail but for the fields that do not leave, as in any mail to strangers. */
function withoutInternal(text: string): string {
  const end = text.indexOf('\r\n\r\n');
  const header = end === -1 ? text : text.slice(0, end + 2);
  if (!mayHoldInternal(header)) return text;
  let kept = '';
  let from = 0;
  for (const { name, start, end: fieldEnd } of scanHeaderFields(header, Infinity).fields) {
    if (!isInternal(familyOf(name))) continue;
    kept += header.slice(from, start);
    from = fieldEnd;
  }
  return kept + text.slice(from);
}

/** Lines that end in CRLF, of at most 998 octets, none of them 0 or beyond 127. */
function isSevenBit(content: Buffer): boolean {
  if (!isAscii(content) || content.includes(0)) return false;
  const text = content.toString('latin1');
  const lines = text.split('\r\n');
  return text.endsWith('\r\n') && lines.every((line) => line.length <= 998 && !/[\r\n]/.test(line));
}

/** Whole fields with CRLF line ends; null where none may be returned. */
function writeHeaders(header: Buffer | null, isForced: boolean): string | null {
  if (header === null) return null;
  const text = toText(header);
  let returned = '';
  for (const field of scanHeaderFields(text).fields) {
    if (isInternal(familyOf(field.name))) continue;
    if (isForced && !shownOfForced.has(field.name.toLowerCase())) continue;
    const lines = writeField(text, field);
    if (returned.length + lines.length > returnedBytesMax) break;
    returned += lines;
  }
  return returned.length === 0 ? null : returned;
}

/** The unfolded, sanitized value of the first field of that name; null where there is none. */
export function findReturnedField(header: Buffer | null, lowerCaseName: string): string | null {
  if (header === null) return null;
  const text = toText(header);
  const field = scanHeaderFields(text).fields.find((candidate) =>
    isNamed(candidate, lowerCaseName),
  );
  const value = field === undefined ? '' : toPlainText(unfoldValue(text, field));
  return value.length === 0 ? null : value;
}

function toText(header: Buffer): string {
  return header.toString('latin1', 0, Math.min(header.length, headerBytesMax));
}

/** The field as it was folded; octets beyond printable ASCII become `?`. */
function writeField(text: string, field: FieldSpan): string {
  return text
    .slice(field.start, field.end)
    .replace(/\r\n$/, '')
    .split('\r\n')
    .map((line) => `${line.slice(0, lineLengthMax).replace(/[^\x20-\x7e\t]/g, '?')}\r\n`)
    .join('');
}
