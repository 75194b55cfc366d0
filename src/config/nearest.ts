/** The nearest right word to a wrong one, for `did you mean`. */

/**
 * The candidate with the smallest edit distance; null where none is near: more than a third of the
 * word would have to change. Case counts as half an edit, so `tlssettings` finds `tlsSettings`.
 */
export function findNearest(word: string, candidates: Iterable<string>): string | null {
  if (word.length === 0 || word.length > 64) return null;
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 0.5;
  for (const candidate of candidates) {
    const distance = distanceBetween(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Insertions, deletions, substitutions and swaps of neighbours; other case alone never counts more than half. */
export function distanceBetween(a: string, b: string): number {
  const [lowerA, lowerB] = [a.toLowerCase(), b.toLowerCase()];
  if (lowerA === lowerB) return a === b ? 0 : 0.5;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = lowerA[row - 1] === lowerB[column - 1];
      let cost = Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + (isSame ? 0 : 1),
      );
      const isSwap =
        row > 1 &&
        column > 1 &&
        lowerA[row - 1] === lowerB[column - 2] &&
        lowerA[row - 2] === lowerB[column - 1];
      if (isSwap) cost = Math.min(cost, beforeLast[column - 2]! + 1);
      current.push(cost);
    }
    [beforeLast, last] = [last, current];
  }
  return last[b.length]!;
}
