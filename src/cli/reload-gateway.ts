/** Has the running gateway take its configuration anew, and tells people what came of it. */
import type { ApiClient } from '../api/client.ts';
import { problemsOfFailure } from '../api/client.ts';
import type { ConfigProblemView, Reloaded } from '../api/contract.ts';
import { formatProblem } from '../config/problem.ts';
import { Failure } from '../mail/failure.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { CommandContext } from './command-context.ts';
import { exitCode } from './exit-code.ts';

export type ReloadAnswer =
  | ({ readonly kind: 'reloaded' } & Reloaded)
  | { readonly kind: 'refused'; readonly problems: readonly ConfigProblemView[] };

/** Throws Failures, but not for a configuration that is refused. */
export async function reloadGateway(client: ApiClient, reason?: string): Promise<ReloadAnswer> {
  try {
    return { kind: 'reloaded', ...(await client.reloadConfig(reason)) };
  } catch (error) {
    const problems = error instanceof Failure ? problemsOfFailure(error) : [];
    if (problems.length === 0) throw error;
    return { kind: 'refused', problems };
  }
}

/** What was refused goes to standard error, and the command ends with 78. */
export async function printReload(context: CommandContext, answer: ReloadAnswer): Promise<void> {
  if (answer.kind === 'reloaded') return context.out.print(toText(answer));
  context.setExitCode(exitCode.config);
  return context.err.print(refusalText(answer.problems));
}

function toText({ configRevision, policyRevision, tookMs, warnings }: Reloaded): string {
  const done = `In force on every lane after ${tookMs} ms: configuration ${configRevision}, policy ${policyRevision}.`;
  return `${formatProblems(warnings)}${sanitizePeerText(done)}\n`;
}

function refusalText(problems: readonly ConfigProblemView[]): string {
  const errors = problems.filter((problem) => problem.severity === 'error').length;
  const count = errors === 1 ? '1 problem' : `${errors} problems`;
  const last = `postern: refused, ${count}; the last good configuration stays in force\n`;
  return `${formatProblems(problems)}${last}`;
}

/** As `config check` prints them. */
function formatProblems(problems: readonly ConfigProblemView[]): string {
  return problems.map((problem) => `${sanitizePeerText(formatProblem(problem))}\n`).join('');
}
