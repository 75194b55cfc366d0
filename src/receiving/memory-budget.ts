/** The memory that contents in flight may take together: a sum with an upper bound. */

interface Waiter {
  readonly bytes: number;
  readonly resolve: (isGranted: boolean) => void;
  readonly timer: NodeJS.Timeout;
}

export class MemoryBudget {
  #bytesMax: number;
  #used = 0;
  readonly #waiters = new Set<Waiter>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** False where the bound would be passed, or where others wait already. */
  tryReserve(bytes: number): boolean {
    if (this.#waiters.size > 0 || this.#used + bytes > this.#bytesMax) return false;
    this.#used += bytes;
    return true;
  }

  /** For what could lie elsewhere: false as soon as half is in use, so that arriving mail has room. */
  tryReserveSpare(bytes: number): boolean {
    return this.#used + bytes <= this.#bytesMax / 2 && this.tryReserve(bytes);
  }

  /** Waits its turn; false where there was no room in time. */
  async reserve(bytes: number, waitMs: number): Promise<boolean> {
    if (this.tryReserve(bytes)) return true;
    if (bytes > this.#bytesMax) return false;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        resolve(false);
        this.#grant();
      }, waitMs);
      const waiter: Waiter = { bytes, resolve, timer };
      this.#waiters.add(waiter);
    });
  }

  /** Puts another bound in force; what is reserved already stays so. */
  resize(bytesMax: number): void {
    this.#bytesMax = bytesMax;
    this.#grant();
  }

  release(bytes: number): void {
    this.#used -= bytes;
    this.#grant();
  }

  /** In order of arrival: a large one is not overtaken for ever. */
  #grant(): void {
    for (const waiter of this.#waiters) {
      if (this.#used + waiter.bytes > this.#bytesMax) return;
      this.#waiters.delete(waiter);
      clearTimeout(waiter.timer);
      this.#used += waiter.bytes;
      waiter.resolve(true);
    }
  }
}
