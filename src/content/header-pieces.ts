/**
 * Edits of a header that leave every other byte where it was: pieces are views, not copies.
 *
 * For the header firewall in both directions. Names are changed by their beginning alone, so that
 * values and folds stay as the sender wrote them.
 */

/** `bytes` stand in the place of `start` to `end`; null takes them out. */
export interface FieldEdit {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer | null;
}

/** The header with the edits, which are in order and do not overlap. */
export function replaceSpans(header: Buffer, edits: readonly FieldEdit[]): Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  for (const { start, end, bytes } of edits) {
    if (start > from) pieces.push(header.subarray(from, start));
    if (bytes !== null) pieces.push(bytes);
    from = end;
  }
  if (from < header.length) pieces.push(header.subarray(from));
  return pieces;
}

/** Whole fields with their CRLFs; values are ours: ASCII without line ends. */
export function composeFields(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.from(fields.map(([name, value]) => `${name}: ${value}\r\n`).join(''), 'latin1');
}
