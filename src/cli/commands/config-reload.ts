/** `postern config reload`: the running gateway takes its configuration anew, or says why not. */
import type { Command } from 'commander';
import type { ConfigProblemView, Reloaded } from '../../api/contract.ts';
import { problemsOfFailure } from '../../api/client.ts';
import { formatProblem } from '../../config/problem.ts';
import { Failure } from '../../mail/failure.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { formatJson } from '../json-text.ts';

export function addConfigReload(config: Command, context: CommandContext): void {
  const command = config
    .command('reload')
    .summary('put the configuration in force without a restart')
    .description(
      'The running gateway reads its configuration and every file that it names again, checks all of it, and puts it in force on every lane at once. Sessions go on; a transaction keeps the policy that it began with. With any mistake nothing changes: it prints them all and exits with 78. SIGHUP does the same.',
    );
  withJsonOption(withGatewayOptions(command))
    .addHelpText('after', formatExamples(context.offline.commandName, 'config reload'))
    .action(async (options: GatewayOptions & { readonly json?: boolean }) => {
      const client = await connectGateway(context, options);
      const isJson = options.json === true;
      try {
        const view = await client.reloadConfig();
        await context.out.print(isJson ? toJson({ kind: 'reloaded', ...view }) : toText(view));
      } catch (error) {
        const problems = error instanceof Failure ? problemsOfFailure(error) : [];
        if (problems.length === 0) throw error;
        context.setExitCode(exitCode.config);
        if (isJson) await context.out.print(toJson({ kind: 'refused', problems }));
        else await context.err.print(refusalText(problems));
      }
    });
}

function toJson(value: object): string {
  return formatJson({ formatVersion: 1, ...value });
}

function toText({ configRevision, policyRevision, tookMs, warnings }: Reloaded): string {
  const done = `In force on every lane after ${tookMs} ms: configuration ${configRevision}, policy ${policyRevision}.\n`;
  return `${formatProblems(warnings)}${sanitizePeerText(done.trimEnd())}\n`;
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
