/** `postern status`: whether the gateway runs, where it listens, how much waits. */
import type { Command } from 'commander';
import type { StatusView } from '../../api/contract.ts';
import { formatProblem } from '../../config/problem.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { formatSpan } from '../format-span.ts';
import { formatJson } from '../json-text.ts';
import { formatTable } from '../table.ts';

export function addStatus(program: Command, context: CommandContext): void {
  const command = program
    .command('status')
    .summary('show the running gateway')
    .description('Shows the running gateway: version, policy, listeners and how much waits.');
  withJsonOption(withGatewayOptions(command))
    .addHelpText('after', formatExamples(context.offline.commandName, 'status', 'status --json'))
    .action(async (options: GatewayOptions & { readonly json?: boolean }) => {
      const client = await connectGateway(context, options);
      const status = await client.status();
      const text = options.json === true ? formatJson(status) : formatStatus(context, status);
      await context.out.print(text);
    });
}

function formatStatus(context: CommandContext, status: StatusView): string {
  const upMs = context.nowMs() - Date.parse(status.startedAt);
  const { queued, held } = status.queue;
  const lines = [
    `Postern ${status.version} as ${status.hostName}, process ${status.processId}, up ${formatSpan(upMs)}`,
    `configuration ${status.configFile ?? 'embedded default'}, revision ${status.configRevision}, policy ${status.policyRevision}, in force since ${status.configLoadedAt}`,
    ...(status.dataFolder === null ? [] : [`data ${status.dataFolder}`]),
    `${queued} queued, ${held} held`,
  ];
  const columns = [
    { title: 'LISTENER' },
    { title: 'ADDRESS' },
    { title: 'PORT', align: 'right' as const },
    { title: 'TLS' },
  ];
  const rows = status.listeners.map(({ name, address, port, tls }) => ({
    cells: [name, address, String(port), tls],
  }));
  lines.push(...describeRefusal(status.lastRefusedReload));
  lines.push(...status.warnings.map((warning) => `warning: ${warning}`));
  const head = lines.map((line) => `${sanitizePeerText(line)}\n`).join('');
  return `${head}\n${formatTable(columns, rows, context.width)}`;
}

/** Nothing where the file as it is was put in force. */
function describeRefusal(refused: StatusView['lastRefusedReload']): string[] {
  if (refused === null) return [];
  const what = `the reload of ${refused.at} was refused, and this configuration stayed in force:`;
  return [what, ...refused.problems.map((problem) => `  ${formatProblem(problem)}`)];
}
