/** Why the gateway refused a change, in the words of the spelling. */
import { problemsOfFailure, weakerOfFailure } from '../../api/client.ts';
import type { ConfigProblem } from '../../config/problem.ts';
import { describeProblem, formatPlace } from '../../config/problem.ts';
import { Failure } from '../../mail/failure.ts';
import type { Naming } from './compose-value.ts';
import { fieldsOf } from './object-field.ts';
import type { ObjectPlace } from './policy-objects-client.ts';

/** The same failure with everything that is wrong, each on a line; any other error as it is. */
export function explainRefusal(error: unknown, place: ObjectPlace, naming: Naming): unknown {
  if (!(error instanceof Failure)) return error;
  const weaker = weakerOfFailure(error);
  if (weaker.length > 0) {
    const head = `it asks for less than what is in force; say why with ${naming.spelling.reason}:`;
    return retold(error, [head, ...weaker.map((each) => `  ${each}`)]);
  }
  const problems = problemsOfFailure(error).filter(({ severity }) => severity === 'error');
  if (problems.length === 0) return error;
  return retold(
    error,
    problems.map((problem) => describeFinding(problem, place, naming)),
  );
}

function retold({ code, wireText, cause }: Failure, lines: readonly string[]): Failure {
  return new Failure(code, lines.join('\n'), { wireText, cause });
}

/** A key of the object itself bears the name that the person knows it by. */
export function describeFinding(
  problem: ConfigProblem,
  place: ObjectPlace,
  { kind, spelling }: Naming,
): string {
  const { object, key } = problem;
  const first = /^\w+/.exec(key)?.[0] ?? '';
  const isOwn = object?.kind === place.kind && object.name === place.name;
  if (!isOwn || !fieldsOf(kind).some((field) => field.key === first)) {
    return `${formatPlace(problem)}: ${describeProblem(problem)}`;
  }
  const rest = describeProblem({ ...problem, key: '' });
  return `${spelling.nameOf(kind, first)} ${rest}`;
}
