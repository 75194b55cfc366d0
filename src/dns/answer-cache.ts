/** Answers for as long as they live, bounded in number and in bytes; the least used go first. */
import type { AnswerTo, QuestionType } from './question.ts';

interface Entry {
  readonly answer: AnswerTo<QuestionType>;
  readonly expiresAtMs: number;
  readonly bytes: number;
}

export interface CacheBounds {
  readonly entriesMax: number;
  /** Of the messages as received; a rough measure of the memory. */
  readonly bytesMax: number;
}

/** Keys are type and name, so that an answer has the type that its key says. */
export class AnswerCache {
  readonly #bounds: CacheBounds;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(bounds: CacheBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** With the seconds that are left as `ttlSeconds`; null where nothing living is known. */
  find(key: string, nowMs: number): AnswerTo<QuestionType> | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    this.#remove(key, entry);
    const leftMs = entry.expiresAtMs - nowMs;
    if (leftMs <= 0) return null;
    this.#add(key, entry);
    const { answer } = entry;
    return answer.kind === 'found' ? { ...answer, ttlSeconds: Math.ceil(leftMs / 1000) } : answer;
  }

  keep(key: string, entry: Entry): void {
    const known = this.#entries.get(key);
    if (known !== undefined) this.#remove(key, known);
    this.#add(key, entry);
    for (const [oldest, old] of this.#entries) {
      const { entriesMax, bytesMax } = this.#bounds;
      if (this.#entries.size <= entriesMax && this.#bytes <= bytesMax) return;
      this.#remove(oldest, old);
    }
  }

  /** What could not be learnt may be asked again at once. */
  forgetFailures(): void {
    for (const [key, entry] of this.#entries) {
      if (entry.answer.kind === 'failed') this.#remove(key, entry);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  /** At the end of the map's order: the most recently used. */
  #add(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
  }

  #remove(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}
