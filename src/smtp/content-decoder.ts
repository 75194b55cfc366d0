/**
 * The content that follows DATA: dot-unstuffing and the end.
 *
 * Only CRLF ends a line and only CRLF.CRLF ends the content, whatever else looks like it: two
 * servers that disagree here let one message smuggle in another. Searches are native; nothing here
 * looks at single bytes but at the seams of chunks.
 * @see RFC 5321 §4.5.2, §2.3.8
 */

const cr = 13;
const lf = 10;
const dot = 46;
const lineStartDot = Buffer.from('\r\n.');
const nothing = Buffer.alloc(0);

/** What one call decoded. `end` is the offset behind the final CRLF, -1 while the content goes on. */
export interface DecodedContent {
  readonly content: Buffer;
  readonly end: number;
}

/** Decodes the content of one message, fed in chunks of any cut. */
export class ContentDecoder {
  /** A dot, or a dot and CR, that began a line at the end of the last chunk. */
  #withheld: Buffer = nothing;
  #lastByte = lf;
  #isLineStart = true;

  /** `content` is a view of `chunk` where nothing had to be left out of its middle. */
  decode(chunk: Buffer): DecodedContent {
    const withheld = this.#withheld.length;
    const bytes = withheld === 0 ? chunk : Buffer.concat([this.#withheld, chunk]);
    this.#withheld = nothing;
    const pieces: Buffer[] = [];
    let from = 0;
    let at = this.#firstDot(bytes);
    while (at !== -1) {
      if (at > from) pieces.push(bytes.subarray(from, at));
      const after = bytes.length - at - 1;
      if (after === 0 || (after === 1 && bytes[at + 1] === cr)) {
        this.#pass(bytes.subarray(0, at));
        // A copy: two bytes must not keep the chunk alive.
        this.#withheld = Buffer.from(bytes.subarray(at));
        return { content: join(pieces), end: -1 };
      }
      if (bytes[at + 1] === cr && bytes[at + 2] === lf) {
        this.#pass(bytes.subarray(0, at + 3));
        return { content: join(pieces), end: at + 3 - withheld };
      }
      from = at + 1;
      at = nextDot(bytes, from);
    }
    if (from < bytes.length) pieces.push(bytes.subarray(from));
    this.#pass(bytes);
    return { content: join(pieces), end: -1 };
  }

  #firstDot(bytes: Buffer): number {
    if (this.#isLineStart && bytes[0] === dot) return 0;
    if (this.#lastByte === cr && bytes[0] === lf && bytes[1] === dot) return 1;
    return nextDot(bytes, 0);
  }

  /** Remembers how raw bytes ended. */
  #pass(bytes: Buffer): void {
    const size = bytes.length;
    if (size === 0) return;
    const beforeLast = size > 1 ? bytes[size - 2] : this.#lastByte;
    this.#lastByte = bytes[size - 1]!;
    this.#isLineStart = this.#lastByte === lf && beforeLast === cr;
  }
}

function nextDot(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(lineStartDot, from);
  return at === -1 ? -1 : at + 2;
}

function join(pieces: readonly Buffer[]): Buffer {
  if (pieces.length === 0) return nothing;
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}
