/**
 * The content of one message while it arrives: in memory, or in the spool once it is large.
 *
 * The header block is bounded, and edited once when it is complete, before anything of it is passed
 * on. Small content becomes one exact-size buffer.
 */
import type { Content } from '../mail/content.ts';
import { Failure } from '../mail/failure.ts';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { SpoolWriter } from './services.ts';
import { headerBytesMax } from './settings.ts';

const headerTooLarge = reply(552, '5.3.4', 'the header is larger than this server takes');
/** The answer where no memory is left for a content. */
export const outOfMemory = reply(452, '4.3.1', 'too much mail in flight, try again later');

const emptyLine = Buffer.from('\r\n\r\n');
// Small pieces are joined now and then: each would cost more memory than its bytes.
const chunksMax = 128;
const growthBytes = 64 * 1024;

export interface IncomingContentOptions {
  /**
   * What is kept in the place of the header, given with its empty line, or the whole content where
   * it has none. Called once.
   */
  readonly editHeader: (header: Buffer) => readonly Buffer[];
  readonly memory: MemoryBudget;
  /** Already reserved of `memory`; the content releases it. */
  readonly reservedBytes: number;
  readonly memoryBytesMax: number;
  openSpool(): Promise<SpoolWriter>;
}

export class IncomingContent {
  readonly #options: IncomingContentOptions;
  #chunks: Buffer[] = [];
  #size = 0;
  #reserved: number;
  /** Length of the header with its empty line; null while that has not come. */
  #headerSize: number | null = null;
  // As if the line before had ended: content may begin with the empty line.
  #tail: Buffer = Buffer.from('\r\n');
  #isHeaderClosed = false;
  #keptHeaderBytes = 0;
  #spool: SpoolWriter | null = null;
  #writing: Promise<void> | null = null;
  #problem: { readonly reply: Reply; readonly cause: unknown } | null = null;

  constructor(options: IncomingContentOptions) {
    this.#options = options;
    this.#reserved = options.reservedBytes;
  }

  /** Why the content cannot be kept, with the reply for its end; what follows is dropped. */
  get problem(): { readonly reply: Reply; readonly cause: unknown } | null {
    return this.#problem;
  }

  /** Takes a piece; where a promise is returned, the next one may come when it resolves. */
  push(bytes: Buffer): Promise<void> | undefined {
    if (this.#problem !== null) return undefined;
    if (this.#headerSize === null) this.#findHeaderEnd(bytes);
    this.#size += bytes.length;
    if (this.#spool !== null) return this.#write([bytes]);
    this.#chunks.push(bytes);
    if (this.#chunks.length > chunksMax) this.#chunks = [Buffer.concat(this.#chunks)];
    const hasHeader = this.#headerSize !== null;
    if ((this.#headerSize ?? this.#size) > headerBytesMax) {
      this.#fail(headerTooLarge, null);
    } else if (this.#size > this.#reserved && !this.#grow()) {
      if (hasHeader) return this.#spill();
      this.#fail(outOfMemory, null);
    } else if (this.#size > this.#options.memoryBytesMax && hasHeader) {
      return this.#spill();
    }
    return undefined;
  }

  /** Of the header as it is kept; once it is closed. */
  get keptHeaderBytes(): number {
    return this.#keptHeaderBytes;
  }

  /** Edits the header, unless that was done when it went to the spool. After the last piece. */
  closeHeader(): void {
    if (this.#isHeaderClosed) return;
    this.#isHeaderClosed = true;
    const size = this.#headerSize ?? this.#size;
    if (this.#chunks.length > 1 && this.#chunks[0]!.length < size) {
      this.#chunks = [Buffer.concat(this.#chunks)];
    }
    const [first = Buffer.alloc(0), ...others] = this.#chunks;
    const edited = this.#options.editHeader(first.subarray(0, size));
    this.#keptHeaderBytes = edited.reduce((sum, piece) => sum + piece.length, 0);
    this.#chunks = [...edited, first.subarray(size), ...others];
  }

  /** The whole, durable where it is in the spool. Rejects with the spool's Failure. */
  async finish(): Promise<Content> {
    if (this.#spool !== null) return this.#spool.finish();
    this.closeHeader();
    const size = this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const bytes = Buffer.allocUnsafeSlow(size);
    let at = 0;
    for (const chunk of this.#chunks) at += chunk.copy(bytes, at);
    this.#chunks = [];
    return { kind: 'memory', bytes };
  }

  /** Once the message is accepted: the content is the queue's, and nothing here may remove it. */
  handOver(): void {
    this.#spool = null;
    this.#release();
  }

  #release(): void {
    this.#options.memory.release(this.#reserved);
    this.#reserved = 0;
    this.#chunks = [];
  }

  /** Removes what was spooled and gives the memory back. Never rejects. */
  async abandon(): Promise<void> {
    this.#problem ??= { reply: outOfMemory, cause: null };
    this.#release();
    await this.#writing?.catch(() => undefined);
    const spool = this.#spool;
    this.#spool = null;
    // What stays behind is swept at the next start; the refusal was caused by something else.
    await spool?.abandon().catch(() => undefined);
  }

  #findHeaderEnd(bytes: Buffer): void {
    const seam = Buffer.concat([this.#tail, bytes.subarray(0, 3)]);
    const inSeam = seam.indexOf(emptyLine);
    const inBytes = inSeam === -1 ? bytes.indexOf(emptyLine) : inSeam - this.#tail.length;
    if (inSeam !== -1 || inBytes !== -1) this.#headerSize = this.#size + inBytes + 4;
    else this.#tail = Buffer.from(Buffer.concat([this.#tail, bytes.subarray(-3)]).subarray(-3));
  }

  #grow(): boolean {
    const bytes = Math.max(growthBytes, this.#size - this.#reserved);
    if (!this.#options.memory.tryReserve(bytes)) return false;
    this.#reserved += bytes;
    return true;
  }

  #spill(): Promise<void> {
    this.closeHeader();
    const chunks = this.#chunks;
    this.#chunks = [];
    const spilled = async (): Promise<void> => {
      try {
        this.#spool = await this.#options.openSpool();
      } catch (error) {
        this.#fail(replyToFailure(error), error);
        return;
      }
      await this.#write(chunks);
      // Facts of the header may keep its text alive until the transaction ends.
      const surplus = this.#reserved - this.#headerSize!;
      if (surplus > 0) this.#options.memory.release(surplus);
      this.#reserved -= Math.max(0, surplus);
    };
    this.#writing = spilled();
    return this.#writing;
  }

  async #write(chunks: readonly Buffer[]): Promise<void> {
    const spool = this.#spool!;
    const written = (async () => {
      try {
        for (const chunk of chunks) await spool.write(chunk);
      } catch (error) {
        this.#fail(replyToFailure(error), error);
      }
    })();
    this.#writing = written;
    await written;
  }

  #fail(answer: Reply, cause: unknown): void {
    this.#problem ??= { reply: answer, cause };
    this.#release();
  }
}

/** What a failure of our own is on the wire. Nothing of it is the sender's fault. */
export function replyToFailure(error: unknown): Reply {
  const isFull =
    error instanceof Failure && (error.code === 'store-full' || error.code === 'queue-full');
  if (isFull) return reply(452, '4.3.1', error.wireText);
  return reply(451, '4.3.0', error instanceof Failure ? error.wireText : 'try again later');
}
