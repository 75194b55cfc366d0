/**
 * The fields of a message header: where each begins and ends, and what is wrong with the block.
 *
 * Pure, on a text whose characters are the header's bytes (latin1). `content` and `report` build on
 * it. Nothing is thrown: what is not well formed is told, since it decides how far one may trust.
 * @see RFC 5322 §2.2, RFC 5322 §4.5 (space before the colon)
 */

/** Fields and malformed lines beyond this are usually not read, and the block is reported as `too-many-fields`. */
export const headerFieldsMax = 1000;

/** A line with its continuations: from `start` to behind the last CRLF. */
export interface LineSpan {
  readonly start: number;
  readonly end: number;
}

/** The whole field; its value begins at `valueStart`. */
export interface FieldSpan extends LineSpan {
  /** As written, without white space before the colon. */
  readonly name: string;
  readonly valueStart: number;
}

/** `bare-line-end`: CR or LF that is not CRLF; `unterminated`: the last line has no CRLF. */
export type HeaderProblem =
  | 'line-without-name'
  | 'continuation-first'
  | 'too-many-fields'
  | 'bare-line-end'
  | 'null-byte'
  | 'unterminated';

/** Each problem at most once. */
export interface HeaderScan {
  readonly fields: readonly FieldSpan[];
  /** Lines that are no fields, in order. */
  readonly malformed: readonly LineSpan[];
  readonly problems: readonly HeaderProblem[];
}

const space = 0x20;
const tab = 0x09;

/**
 * Reads a header block, with or without the empty line at its end. A line that is no field is
 * skipped with its continuations, and the fields after it are still read: readers differ there, so
 * all that any of them may see is returned. Beyond `fieldsMax` nothing is read.
 */
export function scanHeaderFields(text: string, fieldsMax = headerFieldsMax): HeaderScan {
  const fields: FieldSpan[] = [];
  const malformed: LineSpan[] = [];
  const problems = new Set<HeaderProblem>();
  let start = 0;
  for (let count = 0; start < text.length && !text.startsWith('\r\n', start); count++) {
    if (count === fieldsMax) {
      problems.add('too-many-fields');
      break;
    }
    const end = endOfField(text, start);
    const field = readField(text, start, end);
    if (typeof field === 'string') {
      problems.add(field);
      malformed.push({ start, end });
    } else fields.push(field);
    start = end;
  }
  if (start >= text.length && text.length > 0 && !text.endsWith('\r\n')) {
    problems.add('unterminated');
  }
  if (text.includes('\0')) problems.add('null-byte');
  if (/\r(?!\n)|(?<!\r)\n/.test(text)) problems.add('bare-line-end');
  return { fields, malformed, problems: [...problems] };
}

/** After the CRLF that no white space follows. */
function endOfField(text: string, start: number): number {
  let position = start;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', position);
    if (lineEnd === -1) return text.length;
    position = lineEnd + 2;
    const next = text.charCodeAt(position);
    if (next !== space && next !== tab) return position;
  }
}

function readField(text: string, start: number, end: number): FieldSpan | HeaderProblem {
  let nameEnd = start;
  while (nameEnd < end && isNameCode(text.charCodeAt(nameEnd))) nameEnd++;
  let colon = nameEnd;
  while (isBlank(text.charCodeAt(colon))) colon++;
  if (nameEnd === start) return colon > start ? 'continuation-first' : 'line-without-name';
  if (text[colon] !== ':') return 'line-without-name';
  return { name: text.slice(start, nameEnd), start, valueStart: colon + 1, end };
}

/** Printable ASCII but the colon. */
function isNameCode(code: number): boolean {
  return code > space && code < 0x7f && code !== 0x3a;
}

function isBlank(code: number): boolean {
  return code === space || code === tab;
}

/** The field's value on one line: folds undone, no white space at either end. */
export function unfoldValue(text: string, field: FieldSpan): string {
  return text.slice(field.valueStart, field.end).replaceAll('\r\n', '').trim();
}

/** Whether a field's name is `lowerCaseName`, ignoring case. */
export function isNamed(field: FieldSpan, lowerCaseName: string): boolean {
  return field.name.length === lowerCaseName.length && field.name.toLowerCase() === lowerCaseName;
}

/**
 * What a generous reader takes for the name of a line that is no field: all before the colon that may
 * stand in a name, so that a fold before the colon, a byte order mark or a control hides nothing.
 */
export function nameOfMalformed(text: string, line: LineSpan): string {
  const written = text.slice(line.start, line.end);
  const colon = written.indexOf(':');
  return colon === -1 ? '' : written.slice(0, colon).replace(/[^!-~]+/g, '');
}
