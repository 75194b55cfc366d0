/** How often each of many may ask: a bucket of tokens for each key, bounded in number. */

/** `burst` at once, and `perSecond` in the long run. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Keys that are remembered; the one that asked least recently is forgotten first. */
const keysMax = 10_000;

export class RateTable {
  readonly #rate: Rate;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** `now` in milliseconds of a clock that only rises. */
  constructor(rate: Rate, now: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#now = now;
  }

  /** Zero, and it is counted; else the seconds to wait, and it is not. */
  take(key: string): number {
    const { perSecond, burst } = this.#rate;
    const nowMs = this.#now();
    const known = this.#buckets.get(key) ?? { tokens: burst, atMs: nowMs };
    const tokens = Math.min(burst, known.tokens + ((nowMs - known.atMs) / 1000) * perSecond);
    const isLetIn = tokens >= 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: isLetIn ? tokens - 1 : tokens, atMs: nowMs });
    if (this.#buckets.size > keysMax) this.#forgetOldest();
    return isLetIn ? 0 : Math.max(1, Math.ceil((1 - tokens) / perSecond));
  }

  get size(): number {
    return this.#buckets.size;
  }

  #forgetOldest(): void {
    const oldest = this.#buckets.keys().next();
    if (oldest.done !== true) this.#buckets.delete(oldest.value);
  }
}
