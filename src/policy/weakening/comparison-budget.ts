/** How much is compared of two policies before somebody has to say that so great a change is meant. */

/** More than any sensible change needs, and done in a few seconds. */
const stepsMax = 1_500_000;

/** One for all that is compared of two policies. A step is about a look at one connector. */
export class ComparisonBudget {
  #left: number;

  constructor(steps: number = stepsMax) {
    this.#left = steps;
  }

  /** False where so many are not left: then what was to be compared is not. */
  take(steps = 1): boolean {
    this.#left = this.#left < steps ? -1 : this.#left - steps;
    return this.#left >= 0;
  }

  /** Whether anything was not compared for want of steps. */
  get isSpent(): boolean {
    return this.#left < 0;
  }
}
