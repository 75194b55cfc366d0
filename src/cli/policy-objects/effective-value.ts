/** What acts in a policy object: its value, and where a key is left out what that means. Pure. */
import { fieldsOf } from './object-field.ts';
import { policyKinds } from './policy-kind.ts';
import type { ObjectValue, ObjectView } from './policy-objects-client.ts';

/** Every key of the schema; null where a key is left out and nothing stands in its place. */
export function effectiveValue({ kind, value }: Pick<ObjectView, 'kind' | 'value'>): ObjectValue {
  const entries = fieldsOf(policyKinds[kind]).map(({ key, takes, fallbackValue }) => {
    const given = value[key];
    const isGiven = given !== undefined && given !== null;
    if (takes === 'list') return [key, isGiven ? [given].flat() : (fallbackValue ?? [])] as const;
    return [key, isGiven ? given : (fallbackValue ?? impliedBy(key, value))] as const;
  });
  return Object.fromEntries(entries);
}

/** Keys whose default lies in other keys. */
function impliedBy(key: string, value: ObjectValue): unknown {
  if (key === 'useMXRecord') return [value['smartHosts'] ?? []].flat().length === 0;
  if (key === 'testMode') return value['mode'] === 'observe';
  return null;
}
