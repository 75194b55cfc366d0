/**
 * The contents of a server session, one after another: what DATA brings, or BDAT in counted chunks.
 *
 * @see RFC 5321 §4.5.2, RFC 3030 §2 (CHUNKING)
 */
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import type { ContentRules } from './content-reader.ts';
import { ContentReader } from './content-reader.ts';
import type { ServerInput } from './server-input.ts';

/** A chunk that is being read. `refusal` is said when its octets are consumed. */
interface Chunk {
  readonly sizeBytes: number;
  readonly isLast: boolean;
  refusal: Reply | null;
  leftBytes: number;
}

/**
 * `bytes` are to be kept, and after them the content is `open` (more of it comes), `whole`, or so large that nothing
 * more is read of it (`hopeless`); or a chunk is consumed that was not the last, with its reply.
 */
export type ContentStep =
  | { readonly bytes: Buffer; readonly state: 'open' | 'whole' | 'hopeless' }
  | {
      readonly bytes: Buffer;
      readonly state: 'chunk-taken' | 'chunk-refused';
      readonly reply: Reply;
    };

const nothing = Buffer.alloc(0);

export class ServerContent {
  readonly #input: ServerInput;
  readonly #rules: ContentRules;
  #reader: ContentReader | null = null;
  #chunk: Chunk | null = null;
  #octets = 0;

  /** Reads from `input` while the session is in content. */
  constructor(input: ServerInput, rules: ContentRules) {
    this.#input = input;
    this.#rules = rules;
  }

  /** Octets taken in so far, of all contents, dropped ones included. */
  get octets(): number {
    return this.#octets;
  }

  /** Whether the driver agreed to a content that has not ended. */
  get hasBegun(): boolean {
    return this.#reader !== null;
  }

  /** Whether the octets of a chunk are to be read. */
  get hasChunk(): boolean {
    return this.#chunk !== null;
  }

  /** Of the content that has begun; 0 before. */
  get sizeBytes(): number {
    return this.#reader?.sizeBytes ?? 0;
  }

  /** Why a whole content cannot be accepted; null where it can. */
  get problem(): Reply | null {
    return this.#reader?.problem ?? null;
  }

  begin(): void {
    this.#reader = new ContentReader(this.#rules);
  }

  /** The octets are consumed even where they are refused: they are never commands. */
  announceChunk(sizeBytes: number, isLast: boolean, refusal: Reply | null): void {
    this.#chunk = { sizeBytes, isLast, refusal, leftBytes: sizeBytes };
  }

  /** The chunk that was announced is refused after all. */
  refuseChunk(refusal: Reply): void {
    this.#chunk!.refusal = refusal;
  }

  /** Neither the content nor a chunk goes on. */
  forget(): void {
    this.#reader = null;
    this.#chunk = null;
  }

  /** What is there of it; null while nothing is. */
  read(): ContentStep | null {
    if (this.#chunk !== null) return this.#readChunk(this.#chunk);
    const bytes = this.#input.peek();
    if (bytes.length === 0) return null;
    const reader = this.#reader!;
    const { content, taken, isEnd } = reader.readData(bytes);
    this.#consume(taken);
    if (isEnd) return { bytes: content, state: 'whole' };
    return { bytes: content, state: reader.isHopeless ? 'hopeless' : 'open' };
  }

  #readChunk(chunk: Chunk): ContentStep | null {
    const bytes = this.#input.peek().subarray(0, chunk.leftBytes);
    if (bytes.length === 0 && chunk.leftBytes > 0) return null;
    this.#consume(bytes.length);
    chunk.leftBytes -= bytes.length;
    const isWhole = chunk.leftBytes === 0;
    if (isWhole) this.#chunk = null;
    const { refusal } = chunk;
    if (refusal !== null) {
      if (!isWhole) return { bytes: nothing, state: 'open' };
      return { bytes: nothing, state: 'chunk-refused', reply: refusal };
    }
    const { content, isEnd } = this.#reader!.readChunk(bytes, isWhole && chunk.isLast);
    if (isEnd) return { bytes: content, state: 'whole' };
    if (!isWhole) return { bytes: content, state: 'open' };
    const taken = reply(250, '2.0.0', `${chunk.sizeBytes} octets received`);
    return { bytes: content, state: 'chunk-taken', reply: taken };
  }

  #consume(size: number): void {
    this.#input.skip(size);
    this.#octets += size;
  }
}
