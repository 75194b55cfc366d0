/** A bounded number of questions at a time, and a bounded number that wait, first come first served. */
export class AskSlots {
  readonly #runningMax: number;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(runningMax: number, waitingMax: number) {
    this.#runningMax = runningMax;
    this.#waitingMax = waitingMax;
  }

  /** Runs `work` when there is room; null where too many wait already. */
  async run<Result>(work: () => Promise<Result>): Promise<Result | null> {
    if (this.#running < this.#runningMax) this.#running++;
    else if (this.#waiting.length >= this.#waitingMax) return null;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The room goes to the next one, or becomes free.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
