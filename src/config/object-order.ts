/**
 * The order of objects of a kind within their organization: numbers with gaps, so that what moves gets one
 * between its new neighbours, which keep theirs.
 */
import type { PlacedObject } from './change-policy.ts';

/** Of one kind and organization, while it is changed. */
export class ObjectOrder {
  #objects: PlacedObject[];

  /** `objects` by rising position. */
  constructor(objects: readonly PlacedObject[]) {
    this.#objects = [...objects];
  }

  /** In the place of `old`, or at the end. */
  put(old: PlacedObject | undefined, object: PlacedObject): void {
    const at = old === undefined ? -1 : this.#objects.indexOf(old);
    if (at < 0) this.#objects.push(object);
    else this.#objects[at] = object;
  }

  takeOut(object: PlacedObject | undefined): void {
    const at = object === undefined ? -1 : this.#objects.indexOf(object);
    if (at >= 0) this.#objects.splice(at, 1);
  }

  /** Answers the object at its position, with those that had to make room and are of its revision now. */
  insert(object: Omit<PlacedObject, 'position'>, place: number): readonly PlacedObject[] {
    const at = Math.min(place, this.#objects.length);
    const position = this.#positionAt(at);
    if (position === null) return this.#makeRoom(object, at);
    const placed = { ...object, position };
    this.#objects.splice(at, 0, placed);
    return [placed];
  }

  /** Null where the neighbours leave no room. */
  #positionAt(at: number): number | null {
    const before = this.#objects.slice(Math.max(0, at - 1), at).map(({ position }) => position);
    const after = this.#objects.slice(at, at + 1).map(({ position }) => position);
    const near = [...before, null, ...after];
    const numbers = numberInOrder(near);
    const isKept = near.every((old, each) => old === null || old === numbers[each]);
    return isKept ? numbers[before.length]! : null;
  }

  #makeRoom(object: Omit<PlacedObject, 'position'>, at: number): readonly PlacedObject[] {
    const { revision } = object;
    const all = this.#objects.toSpliced(at, 0, { ...object, position: Number.NaN });
    const positions = numberInOrder(
      all.map(({ position }) => (Number.isNaN(position) ? null : position)),
    );
    const moved: PlacedObject[] = [];
    this.#objects = all.map((each, index) => {
      const position = positions[index]!;
      if (each.position === position) return each;
      const fresh = { ...each, position, revision };
      moved.push(fresh);
      return fresh;
    });
    return moved;
  }
}

/**
 * A number for each place, rising; as many as possible stay what they are. Null: there is none yet.
 */
export function numberInOrder(old: readonly (number | null)[]): readonly number[] {
  const kept = longestRising(old);
  const positions: number[] = [];
  let place = 0;
  while (place < old.length) {
    if (kept.has(place)) {
      positions.push(old[place]!);
      place++;
      continue;
    }
    let end = place;
    while (end < old.length && !kept.has(end)) end++;
    const first = positions.at(-1) ?? (end < old.length ? old[end]! - (end - place) - 1 : 0);
    const step = end < old.length ? (old[end]! - first) / (end - place + 1) : 1;
    // Numbers that lie too close have no room between them any more.
    if (step < 1e-6) return old.map((_, each) => each + 1);
    for (let each = 1; each <= end - place; each++) positions.push(first + each * step);
    place = end;
  }
  return positions;
}

/** The places of a longest strictly rising subsequence. */
function longestRising(values: readonly (number | null)[]): ReadonlySet<number> {
  const ends: number[] = [];
  const previous = new Map<number, number>();
  values.forEach((value, place) => {
    if (value === null) return;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[ends[middle]!]! < value) low = middle + 1;
      else high = middle;
    }
    if (low > 0) previous.set(place, ends[low - 1]!);
    ends[low] = place;
  });
  const kept = new Set<number>();
  for (let place = ends.at(-1); place !== undefined; place = previous.get(place)) kept.add(place);
  return kept;
}
