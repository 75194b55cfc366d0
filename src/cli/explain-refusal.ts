/** Why the gateway refused a change of its policy, for the command that asked for it. */
import { problemsOfFailure, weakerOfFailure } from '../api/client.ts';
import type { ConfigProblem } from '../config/problem.ts';
import { formatProblem } from '../config/problem.ts';
import { Failure } from '../mail/failure.ts';

/** `reason` is how a reason is given; `describe` says a problem where the person finds it. */
export interface RefusalWords {
  readonly reason: string;
  readonly describe?: (problem: ConfigProblem) => string;
}

/** The same failure with everything that is wrong, each on a line; any other error as it is. */
export function explainRefusal(
  error: unknown,
  { reason, describe = formatProblem }: RefusalWords,
): unknown {
  if (!(error instanceof Failure)) return error;
  const weaker = weakerOfFailure(error);
  const problems = problemsOfFailure(error).filter(({ severity }) => severity === 'error');
  const lines =
    weaker.length > 0
      ? [
          `it asks for less than what is in force; say why with ${reason}:`,
          ...weaker.map((each) => `  ${each}`),
        ]
      : problems.map((problem) => describe(problem));
  if (lines.length === 0) return error;
  const { code, wireText, cause } = error;
  return new Failure(code, lines.join('\n'), { wireText, cause });
}
