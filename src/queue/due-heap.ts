/** When which route has something due: a binary heap of wake-up times, the earliest on top. */

interface Entry {
  readonly atMs: number;
  readonly routeKey: string;
}

/** An entry may be outdated; whoever takes it looks at the route itself. */
export class DueHeap {
  readonly #entries: Entry[] = [];

  get size(): number {
    return this.#entries.length;
  }

  /** Null where nothing waits. */
  get earliestMs(): number | null {
    return this.#entries[0]?.atMs ?? null;
  }

  clear(): void {
    this.#entries.length = 0;
  }

  push(atMs: number, routeKey: string): void {
    const entries = this.#entries;
    let at = entries.length;
    entries.push({ atMs, routeKey });
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (entries[parent]!.atMs <= entries[at]!.atMs) return;
      [entries[parent], entries[at]] = [entries[at]!, entries[parent]!];
      at = parent;
    }
  }

  /** Takes the earliest route that is due at or before `untilMs`; null where none is. */
  take(untilMs: number): string | null {
    const entries = this.#entries;
    const top = entries[0];
    if (top === undefined || top.atMs > untilMs) return null;
    const last = entries.pop()!;
    if (entries.length > 0) {
      entries[0] = last;
      this.#sink();
    }
    return top.routeKey;
  }

  #sink(): void {
    const entries = this.#entries;
    let at = 0;
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < entries.length && entries[left]!.atMs < entries[least]!.atMs) least = left;
      if (right < entries.length && entries[right]!.atMs < entries[least]!.atMs) least = right;
      if (least === at) return;
      [entries[least], entries[at]] = [entries[at]!, entries[least]!];
      at = least;
    }
  }
}
