/**
 * The header of a message as bytes: where it ends, and its fields.
 *
 * For receiving and for everything that edits headers. Bodies are never read here.
 * @see RFC 5322 §2.1, RFC 6532 §3 (UTF-8 in values)
 */
import { isUtf8 } from 'node:buffer';
import type { FieldSpan, HeaderProblem } from '../standards/message-format/header-fields.ts';
import { scanHeaderFields, unfoldValue } from '../standards/message-format/header-fields.ts';

const emptyLine = Buffer.from('\r\n\r\n');

/**
 * The index after the empty line that ends the header.
 *
 * Without an empty line everything is header: a From that some reader may find is then seen here
 * too. A content that begins with the empty line has no header, only that line.
 */
export function headerEnd(content: Buffer): number {
  if (content[0] === 0x0d && content[1] === 0x0a) return 2;
  const index = content.indexOf(emptyLine);
  return index === -1 ? content.length : index + emptyLine.length;
}

/** `raw` is the whole field with its CRLFs, a view of the block; `value` unfolded and trimmed. */
export interface HeaderField {
  /** As written. */
  readonly name: string;
  readonly raw: Buffer;
  /** UTF-8 where the bytes are, else latin1. */
  readonly value: string;
}

/** `problems` is empty for a well-formed block; malformed lines are left out of `fields`. */
export interface HeaderBlock {
  readonly fields: readonly HeaderField[];
  readonly problems: readonly HeaderProblem[];
}

/** The fields in order, at most 1000; never throws. */
export function parseHeaderBlock(header: Buffer): HeaderBlock {
  const text = header.toString('latin1');
  const scan = scanHeaderFields(text);
  const fields = scan.fields.map((field) => ({
    name: field.name,
    raw: header.subarray(field.start, field.end),
    value: decodeValue(text, field),
  }));
  return { fields, problems: scan.problems };
}

/** A field's unfolded value as text: UTF-8 where its bytes are, else latin1. */
export function decodeValue(text: string, field: FieldSpan): string {
  const value = unfoldValue(text, field);
  if (/^[\0-\x7f]*$/.test(value)) return value;
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : value;
}
