/**
 * The rules for the lines of a content, however it came (DATA or BDAT): CRLF ends a line, NUL is
 * nowhere, and a line has a bound.
 *
 * A bare CR or LF is reported, or becomes CRLF. Searches are native; where nothing has to be
 * changed the bytes pass as they are.
 * @see RFC 5321 §2.3.8, §4.5.3.1.6
 */

/** `refuse`: a bare CR or LF is reported. `normalize`: it becomes CRLF. */
export type BareLineBreaks = 'refuse' | 'normalize';

export interface LineRules {
  readonly bareLineBreaks: BareLineBreaks;
  /** Longest line with its CRLF, in octets. */
  readonly lineBytesMax: number;
}

const cr = 13;
const lf = 10;
const oneCr = Buffer.from('\r');
const crlf = Buffer.from('\r\n');
const nothing = Buffer.alloc(0);

/** Looks at one content, fed in pieces of any cut. */
export class ContentLines {
  readonly #rules: LineRules;
  /** The last byte was a CR: in `refuse` it was passed on, in `normalize` it is held back. */
  #isAfterCr = false;
  /** Octets since the last CRLF. */
  #openBytes = 0;
  #longestBytes = 0;
  #hasBareLineBreak = false;
  #hasNul = false;

  constructor(rules: LineRules) {
    this.#rules = rules;
  }

  /** A CR without LF or an LF without CR was seen; never with `normalize`. */
  get hasBareLineBreak(): boolean {
    return this.#hasBareLineBreak;
  }

  get hasNul(): boolean {
    return this.#hasNul;
  }

  get hasLongLine(): boolean {
    return this.#longestBytes > this.#rules.lineBytesMax;
  }

  /** The piece as it is kept: the same buffer, unless a bare line break became CRLF. */
  take(bytes: Buffer): Buffer {
    if (bytes.length === 0) return bytes;
    this.#hasNul ||= bytes.includes(0);
    const kept = this.#rules.bareLineBreaks === 'normalize' ? this.#normalize(bytes) : bytes;
    this.#scan(kept);
    return kept;
  }

  /** What is to be added at the end, so that the last line ends in CRLF too; often nothing. */
  finish(): Buffer {
    const isNormal = this.#rules.bareLineBreaks === 'normalize';
    // Held back it became no part of the content yet; passed on it stays a bare CR.
    if (this.#isAfterCr && !isNormal) this.#markBare();
    if (this.#hasBareLineBreak || (this.#openBytes === 0 && !this.#isAfterCr)) return nothing;
    this.#isAfterCr = false;
    this.#longestBytes = Math.max(this.#longestBytes, this.#openBytes + 2);
    return crlf;
  }

  /** Without the CR at the end, which the next piece decides about. */
  #normalize(bytes: Buffer): Buffer {
    const input = this.#isAfterCr ? Buffer.concat([oneCr, bytes]) : bytes;
    this.#isAfterCr = input[input.length - 1] === cr;
    const whole = this.#isAfterCr ? input.subarray(0, -1) : input;
    return isBroken(whole) ? toCrlf(whole) : whole;
  }

  /** Finds bare line breaks and the longest line; after a bare one lengths do not matter. */
  #scan(bytes: Buffer): void {
    if (this.#hasBareLineBreak || bytes.length === 0) return;
    const isNormal = this.#rules.bareLineBreaks === 'normalize';
    let lineStart = -this.#openBytes;
    let at = 0;
    if (this.#isAfterCr && !isNormal) {
      if (bytes[0] !== lf) return this.#markBare();
      this.#longestBytes = Math.max(this.#longestBytes, this.#openBytes + 1);
      lineStart = at = 1;
    }
    for (;;) {
      const nextCr = bytes.indexOf(cr, at);
      const nextLf = bytes.indexOf(lf, at);
      if (nextCr === -1 && nextLf === -1) break;
      if (nextLf === -1 && nextCr === bytes.length - 1) break;
      if (nextCr === -1 || nextLf !== nextCr + 1) return this.#markBare();
      at = nextLf + 1;
      if (at - lineStart > this.#longestBytes) this.#longestBytes = at - lineStart;
      lineStart = at;
    }
    this.#openBytes = bytes.length - lineStart;
    if (this.#openBytes > this.#longestBytes) this.#longestBytes = this.#openBytes;
    if (!isNormal) this.#isAfterCr = bytes[bytes.length - 1] === cr;
  }

  #markBare(): void {
    this.#hasBareLineBreak = true;
    this.#isAfterCr = false;
  }
}

/** Whether a CR stands without LF, or an LF without CR; the bytes begin and end between lines' ends. */
function isBroken(bytes: Buffer): boolean {
  let at = 0;
  for (;;) {
    const nextCr = bytes.indexOf(cr, at);
    const nextLf = bytes.indexOf(lf, at);
    if (nextCr === -1 && nextLf === -1) return false;
    if (nextCr === -1 || nextLf !== nextCr + 1) return true;
    at = nextLf + 1;
  }
}

/**
 * Each CRLF, CR and LF as CRLF. Native string functions: a copy for each line would cost ten times
 * as much where a hostile content consists of line breaks.
 */
function toCrlf(bytes: Buffer): Buffer {
  const lines = bytes.toString('latin1').split('\r\n').join('\n').split('\r').join('\n');
  return Buffer.from(lines.split('\n').join('\r\n'), 'latin1');
}
