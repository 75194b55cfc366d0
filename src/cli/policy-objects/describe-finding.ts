/** What the gateway found about an object, in the words of the spelling. */
import type { ConfigProblem } from '../../config/problem.ts';
import { describeProblem, formatPlace } from '../../config/problem.ts';
import type { Naming } from './compose-value.ts';
import { fieldsOf } from './object-field.ts';
import type { ObjectPlace } from './policy-objects-client.ts';

/**
 * A key of the object itself bears the name that the person knows it by. Errors go on with what the key
 * must be; warnings are sentences of their own.
 */
export function describeFinding(
  problem: ConfigProblem,
  place: ObjectPlace,
  { kind, spelling }: Naming,
): string {
  const { object, key, severity } = problem;
  const first = /^\w+/.exec(key)?.[0] ?? '';
  const isOwn = object?.kind === place.kind && object.name === place.name;
  if (!isOwn || !fieldsOf(kind).some((field) => field.key === first)) {
    return `${formatPlace(problem)}: ${describeProblem(problem)}`;
  }
  const rest = describeProblem({ ...problem, key: '' });
  return `${spelling.nameOf(kind, first)}${severity === 'error' ? '' : ':'} ${rest}`;
}
