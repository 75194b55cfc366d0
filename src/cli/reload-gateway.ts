/** Has the running gateway take its configuration anew, and tells people what came of it. */
import type { ApiClient } from '../api/client.ts';
import { problemsOfFailure } from '../api/client.ts';
import type { Reloaded, ReloadOrderInput } from '../api/contract.ts';
import type { ConfigCheck } from '../api/contract/config.ts';
import type { ConfigProblemView } from '../api/contract/config-problem.ts';
import { formatProblem } from '../config/problem.ts';
import { Failure } from '../mail/failure.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { CommandContext } from './command-context.ts';
import { exitCode } from './exit-code.ts';

export type ReloadAnswer =
  | ({ readonly kind: 'reloaded' } & Reloaded)
  | { readonly kind: 'refused'; readonly problems: readonly ConfigProblemView[] };

/** Throws Failures, but not for a configuration that is refused. */
export async function reloadGateway(
  client: ApiClient,
  order: ReloadOrderInput = {},
): Promise<ReloadAnswer> {
  try {
    return { kind: 'reloaded', ...(await client.reloadConfig(order)) };
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

/** What a reload would do, for whoever only asks. */
export async function printCheck(context: CommandContext, check: ConfigCheck): Promise<void> {
  if (!isTaken(check)) context.setExitCode(exitCode.config);
  return context.out.print(`${formatProblems(check.problems)}${verdictOf(check)}\n`);
}

/** Whether a reload would put it in force, given a reason where it wants one. */
export function isTaken({ kind }: ConfigCheck): boolean {
  return kind === 'same' || kind === 'differs';
}

function verdictOf({ kind, policyRevision, weaker }: ConfigCheck): string {
  if (kind === 'refused') return 'A reload would refuse it; nothing was changed.';
  if (kind === 'needs-restart') return 'Only a restart puts it in force; nothing was changed.';
  if (kind === 'same') return 'It is what is in force.';
  const taken = `A reload would put it in force, as policy ${policyRevision}`;
  if (weaker.length === 0) return `${taken}; nothing was changed.`;
  const lines = weaker.map((each) => `  ${sanitizePeerText(each)}`).join('\n');
  return `${taken}, and want to know why (--reason), since it asks for less:\n${lines}\nNothing was changed.`;
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
