/** When a temporary refusal was first given, so that it can become permanent; bounded, LRU. */

/** After this long without a refusal the trouble is over, and the next one begins anew. */
const forgottenAfterMs = 24 * 3600_000;

export class FirstRefusals {
  readonly #entriesMax: number;
  readonly #entries = new Map<string, { readonly firstMs: number; readonly lastMs: number }>();

  constructor(entriesMax = 10_000) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Null where the key is unknown or forgotten. */
  atMs(key: string, nowMs: number): number | null {
    const entry = this.#entries.get(key);
    if (entry === undefined || nowMs - entry.lastMs > forgottenAfterMs) return null;
    return entry.firstMs;
  }

  /** Keeps the first time of each key; the key used longest ago goes when there are too many. */
  remember(key: string, nowMs: number): void {
    const firstMs = this.atMs(key, nowMs) ?? nowMs;
    this.#entries.delete(key);
    this.#entries.set(key, { firstMs, lastMs: nowMs });
    if (this.#entries.size <= this.#entriesMax) return;
    const oldest = this.#entries.keys().next();
    if (oldest.done !== true) this.#entries.delete(oldest.value);
  }
}
