/**
 * Words beyond ASCII in header fields: read for rules, written for what rules add.
 *
 * @see RFC 2047 §2, §5, §6.2
 */
import { decodeText } from './charset.ts';

export interface DecodedValue {
  readonly text: string;
  /** False where a word is in a charset that we do not know. */
  readonly isSure: boolean;
}

interface Word {
  readonly charset: string;
  readonly bytes: Buffer;
  readonly end: number;
}

const encodedWord = /=\?([^?\s]{1,60})\?([bq])\?([^?]*)\?=/iy;
const blank = /[ \t\r\n]*/y;

/** The value with its encoded words decoded; linear in its length, never throws. */
export function decodeWords(value: string): DecodedValue {
  if (!value.includes('=?')) return { text: value, isSure: true };
  let text = '';
  let isSure = true;
  let from = 0;
  for (let at = value.indexOf('=?'); at !== -1; at = value.indexOf('=?', Math.max(from, at + 1))) {
    const run = readRun(value, at);
    if (run === null) continue;
    text += value.slice(from, at);
    for (const { charset, bytes } of run.words) {
      const decoded = decodeText(bytes, charset);
      text += decoded.text;
      isSure &&= decoded.isSure;
    }
    from = run.end;
  }
  return { text: text + value.slice(from), isSure };
}

/** Words with nothing but blanks between them; neighbours of one charset may share a character. */
function readRun(value: string, start: number): { words: Word[]; end: number } | null {
  const words: Word[] = [];
  let end = start;
  for (let at = start; ;) {
    const word = readWord(value, at);
    if (word === null) break;
    const last = words.at(-1);
    if (last?.charset === word.charset) {
      words[words.length - 1] = { ...word, bytes: Buffer.concat([last.bytes, word.bytes]) };
    } else words.push(word);
    end = word.end;
    blank.lastIndex = end;
    blank.exec(value);
    at = blank.lastIndex;
  }
  return words.length === 0 ? null : { words, end };
}

function readWord(value: string, at: number): Word | null {
  encodedWord.lastIndex = at;
  const match = encodedWord.exec(value);
  if (match === null) return null;
  const [whole, charset, encoding, text] = match;
  const bytes =
    encoding!.toLowerCase() === 'b'
      ? Buffer.from(text!, 'base64')
      : decodeQuoted(Buffer.from(text!.replaceAll('_', ' '), 'latin1'));
  return { charset: charset!.toLowerCase(), bytes, end: at + whole.length };
}

/** `=41` is a byte, and a `=` at the end of a line joins it with the next; all else is itself. */
export function decodeQuoted(bytes: Buffer): Buffer {
  const result = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at]!;
    const high = byte === 0x3d ? hexOf(bytes[at + 1]) : -1;
    const low = high === -1 ? -1 : hexOf(bytes[at + 2]);
    if (low !== -1) {
      result[length++] = high * 16 + low;
      at += 3;
      continue;
    }
    const joined = byte === 0x3d ? lengthOfSoftBreak(bytes, at + 1) : 0;
    if (joined > 0) at += 1 + joined;
    else {
      result[length++] = byte;
      at++;
    }
  }
  return result.subarray(0, length);
}

function hexOf(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

const blanksMax = 80;

function lengthOfSoftBreak(bytes: Buffer, from: number): number {
  let at = from;
  while (at - from < blanksMax && (bytes[at] === 0x20 || bytes[at] === 0x09)) at++;
  if (bytes[at] === 0x0d && bytes[at + 1] === 0x0a) return at + 2 - from;
  return bytes[at] === 0x0a ? at + 1 - from : 0;
}

/** Bytes of UTF-8 in one word: with frame and base64 at most 75 characters. */
const bytesPerWord = 45;

/** Text that is printable ASCII as it is, else encoded words with a blank between them. */
export function formatWords(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text) && !text.includes('=?')) return text;
  const words: string[] = [];
  let bytes = Buffer.alloc(0);
  const close = (): void => {
    if (bytes.length > 0) words.push(`=?UTF-8?B?${bytes.toString('base64')}?=`);
    bytes = Buffer.alloc(0);
  };
  for (const character of text) {
    const next = Buffer.from(character, 'utf8');
    if (bytes.length + next.length > bytesPerWord) close();
    bytes = Buffer.concat([bytes, next]);
  }
  close();
  return words.join(' ');
}
