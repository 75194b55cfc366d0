/** Holds a value against the schema before it is sent, so that mistakes bear the person's own words. */
import type { z } from 'zod';
import { Failure } from '../../mail/failure.ts';
import type { Naming } from './compose-value.ts';
import type { ObjectValue } from './policy-objects-client.ts';

/**
 * Throws `object-wrong` with each mistake on a line. What is between keys and between objects the
 * gateway alone can tell.
 */
export function checkValue(value: ObjectValue, { kind, spelling }: Naming): void {
  const result = kind.schema.safeParse(value);
  if (result.success) return;
  const lines = result.error.issues.flatMap((issue) => explain(issue, { kind, spelling }));
  throw new Failure('object-wrong', [...new Set(lines)].join('\n'));
}

function explain(issue: z.core.$ZodIssue, { kind, spelling }: Naming): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${kind.words}: ${key} is no key of it`);
  }
  const key = issue.path.find((part) => typeof part === 'string');
  const name = key === undefined ? kind.words : spelling.nameOf(kind, key);
  const params = issue.code === 'custom' ? issue.params : undefined;
  const suggestion = params?.['suggestion'] as string | null | undefined;
  const hint =
    suggestion === null || suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  return [`${name} ${issue.message}${hint}`];
}
