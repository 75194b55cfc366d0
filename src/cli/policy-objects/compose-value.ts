/** The value of an object after a change, and the merge patch that makes it. Pure. */
import { findNearest } from '../../config/nearest.ts';
import { Failure } from '../../mail/failure.ts';
import type { FieldChange, FieldChanges } from './object-order.ts';
import type { PolicyKind } from './policy-kind.ts';
import type { ObjectValue } from './policy-objects-client.ts';
import type { Spelling } from './spelling.ts';

/** `patch` has null where a key goes away, and only what really changes. */
export interface Composed {
  readonly value: ObjectValue;
  readonly patch: ObjectValue;
}

/** Whose field it is, for sentences. */
export interface Naming {
  readonly kind: PolicyKind;
  readonly spelling: Spelling;
}

/** Throws `option-wrong` where an entry that is to be taken away is not there. */
export function composeValue(before: ObjectValue, fields: FieldChanges, naming: Naming): Composed {
  const value: Record<string, unknown> = { ...before };
  const patch: Record<string, unknown> = {};
  for (const [key, change] of fields) {
    const next = applyChange(before[key], change, naming.spelling.nameOf(naming.kind, key));
    if (next === undefined) {
      if (Object.hasOwn(before, key)) patch[key] = null;
      delete value[key];
    } else if (!isSame(before[key], next)) {
      patch[key] = next;
      value[key] = next;
    }
  }
  return { value, patch };
}

/** Undefined where the key goes away. */
function applyChange(before: unknown, change: FieldChange, name: string): unknown {
  if (change.kind === 'unset') return undefined;
  if (change.kind === 'set') return change.value;
  const entries = listOf(before);
  const kept = change.remove.reduce((rest, entry) => without(rest, entry, name), entries);
  const added = change.add.filter((entry) => !kept.some((each) => isEqualEntry(each, entry)));
  const next = [...kept, ...new Set(added)];
  return next.length === 0 ? undefined : next;
}

function without(entries: readonly string[], entry: string, name: string): readonly string[] {
  const rest = entries.filter((each) => !isEqualEntry(each, entry));
  if (rest.length < entries.length) return rest;
  const nearest = findNearest(entry, entries);
  const there =
    entries.length === 0 ? 'it is empty' : `it holds ${entries.slice(0, 10).join(', ')}`;
  const hint = nearest === null ? there : `did you mean ${nearest}?`;
  throw new Failure('option-wrong', `${name}: ${JSON.stringify(entry)} is not in it; ${hint}`);
}

/** One value where several may stand is a list of one. */
function listOf(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]).map(String);
}

function isEqualEntry(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** One value and a list of it alone say the same. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === undefined) return false;
  const [left, right] = [a, b].map((each) => (Array.isArray(each) ? each : [each]));
  return JSON.stringify(left) === JSON.stringify(right);
}
