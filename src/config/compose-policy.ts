/** The static part of a file and the objects of the policy as one value, as it would stand in one file. */
import type { KindOfObject, ObjectKey, ObjectValue, PolicyObject } from './policy-object.ts';
import { kindsInOrganization, kindsOfGateway } from './policy-object.ts';
import type { Path } from './problem.ts';
import { policyKeys } from './split-policy.ts';

export interface Composed {
  readonly value: ObjectValue;
  /** The object that a path leads into, and how many parts of the path lead to it; null for none. */
  readonly objectAt: (path: Path) => { readonly object: ObjectKey; readonly depth: number } | null;
}

/** `objects` in the order that they shall stand in; what the file says of the policy is left out. */
export function composePolicy(file: ObjectValue, objects: readonly PolicyObject[]): Composed {
  const fixed = Object.entries(file).filter(([key]) => !policyKeys.includes(key));
  const places = noPlaces();
  const lists = kindsOfGateway.map((kind) => listOf(objects, kind, null, places));
  const value = { ...Object.fromEntries(fixed), ...Object.assign({}, ...lists) } as ObjectValue;
  return { value, objectAt: (path) => findObject(places, path) };
}

/** Its entries with what is in them, and where each came to stand. */
function listOf(
  objects: readonly PolicyObject[],
  { kind, list, namedBy }: KindOfObject,
  organization: string | null,
  places: Record<string, unknown>,
): ObjectValue {
  const entries = objects.filter(
    (each) => each.kind === kind && each.organization === organization,
  );
  if (entries.length === 0 && kind !== 'organization') return {};
  const inner = noPlaces();
  places[list] = inner;
  const values = entries.map(({ name, value }, place) => {
    const here = noPlaces();
    inner[namedBy === null ? name : place] = { object: { kind, organization, name }, inner: here };
    if (kind !== 'organization') return [name, value] as const;
    const held = objects.filter((each) => each.organization === name);
    const lists = kindsInOrganization.map((each) => listOf(held, each, name, here));
    return [name, Object.assign({}, value, ...lists) as ObjectValue] as const;
  });
  const written = namedBy === null ? Object.fromEntries(values) : values.map(([, value]) => value);
  return { [list]: written };
}

/** Without a prototype: a name may be any word. */
function noPlaces(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}

type Found = { readonly object: ObjectKey; readonly inner: Record<string, unknown> };

function findObject(places: Record<string, unknown>, path: Path): ReturnType<Composed['objectAt']> {
  let level = places;
  let found: ReturnType<Composed['objectAt']> = null;
  for (let depth = 0; depth + 1 < path.length; depth += 2) {
    const list = level[path[depth]!] as Record<string, unknown> | undefined;
    const entry = list?.[path[depth + 1]!] as Found | undefined;
    if (entry === undefined) break;
    found = { object: entry.object, depth: depth + 2 };
    level = entry.inner;
  }
  return found;
}
