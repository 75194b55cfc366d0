/**
 * Bytes to text by the name of a charset, and whether that is sure.
 *
 * A text in a charset that we do not know may say anything: it is read as far as it goes, and never
 * counts as "the word is not in it".
 * @see RFC 2045 §5.2, the WHATWG Encoding Standard (labels)
 */
import { isAscii, isUtf8 } from 'node:buffer';

export interface DecodedText {
  readonly text: string;
  /** Whether a reader can see nothing else in these bytes. */
  readonly isSure: boolean;
}

/** `label` null or empty: none was declared. Never throws. */
export function decodeText(bytes: Uint8Array, label: string | null): DecodedText {
  const name = nameOf(label);
  const decoder = decoderOf(name);
  if (decoder !== null) return { text: decoder.decode(bytes), isSure: true };
  const isPlain = isAscii(bytes) && !isShifting(name, bytes);
  if (isPlain) return { text: windows.decode(bytes), isSure: true };
  // Without a name mail of our days is UTF-8, or Windows' latin1 by old custom.
  const text = isUtf8(bytes) ? utf8.decode(bytes) : windows.decode(bytes);
  return { text, isSure: name === '' };
}

/** Without a language (RFC 2231 §5). ASCII is declared where nobody thought about it, so it is none. */
function nameOf(label: string | null): string {
  const [name = ''] = (label ?? '').trim().toLowerCase().split('*', 1);
  return name === 'us-ascii' || name === 'ascii' ? '' : name;
}

const utf8 = new TextDecoder();
const windows = new TextDecoder('windows-1252');
type Decoder = typeof utf8;

const decoders = new Map<string, Decoder | null>();
/** Labels come from messages: the memory of them is bounded. */
const decodersMax = 200;

function decoderOf(name: string): Decoder | null {
  if (name === '') return null;
  const known = decoders.get(name);
  if (known !== undefined) return known;
  let decoder: Decoder | null = null;
  try {
    decoder = new TextDecoder(name);
  } catch {
    // No label of the standard, or one that it forbids: UTF-7, ISO-2022-KR, HZ.
  }
  if (decoders.size < decodersMax) decoders.set(name, decoder);
  return decoder;
}

/** Charsets whose ASCII bytes are not always ASCII characters. */
function isShifting(name: string, bytes: Uint8Array): boolean {
  return (
    /utf-?7|iso-?2022|hz|utf-?16|utf-?32|ucs|ebcdic|cp037|scsu|bocu/.test(name) ||
    bytes.includes(0x1b)
  );
}
