/** Changes a JSON value by another that names only what differs. @see RFC 7396 §2 */
import type { ObjectValue } from './policy-object.ts';

/** Null in the patch removes a key; mappings are merged, everything else is replaced. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMapping(patch)) return patch;
  const result = new Map(Object.entries(isMapping(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, mergePatch(result.get(key), value));
  }
  return Object.fromEntries(result);
}

function isMapping(value: unknown): value is ObjectValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
