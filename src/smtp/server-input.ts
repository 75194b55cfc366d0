/**
 * What a server session has been fed and not yet taken in: lines of commands, or content.
 *
 * @see RFC 5321 §4.5.3.1.4 (512 octets, more with extensions), RFC 4954 §4.3 (12288 for AUTH),
 *   RFC 6531 §3.3 (UTF-8 in commands)
 */
import { isAscii, isUtf8 } from 'node:buffer';

/** Longest command line with CRLF, in octets. */
export const commandLineBytesMax = 2048;
/** Longest AUTH command and longest line of an AUTH exchange, with CRLF. */
export const authLineBytesMax = 12_288;

const lf = 10;
const cr = 13;
const nothing = Buffer.alloc(0);

/**
 * `text` without its line end; latin1 where it is not UTF-8. `hasCrlf` false where the line ended in
 * a bare LF.
 */
export interface InputLine {
  readonly text: string;
  readonly hasCrlf: boolean;
  readonly isUtf8: boolean;
}

const tooLong = { kind: 'too-long' } as const;

export function isTooLong(line: InputLine | typeof tooLong): line is typeof tooLong {
  return line === tooLong;
}

export class ServerInput {
  #bytes: Buffer = nothing;
  #at = 0;

  get size(): number {
    return this.#bytes.length - this.#at;
  }

  append(bytes: Buffer): void {
    this.#bytes = this.size === 0 ? bytes : Buffer.concat([this.peek(), bytes]);
    this.#at = 0;
  }

  /** All that is there, as a view. */
  peek(): Buffer {
    return this.#at === 0 ? this.#bytes : this.#bytes.subarray(this.#at);
  }

  skip(size: number): void {
    this.#at += size;
    if (this.#at >= this.#bytes.length) this.clear();
  }

  clear(): void {
    this.#bytes = nothing;
    this.#at = 0;
  }

  /** The next line; null while it is not complete. A line too long stays where it is. */
  takeLine(isAuthResponse: boolean): InputLine | typeof tooLong | null {
    const end = this.#bytes.indexOf(lf, this.#at);
    const size = (end === -1 ? this.#bytes.length : end + 1) - this.#at;
    if (size > commandLineBytesMax) {
      const isAuth = isAuthResponse || this.#startsWithAuth();
      if (!isAuth || size > authLineBytesMax) return tooLong;
    }
    if (end === -1) return null;
    const hasCrlf = end > this.#at && this.#bytes[end - 1] === cr;
    const line = this.#bytes.subarray(this.#at, hasCrlf ? end - 1 : end);
    const isText = isAscii(line) || isUtf8(line);
    this.skip(size);
    return { text: line.toString(isText ? 'utf8' : 'latin1'), hasCrlf, isUtf8: isText };
  }

  #startsWithAuth(): boolean {
    return this.#bytes.toString('latin1', this.#at, this.#at + 5).toUpperCase() === 'AUTH ';
  }
}
