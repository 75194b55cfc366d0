/**
 * What a DSN returns of the header of the mail that it is about.
 *
 * Of forced mail only what names it and tells nothing: Message-ID and Date. Of other mail its fields,
 * bounded. Always 7-bit, lines within the limit, nothing that could end the part.
 * @see RFC 6522 §4 (text/rfc822-headers)
 */
import type { FieldSpan } from '../standards/message-format/header-fields.ts';
import {
  isNamed,
  scanHeaderFields,
  unfoldValue,
} from '../standards/message-format/header-fields.ts';
import { toPlainText } from './dsn-text.ts';

const returnedBytesMax = 32_768;
const lineLengthMax = 900;
const headerBytesMax = 262_144;
const shownOfForced: ReadonlySet<string> = new Set(['message-id', 'date']);

/** Whole fields with CRLF line ends; null where none may be returned. */
export function writeReturnedHeaders(header: Buffer | null, isForced: boolean): string | null {
  if (header === null) return null;
  const text = toText(header);
  let returned = '';
  for (const field of scanHeaderFields(text).fields) {
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
