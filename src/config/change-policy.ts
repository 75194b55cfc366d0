/**
 * Changes of policy objects, worked out before anything is written: what there will be, in which order,
 * and which versions that takes.
 *
 * Objects of a kind have an order within their organization, kept as numbers with gaps: an object that
 * moves gets a number between its new neighbours, which keep theirs.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ObjectKey, ObjectValue, PolicyObject } from './policy-object.ts';
import { textOfKey } from './policy-object.ts';

/** An object with its number in the order, and the revision that wrote it. */
export interface PlacedObject extends PolicyObject {
  readonly position: number;
  readonly revision: number;
}

/** `value` null removes the object. `place`, from 0 among its like, moves it; null leaves it, or adds it at the end. */
export interface ObjectChange {
  readonly key: ObjectKey;
  readonly value: ObjectValue | null;
  readonly place: number | null;
}

/** A version that the change writes; `value` null for a removal. */
export interface NewVersion {
  readonly key: ObjectKey;
  readonly position: number;
  readonly value: ObjectValue | null;
  readonly setBy?: 'organization';
}

export interface ChangedPolicy {
  readonly objects: readonly PlacedObject[];
  /** Empty where nothing would be different. */
  readonly versions: readonly NewVersion[];
}

/** One after the other. What is removed and not there is nothing; `revision` is that of the change. */
export function changePolicy(
  before: readonly PlacedObject[],
  changes: readonly ObjectChange[],
  revision: number,
): ChangedPolicy {
  const draft = new PolicyDraft(before, revision);
  for (const change of changes) draft.change(change);
  return compared(before, draft.byKey);
}

/** A policy that is being changed, object by object. */
export class PolicyDraft {
  readonly byKey: Map<string, PlacedObject>;
  readonly #revision: number;
  readonly #setBy: SetBy;
  /** The last position of each kind in each organization. */
  readonly #ends = new Map<string, number>();

  /** `setBy`: whose word the changes are. */
  constructor(objects: readonly PlacedObject[], revision: number, setBy: SetBy = {}) {
    this.#setBy = setBy;
    this.byKey = new Map(objects.map((object) => [textOfKey(object), object] as const));
    this.#revision = revision;
    for (const object of objects) this.#extend(object);
  }

  find(key: ObjectKey): PlacedObject | null {
    return this.byKey.get(textOfKey(key)) ?? null;
  }

  /** In their order. */
  objects(): readonly PlacedObject[] {
    return [...this.byKey.values()].sort((a, b) => a.position - b.position);
  }

  change({ key, value, place }: ObjectChange): void {
    const text = textOfKey(key);
    const old = this.byKey.get(text);
    if (value === null) {
      this.byKey.delete(text);
      return;
    }
    const object = {
      ...keyOf(key),
      value,
      revision: this.#revision,
      ...this.#setByOf(old, value),
    };
    if (place !== null) return this.#move(object, place);
    const position = old?.position ?? (this.#ends.get(groupOf(key)) ?? 0) + 1;
    this.#set({ ...object, position });
  }

  /** Where its mail goes is still the word of whoever said it first. */
  #setByOf(old: PlacedObject | undefined, value: ObjectValue): SetBy {
    if (old === undefined) return this.#setBy;
    return isSameWord(old.value, value) ? setByOf(old) : this.#setBy;
  }

  #move(object: Omit<PlacedObject, 'position'>, place: number): void {
    this.byKey.delete(textOfKey(object));
    const alike = likeOf(this.byKey.values(), object);
    const ordered = alike.toSpliced(place, 0, { ...object, position: Number.NaN });
    const positions = numberInOrder(
      ordered.map((each) => (Number.isNaN(each.position) ? null : each.position)),
    );
    ordered.forEach((each, at) => {
      const position = positions[at]!;
      const isMoved = each.position !== position;
      this.#set(isMoved ? { ...each, position, revision: this.#revision } : each);
    });
  }

  #set(object: PlacedObject): void {
    this.byKey.set(textOfKey(object), object);
    this.#extend(object);
  }

  #extend(object: PlacedObject): void {
    const group = groupOf(object);
    this.#ends.set(group, Math.max(this.#ends.get(group) ?? 0, object.position));
  }
}

/** What a file says, with smart hosts that it repeats still the word of whoever said them first. */
export function keepWords(
  written: readonly PolicyObject[],
  known: readonly PolicyObject[],
): readonly PolicyObject[] {
  const marked = new Map(
    known
      .filter(({ setBy }) => setBy !== undefined)
      .map((each) => [textOfKey(each), each] as const),
  );
  if (marked.size === 0) return written;
  return written.map((object) => {
    const old = marked.get(textOfKey(object));
    if (old === undefined || !isSameWord(old.value, object.value)) return object;
    return { ...object, ...setByOf(old) };
  });
}

function isSameWord(old: ObjectValue, value: ObjectValue): boolean {
  return isDeepStrictEqual(old['smartHosts'], value['smartHosts']);
}

function groupOf({ kind, organization }: ObjectKey): string {
  return `${kind} ${organization ?? ''}`;
}

/** Those of the same kind and organization, in order. */
function likeOf(
  objects: Iterable<PlacedObject>,
  { kind, organization }: ObjectKey,
): readonly PlacedObject[] {
  return [...objects]
    .filter((each) => each.kind === kind && each.organization === organization)
    .sort((a, b) => a.position - b.position);
}

/** Makes the policy exactly `wanted`, in its order; what is the same keeps its version. */
export function replacePolicy(
  before: readonly PlacedObject[],
  wanted: readonly PolicyObject[],
  revision: number,
): ChangedPolicy {
  const known = new Map(before.map((object) => [textOfKey(object), object] as const));
  const groups = Map.groupBy(wanted, groupOf);
  const next = new Map<string, PlacedObject>();
  for (const group of groups.values()) {
    const old = group.map((object) => known.get(textOfKey(object))?.position ?? null);
    const positions = numberInOrder(old);
    group.forEach((wish, place) => {
      const { value } = wish;
      const position = positions[place]!;
      const object = { ...keyOf(wish), value, position, revision, ...setByOf(wish) };
      next.set(textOfKey(object), object);
    });
  }
  return compared(before, next);
}

/** Objects that stay as they were keep their version. */
function compared(
  before: readonly PlacedObject[],
  next: ReadonlyMap<string, PlacedObject>,
): ChangedPolicy {
  const versions: NewVersion[] = [];
  const known = new Map(before.map((object) => [textOfKey(object), object] as const));
  for (const [text, old] of known) {
    if (!next.has(text)) versions.push({ key: keyOf(old), position: old.position, value: null });
  }
  const objects = Array.from(next, ([text, object]) => {
    const old = known.get(text);
    if (old?.position === object.position && isDeepStrictEqual(old.value, object.value)) return old;
    const { position, value } = object;
    versions.push({ key: keyOf(object), position, value, ...setByOf(object) });
    return object;
  });
  return { objects: objects.sort((a, b) => a.position - b.position), versions };
}

/** Whose word it is, as it is spread into an object. */
export type SetBy = Pick<PolicyObject, 'setBy'>;

function setByOf({ setBy }: SetBy): SetBy {
  return setBy === undefined ? {} : { setBy };
}

export function keyOf({ kind, organization, name }: ObjectKey): ObjectKey {
  return { kind, organization, name };
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
