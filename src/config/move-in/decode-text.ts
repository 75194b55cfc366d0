/** Files as other systems write them: UTF-8 or UTF-16, with or without a byte order mark. */

/** A file of the source. Its name is only shown, and compared with paths that other files name. */
export interface SourceFile {
  readonly name: string;
  readonly content: string | Uint8Array;
}

/** Never throws: octets that are no text become U+FFFD. Line breaks become LF. */
export function decodeText(content: string | Uint8Array): string {
  const text = typeof content === 'string' ? content : decodeBytes(content);
  return text.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n');
}

/** The line of the first octets that are no text of the encoding; null where all are. Never throws. */
export function findBrokenLine(content: string | Uint8Array): number | null {
  if (typeof content === 'string') return null;
  try {
    new TextDecoder(encodingOf(content), { fatal: true }).decode(content);
    return null;
  } catch {
    const text = decodeText(content);
    return text.slice(0, text.indexOf('\ufffd')).split('\n').length;
  }
}

function decodeBytes(bytes: Uint8Array): string {
  return new TextDecoder(encodingOf(bytes)).decode(bytes);
}

/** PowerShell's `>` writes UTF-16 with a mark; without one the zeros of ASCII characters tell. */
function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (first !== undefined && first !== 0 && second === 0) return 'utf-16le';
  if (first === 0 && second !== undefined && second !== 0) return 'utf-16be';
  return 'utf-8';
}
