/** What a file says of the policy, taken apart into objects; the inverse of `compose-policy.ts`. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../standards/canonical-json/canonical-json.ts';
import type { KindOfObject, ObjectValue, PolicyObject } from './policy-object.ts';
import { canonicalName, kindsInOrganization, kindsOfGateway } from './policy-object.ts';

/** The keys of a file that are policy; everything else is static. */
export const policyKeys: readonly string[] = kindsOfGateway.map(({ list }) => list);

/**
 * The objects in the order of the file. `raw` is a whole file, or its `policyKeys` alone, that passed the
 * schema.
 */
export function splitPolicy(raw: ObjectValue): readonly PolicyObject[] {
  const written = Object.fromEntries(policyKeys.map((key) => [key, raw[key]]));
  // Plain JSON, as it is kept: mappings of a YAML file have no prototype, and so equal nothing else.
  const plain = JSON.parse(JSON.stringify(written)) as ObjectValue;
  return kindsOfGateway.flatMap((kind) => entriesOf(plain, kind).flatMap(splitEntry));
}

function splitEntry(object: PolicyObject): readonly PolicyObject[] {
  if (object.kind !== 'organization') return [object];
  const lists = new Set(kindsInOrganization.map(({ list }) => list));
  const own = Object.entries(object.value).filter(([key]) => !lists.has(key));
  const inside = kindsInOrganization.flatMap((kind) => entriesOf(object.value, kind, object.name));
  return [{ ...object, value: Object.fromEntries(own) }, ...inside];
}

function entriesOf(
  holder: ObjectValue,
  { kind, list, namedBy }: KindOfObject,
  organization: string | null = null,
): PolicyObject[] {
  const written = holder[list] ?? null;
  if (written === null) return [];
  const entries =
    namedBy === null
      ? Object.entries(written as Record<string, ObjectValue>)
      : (written as readonly ObjectValue[]).map(
          (value) => [String(value[namedBy]), value] as const,
        );
  return entries.map(([name, value]) => ({
    kind,
    organization,
    name: canonicalName(kind, name),
    value,
  }));
}

/** SHA-256, hex, of what a file says of the policy; null where it says nothing. */
export function digestOfPolicy(raw: ObjectValue): string | null {
  const written = Object.entries(raw).filter(([key]) => policyKeys.includes(key));
  if (written.length === 0) return null;
  return createHash('sha256')
    .update(canonicalJson(Object.fromEntries(written)))
    .digest('hex');
}
