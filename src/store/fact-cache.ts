/**
 * The facts that the store surely holds, so that they are not sent again: two generations, of which
 * the older is dropped when the younger is full. A fact is sent again after the refresh interval,
 * which keeps its time of last citation true to that interval; pruning depends on it.
 *
 * Entries are never deleted singly: a map whose first keys were deleted searches past all of them.
 */
export class FactCache {
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  readonly #generationMax: number;
  readonly #refreshMs: number;

  /** Holds at most `entriesMax` facts, and surely the half of them that was used last. */
  constructor(entriesMax: number, refreshMs: number) {
    this.#generationMax = Math.max(1, Math.floor(entriesMax / 2));
    this.#refreshMs = refreshMs;
  }

  has(hash: string, nowMs: number): boolean {
    const young = this.#young.get(hash);
    const sentAtMs = young ?? this.#old.get(hash);
    if (sentAtMs === undefined || Math.abs(nowMs - sentAtMs) >= this.#refreshMs) return false;
    if (young === undefined) this.add(hash, sentAtMs);
    return true;
  }

  /** Call it only for facts whose commit succeeded. */
  add(hash: string, sentAtMs: number): void {
    if (this.#young.size >= this.#generationMax && !this.#young.has(hash)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(hash, sentAtMs);
  }
}
