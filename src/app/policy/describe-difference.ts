/** What is different between two states of the policy, key by key, without secrets. */
import { isDeepStrictEqual } from 'node:util';
import type { ObjectDifference } from '../../api/contract/policy-objects.ts';
import type { PlacedObject } from '../../config/change-policy.ts';
import { keyOf } from '../../config/change-policy.ts';
import type { ObjectKey, ObjectValue } from '../../config/policy-object.ts';
import { textOfKey } from '../../config/policy-object.ts';
import { withoutSecrets } from '../../config/object-secrets.ts';

interface Version {
  readonly position: number;
  readonly value: ObjectValue;
}

/** Null where the object is in one of the two only. */
export function describeDifference(
  key: ObjectKey,
  before: Version | null,
  after: Version | null,
): ObjectDifference {
  const object = { kind: key.kind, organization: key.organization, name: key.name };
  const old = before?.value ?? {};
  const next = after?.value ?? {};
  const names = [...new Set([...Object.keys(old), ...Object.keys(next)])];
  const shownOld = withoutSecrets(key.kind, old);
  const shownNext = withoutSecrets(key.kind, next);
  const keys = names
    .filter((name) => !isDeepStrictEqual(old[name], next[name]))
    .map((name) => ({
      key: name,
      ...(Object.hasOwn(old, name) ? { before: shownOld[name] } : {}),
      ...(Object.hasOwn(next, name) ? { after: shownNext[name] } : {}),
    }));
  if (before === null) return { object, kind: 'added', keys };
  if (after === null) return { object, kind: 'removed', keys };
  return { object, kind: keys.length === 0 ? 'moved' : 'changed', keys };
}

/** All that differs between two states, in the order of the later one; removals first. */
export function compareStates(
  before: readonly PlacedObject[],
  after: readonly PlacedObject[],
): readonly ObjectDifference[] {
  const old = new Map(before.map((object) => [textOfKey(object), object] as const));
  const next = new Set(after.map(textOfKey));
  const removed = before
    .filter((object) => !next.has(textOfKey(object)))
    .map((object) => describeDifference(keyOf(object), object, null));
  const others = after.flatMap((object) => {
    const was = old.get(textOfKey(object)) ?? null;
    if (was?.position === object.position && isDeepStrictEqual(was.value, object.value)) return [];
    return [describeDifference(keyOf(object), was, object)];
  });
  return [...removed, ...others];
}
