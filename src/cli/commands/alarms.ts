/** `postern alarms`: what is wrong now. */
import type { Command } from 'commander';
import type { AlarmListView } from '../../api/contract/validation.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { formatJson } from '../json-text.ts';
import { formatTable } from '../table.ts';

type Options = GatewayOptions & { readonly organization?: string; readonly json?: boolean };

export function addAlarms(program: Command, context: CommandContext): void {
  const command = program
    .command('alarms')
    .summary('show what is wrong now')
    .description(
      'Shows the alarms that are open, oldest first, with what to do. An alarm ends by itself when what it is about is well again. Exits with 2 while any is open.',
    )
    .option('--organization <id>', 'only of this organization');
  withJsonOption(withGatewayOptions(command))
    .addHelpText('after', formatExamples(context.offline.commandName, 'alarms', 'alarms --json'))
    .action(async ({ organization, json = false, ...options }: Options) => {
      const client = await connectGateway(context, options);
      const list = await client.listAlarms(organization === undefined ? {} : { organization });
      await context.out.print(json ? formatJson(list) : formatAlarms(context, list));
      if (list.alarms.length > 0) context.setExitCode(exitCode.changes);
    });
}

function formatAlarms(context: CommandContext, { alarms }: AlarmListView): string {
  if (alarms.length === 0) return 'no alarm is open\n';
  const columns = [
    { title: 'SINCE' },
    { title: 'ORGANIZATION', mayShrink: true },
    { title: 'OBJECT', mayShrink: true },
    { title: 'ALARM' },
  ];
  const rows = alarms.map(({ since, organization, object, code, text, whatToDo }) => ({
    cells: [since, organization, object, code],
    note: `${text}. To do: ${whatToDo}`,
  }));
  return formatTable(columns, rows, context.width);
}
