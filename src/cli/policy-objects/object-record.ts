/** A policy object as Exchange shows one: every parameter by its name, with the value that acts. Pure. */
import { effectiveValue } from './effective-value.ts';
import { fieldsOf } from './object-field.ts';
import { guidOf } from './object-id.ts';
import type { PolicyKindName } from './policy-kind.ts';
import { policyKinds } from './policy-kind.ts';
import type { ObjectView } from './policy-objects-client.ts';

export type RecordValue = string | number | boolean | null | readonly string[];
export type ObjectRecord = Readonly<Record<string, RecordValue>>;

/** `nameOf` is the name of a key's property. `place` counts from 0, in the order of the list. */
export function toRecord(
  object: ObjectView,
  place: number,
  nameOf: (kind: PolicyKindName, key: string) => string,
): ObjectRecord {
  const { kind, organization, name } = object;
  const record: Record<string, RecordValue> = { Name: name };
  const effective = effectiveValue(object);
  for (const field of fieldsOf(policyKinds[kind])) {
    record[nameOf(kind, field.key)] = toRecordValue(effective[field.key]);
  }
  if (kind === 'rule') {
    record['Priority'] = place;
    record['State'] = effective['enabled'] === false ? 'Disabled' : 'Enabled';
  }
  return {
    ...record,
    Organization: organization,
    Identity: name,
    Guid: guidOf(object),
    // What is in the store has passed every check.
    IsValid: true,
    WhenChangedUTC: object.changedAt,
  };
}

/** Lists are of texts. */
function toRecordValue(value: unknown): RecordValue {
  return Array.isArray(value) ? value.map(String) : (value as RecordValue);
}
