/** Lets a few tasks run at once and a bounded number wait. */

export class Gate {
  readonly #runningMax: number;
  readonly #waitingMax: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(runningMax: number, waitingMax: number) {
    this.#runningMax = runningMax;
    this.#waitingMax = waitingMax;
  }

  /** The task's result; null, without running it, where too many wait already. */
  async run<T>(task: () => Promise<T>): Promise<{ readonly result: T } | null> {
    if (this.#running < this.#runningMax) this.#running++;
    else if (this.#waiting.length >= this.#waitingMax) return null;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return { result: await task() };
    } finally {
      // The place goes to the next one directly, so that nobody slips in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
