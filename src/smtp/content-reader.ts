/**
 * One content as the server session reads it: by DATA up to its end, or by BDAT in counted chunks.
 *
 * @see RFC 5321 §4.5.2, RFC 3030 §2
 */
import type { Reply } from '../mail/reply.ts';
import { ContentDecoder } from './content-decoder.ts';
import type { LineRules } from './content-lines.ts';
import { ContentLines } from './content-lines.ts';
import { serverReplies } from './server-replies.ts';

export interface ContentRules extends LineRules {
  /** Of the content as kept, dot-stuffing not counted. */
  readonly messageSizeBytesMax: number;
}

/** `content` is to be kept (nothing of a content that is too large); `taken` octets were read. */
export interface ReadContent {
  readonly content: Buffer;
  readonly taken: number;
  readonly isEnd: boolean;
}

/** Content beyond the size limit that is read and dropped, in multiples of the limit. */
const excessFactor = 2;
const nothing = Buffer.alloc(0);

export class ContentReader {
  readonly #rules: ContentRules;
  readonly #decoder = new ContentDecoder();
  readonly #lines: ContentLines;
  #sizeBytes = 0;

  constructor(rules: ContentRules) {
    this.#rules = rules;
    this.#lines = new ContentLines(rules);
  }

  /** Octets of content so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** So far above the limit that not even the rest is read. */
  get isHopeless(): boolean {
    return this.#sizeBytes > excessFactor * this.#rules.messageSizeBytesMax;
  }

  /** Why the content cannot be accepted; after its end. */
  get problem(): Reply | null {
    const lines = this.#lines;
    if (this.#isTooLarge) return serverReplies.tooLarge;
    if (lines.hasBareLineBreak) return serverReplies.bareLineBreak;
    if (lines.hasNul) return serverReplies.nulByte;
    return lines.hasLongLine ? serverReplies.longLine : null;
  }

  get #isTooLarge(): boolean {
    return this.#sizeBytes > this.#rules.messageSizeBytesMax;
  }

  /** What follows DATA. */
  readData(bytes: Buffer): ReadContent {
    const { content, end } = this.#decoder.decode(bytes);
    const kept = this.#keep(content);
    if (end === -1) return { content: kept, taken: bytes.length, isEnd: false };
    return { content: this.#close(kept), taken: end, isEnd: true };
  }

  /** A piece of a chunk; with `isEnd` the last of the last one. */
  readChunk(bytes: Buffer, isEnd: boolean): ReadContent {
    const kept = this.#keep(bytes);
    return { content: isEnd ? this.#close(kept) : kept, taken: bytes.length, isEnd };
  }

  #keep(content: Buffer): Buffer {
    const lines = this.#lines.take(content);
    this.#sizeBytes += lines.length;
    return this.#isTooLarge ? nothing : lines;
  }

  #close(kept: Buffer): Buffer {
    const ending = this.#lines.finish();
    if (ending.length === 0) return kept;
    this.#sizeBytes += ending.length;
    return this.#isTooLarge ? nothing : Buffer.concat([kept, ending]);
  }
}

/** Whether a chunk is larger than what is read and dropped for a content that is too large. */
export function isHopelessChunk(sizeBytes: number, { messageSizeBytesMax }: ContentRules): boolean {
  return sizeBytes > excessFactor * messageSizeBytesMax;
}
