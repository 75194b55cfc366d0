/**
 * What was recorded of an outbound connector's last validation holds for the connector as it was: it goes
 * with a change of routing, TLS or names that does not say it anew.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ObjectKind, ObjectValue } from './policy-object.ts';

const recorded = ['isValidated', 'lastValidationTimestamp'] as const;

/** What mail takes the connector for, where it leads and what is demanded there are all the others. */
const words: ReadonlySet<string> = new Set([
  ...recorded,
  'name',
  'comment',
  'owner',
  'reviewDate',
  'connectorSource',
  'enabled',
  'mode',
  'testMode',
  'validationRecipients',
  'validationEvery',
]);

/** `next` is `old` with `patch` applied. */
export function forgetValidation(
  kind: ObjectKind,
  { old, patch, next }: Record<'old' | 'patch' | 'next', ObjectValue>,
): ObjectValue {
  if (kind !== 'outbound-connector' || recorded.some((key) => Object.hasOwn(patch, key))) {
    return next;
  }
  const isSame = [...new Set([...Object.keys(old), ...Object.keys(next)])].every(
    (key) => words.has(key) || isDeepStrictEqual(old[key], next[key]),
  );
  if (isSame) return next;
  const { isValidated: _result, lastValidationTimestamp: _at, ...rest } = next;
  return rest;
}
