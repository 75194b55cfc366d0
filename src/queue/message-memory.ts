/**
 * Messages whose deliveries are claimed, each once however many deliveries it has: the content as long
 * as an attempt may need it, and the next free ordinal as long as any claim lasts.
 */
import type { StoredMessage } from '../store/store.ts';

interface Entry {
  message: StoredMessage | null;
  /** Claims of the message's deliveries. */
  claims: number;
  /** Those among them that may still read the content. */
  readers: number;
  nextOrdinal: number | null;
}

export class MessageMemory {
  readonly #entries = new Map<number, Entry>();
  #bytes = 0;

  /** Bytes of all contents that are held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** One more claim, which may read the content. */
  add(key: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#entries.set(key, { message: null, claims: 1, readers: 1, nextOrdinal: null });
    } else {
      entry.claims += 1;
      entry.readers += 1;
    }
  }

  /** A claim needs the content no more. */
  endReading(key: number): void {
    const entry = this.#entries.get(key)!;
    entry.readers -= 1;
    if (entry.readers > 0 || entry.message === null) return;
    this.#bytes -= memoryBytesOf(entry.message);
    entry.message = null;
  }

  /** A claim that has ended reading is gone. */
  remove(key: number): void {
    const entry = this.#entries.get(key)!;
    entry.claims -= 1;
    if (entry.claims === 0) this.#entries.delete(key);
  }

  /** Null where it is in the store alone. */
  find(key: number): StoredMessage | null {
    return this.#entries.get(key)?.message ?? null;
  }

  /** Keeps the message as long as a claim may read it. */
  keep(message: StoredMessage): void {
    const entry = this.#entries.get(message.key);
    if (entry === undefined || entry.message !== null || entry.readers === 0) return;
    entry.message = message;
    this.#bytes += memoryBytesOf(message);
  }

  /** The first ordinal that no delivery of a claimed message has; null where the store must tell. */
  nextOrdinal(key: number): number | null {
    return this.#entries.get(key)?.nextOrdinal ?? null;
  }

  setNextOrdinal(key: number, ordinal: number): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.nextOrdinal = ordinal;
  }
}

/** What the content takes of memory. */
export function memoryBytesOf(message: Pick<StoredMessage, 'content'>): number {
  return message.content.kind === 'memory' ? message.content.bytes.length : 0;
}
