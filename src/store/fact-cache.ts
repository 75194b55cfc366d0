/**
 * The facts that the store surely holds, so that they are not sent again: a bounded list, least
 * recently used first out. A fact is sent again after the refresh interval, which keeps its time of
 * last citation true to that interval; pruning depends on it.
 */
export class FactCache {
  readonly #sentAtMs = new Map<string, number>();
  readonly #entriesMax: number;
  readonly #refreshMs: number;

  constructor(entriesMax: number, refreshMs: number) {
    this.#entriesMax = entriesMax;
    this.#refreshMs = refreshMs;
  }

  has(hash: string, nowMs: number): boolean {
    const sentAtMs = this.#sentAtMs.get(hash);
    if (sentAtMs === undefined) return false;
    if (Math.abs(nowMs - sentAtMs) >= this.#refreshMs) return false;
    this.#sentAtMs.delete(hash);
    this.#sentAtMs.set(hash, sentAtMs);
    return true;
  }

  /** Call it only for facts whose commit succeeded. */
  add(hash: string, sentAtMs: number): void {
    this.#sentAtMs.delete(hash);
    this.#sentAtMs.set(hash, sentAtMs);
    if (this.#sentAtMs.size > this.#entriesMax) {
      const [oldest] = this.#sentAtMs.keys();
      this.#sentAtMs.delete(oldest!);
    }
  }
}
