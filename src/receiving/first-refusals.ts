/** When a temporary refusal was first given, so that it can become permanent; bounded, LRU. */

export class FirstRefusals {
  readonly #entriesMax: number;
  readonly #atMs = new Map<string, number>();

  constructor(entriesMax = 10_000) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#atMs.size;
  }

  /** Null where the key is unknown or forgotten. */
  atMs(key: string): number | null {
    return this.#atMs.get(key) ?? null;
  }

  /** Keeps the first time of each key; the key used longest ago goes when there are too many. */
  remember(key: string, nowMs: number): void {
    const first = this.#atMs.get(key) ?? nowMs;
    this.#atMs.delete(key);
    this.#atMs.set(key, first);
    if (this.#atMs.size <= this.#entriesMax) return;
    const oldest = this.#atMs.keys().next();
    if (oldest.done !== true) this.#atMs.delete(oldest.value);
  }
}
