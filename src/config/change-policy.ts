/**
 * Changes of policy objects, worked out before anything is written: what there will be, in which order,
 * and which versions that takes.
 *
 * Objects of a kind have an order within their organization, kept as numbers with gaps: an object that
 * moves gets a number between its new neighbours, which keep theirs.
 */
import { isDeepStrictEqual } from 'node:util';
import { numberInOrder, ObjectOrder } from './object-order.ts';
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
  /** Of kinds in organizations in which something was moved. */
  readonly #orders = new Map<string, ObjectOrder>();

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
      this.#orders.get(groupOf(key))?.takeOut(old);
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
    const fresh = { ...object, position };
    this.#orders.get(groupOf(key))?.put(old, fresh);
    this.#set(fresh);
  }

  /** Where its mail goes is still the word of whoever said it first. */
  #setByOf(old: PlacedObject | undefined, value: ObjectValue): SetBy {
    if (old === undefined) return this.#setBy;
    return isSameWord(old.value, value) ? setByOf(old) : this.#setBy;
  }

  #move(object: Omit<PlacedObject, 'position'>, place: number): void {
    const text = textOfKey(object);
    const order = this.#orderOf(object);
    order.takeOut(this.byKey.get(text));
    this.byKey.delete(text);
    for (const each of order.insert(object, place)) this.#set(each);
  }

  /** Sorted once, and kept from then on: thousands of objects may be moved at one go. */
  #orderOf(key: ObjectKey): ObjectOrder {
    const group = groupOf(key);
    const known = this.#orders.get(group);
    if (known !== undefined) return known;
    const order = new ObjectOrder(likeOf(this.byKey.values(), key));
    this.#orders.set(group, order);
    return order;
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
