/** A policy object as Exchange shows one: every parameter by its name, with the value that acts. Pure. */
import type { ObjectField } from './object-field.ts';
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
  for (const field of fieldsOf(policyKinds[kind])) {
    record[nameOf(kind, field.key)] = valueOf(object, field);
  }
  if (kind === 'rule') {
    record['Priority'] = place;
    record['State'] = object.effective['enabled'] === false ? 'Disabled' : 'Enabled';
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

/** What is told apart by its absence in a file is told here as it acts. */
function valueOf({ effective }: ObjectView, field: ObjectField): RecordValue {
  const value = effective[field.key];
  if (value !== undefined && value !== null) {
    const isMany = field.takes === 'list' || Array.isArray(value);
    return isMany ? [value].flat().map(String) : (value as RecordValue);
  }
  if (field.takes === 'list') return [];
  if (field.key === 'useMXRecord')
    return effective['smartHosts'] === undefined || isEmpty(effective['smartHosts']);
  if (field.key === 'testMode') return effective['mode'] === 'observe';
  return null;
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
