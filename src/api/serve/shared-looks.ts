/**
 * Looks that several streams take at the same time: who asks the same within the interval gets the
 * same answer, so that many watchers of one thing cost what one does.
 *
 * The key is everything that the answer depends on, whose it may be shown to included.
 */
interface Look {
  readonly atMs: number;
  readonly answer: Promise<unknown>;
}

export class SharedLooks {
  readonly #keptMs: number;
  readonly #now: () => number;
  /** In the order of their times. */
  readonly #looks = new Map<string, Look>();

  /** `now` in milliseconds of a clock that only rises. */
  constructor(keptMs: number, now: () => number = () => performance.now()) {
    this.#keptMs = keptMs;
    this.#now = now;
  }

  /** What fails is told to all who wait for it, and is looked at anew by the next one. */
  ask<Answer>(key: string, look: () => Promise<Answer>): Promise<Answer> {
    const nowMs = this.#now();
    for (const [old, { atMs }] of this.#looks) {
      if (nowMs - atMs < this.#keptMs) break;
      this.#looks.delete(old);
    }
    const known = this.#looks.get(key);
    if (known !== undefined) return known.answer as Promise<Answer>;
    const answer = look();
    this.#looks.set(key, { atMs: nowMs, answer });
    answer.catch(() => this.#looks.delete(key));
    return answer;
  }

  get size(): number {
    return this.#looks.size;
  }
}
