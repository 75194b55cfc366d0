/** Blocks of header-like fields parted by empty lines. @see RFC 3464 §2.1, RFC 5322 §2.2.3 */
import { scanHeaderFields, unfoldValue } from '../message-format/header-fields.ts';

/** `value` is printable ASCII without blanks at its ends. */
export interface Field {
  readonly name: string;
  readonly value: string;
}

const lineLengthAim = 78;
const wordLengthMax = 900;
/** Longer names, with a word behind them, would not fit a line. @see RFC 5322 §2.1.1 */
const nameLengthMax = 76;

/**
 * One field with its CRLF, folded before words. What is not printable ASCII becomes `?`, a word
 * that no line can hold is cut.
 */
export function formatField(field: Field): string {
  const clean = field.value.replace(/[^\x20-\x7e]/g, '?').trim();
  let text = `${field.name}:`;
  let lineLength = text.length;
  clean.split(/ (?=[^ ])/).forEach((word, index) => {
    const bounded = word.slice(0, wordLengthMax);
    const isFolded = index > 0 && lineLength + 1 + bounded.length > lineLengthAim;
    text += isFolded ? `\r\n ${bounded}` : ` ${bounded}`;
    lineLength = (isFolded ? 0 : lineLength) + 1 + bounded.length;
  });
  return `${text}\r\n`;
}

/** Null where a line is no field, a name has more than 76 characters or there are more than `blocksMax` blocks; empty blocks are none. */
export function parseFieldBlocks(text: string, blocksMax: number): Field[][] | null {
  const blocks: Field[][] = [];
  for (const part of text.split('\r\n\r\n', blocksMax + 2)) {
    const begun = part.startsWith('\r\n') ? part.slice(2) : part;
    const block = begun.endsWith('\r\n') ? begun : `${begun}\r\n`;
    const { fields, problems } = scanHeaderFields(block);
    if (problems.length > 0 || fields.some(({ name }) => name.length > nameLengthMax)) return null;
    if (fields.length === 0) continue;
    blocks.push(fields.map((field) => ({ name: field.name, value: unfoldValue(block, field) })));
  }
  return blocks.length > blocksMax ? null : blocks;
}
