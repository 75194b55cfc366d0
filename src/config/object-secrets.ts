/** Secrets in policy objects: never shown, and kept where somebody writes back what was shown. */
import type { ObjectKind, ObjectValue } from './policy-object.ts';
import { kindOf } from './policy-object.ts';
import { redacted } from './redacted.ts';
import { schemaKeys } from './schema-walk.ts';

function secretKeys(kind: ObjectKind): readonly string[] {
  const { list } = kindOf(kind);
  return schemaKeys
    .filter(({ section, meta }) => meta.isSecret === true && section.endsWith(`${list}[]`))
    .map(({ key }) => key);
}

/** With a placeholder for each secret that is set. */
export function withoutSecrets(kind: ObjectKind, value: ObjectValue): ObjectValue {
  const secrets = secretKeys(kind).filter((key) => (value[key] ?? null) !== null);
  if (secrets.length === 0) return value;
  return { ...value, ...Object.fromEntries(secrets.map((key) => [key, redacted])) };
}

/** Left out, for a value that is given away. */
export function leaveOutSecrets(kind: ObjectKind, value: ObjectValue): ObjectValue {
  const secrets = new Set(secretKeys(kind));
  return Object.fromEntries(Object.entries(value).filter(([key]) => !secrets.has(key)));
}

/** A secret that is left out, or is the placeholder, stays what it is; null takes it away. */
export function keepSecrets(
  kind: ObjectKind,
  value: ObjectValue,
  old: ObjectValue | null,
): ObjectValue {
  const kept = secretKeys(kind).filter(
    (key) => (!Object.hasOwn(value, key) || value[key] === redacted) && old?.[key] !== undefined,
  );
  if (kept.length === 0) return value;
  return { ...value, ...Object.fromEntries(kept.map((key) => [key, old![key]])) };
}
