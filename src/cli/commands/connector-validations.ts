/** `postern connector validations`: what earlier validations of a connector came to. */
import type { Command } from 'commander';
import type { ValidationListView } from '../../api/contract/validation.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { findOutboundConnector } from '../find-outbound-connector.ts';
import { formatJson } from '../json-text.ts';
import { formatTable } from '../table.ts';
import { formatOutcome, formatStep, formatTranscripts } from '../validation-text.ts';

interface Options extends GatewayOptions {
  readonly organization?: string;
  readonly run?: string;
  readonly transcript?: boolean;
  readonly json?: boolean;
}

/** One page is all that is kept. */
const runsShown = 50;

export function addConnectorValidations(connector: Command, context: CommandContext): void {
  const command = connector
    .command('validations')
    .summary('show earlier validations of an outbound connector')
    .description(
      'Shows whether an outbound connector is validated as it is in force, and the newest runs, or one of them whole. A change of its routing, TLS or names clears what was validated before.',
    )
    .argument('<name>', 'the connector')
    .option('--organization <id>', 'whose it is, where several have one of this name')
    .option('--run <id>', 'show this run, step by step')
    .option('--transcript', 'with --run: also what was said on each connection');
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(context.offline.commandName, 'connector validations contoso'),
    )
    .action((name: string, options: Options) => show(context, name, options));
}

async function show(context: CommandContext, name: string, options: Options): Promise<void> {
  const client = await connectGateway(context, options);
  const { organization = null, run: id, json = false, transcript = false } = options;
  const of = await findOutboundConnector(client, name, { organization, isDraft: false });
  if (id === undefined) {
    const list = await client.listValidations(of, { limit: runsShown });
    await context.out.print(json ? formatJson(list) : formatList(context, list));
    return;
  }
  const run = await client.readValidation(of, id);
  if (json) return context.out.print(formatJson(run));
  const said = transcript ? `\n${formatTranscripts(run.transcripts)}` : '';
  const steps = run.steps.map(formatStep).join('');
  await context.out.print(`${steps}\n${formatOutcome(run, context.width)}${said}`);
}

function formatList(context: CommandContext, list: ValidationListView): string {
  const { connector, isValidated, lastValidationTimestamp: at, runs } = list;
  const when = at === null ? 'never, as it is now' : `last at ${at}`;
  const head = `${connector}: ${isValidated ? 'validated' : 'NOT VALIDATED'}, ${when}`;
  const columns = [
    { title: 'STARTED' },
    { title: 'RESULT' },
    { title: 'UP TO' },
    { title: 'BY', mayShrink: true },
    { title: 'DRAFT' },
    { title: 'RUN' },
  ];
  const rows = runs.map((run) => ({
    cells: [
      run.startedAt,
      run.result,
      run.scope === 'connection' ? 'TLS' : run.scope === 'recipients' ? 'RCPT' : 'message',
      run.orderedBy,
      run.isDraft ? 'yes' : 'no',
      run.id,
    ],
    note: run.result === 'succeeded' ? '' : run.summary,
  }));
  const table = runs.length === 0 ? '' : `\n${formatTable(columns, rows, context.width)}`;
  return `${sanitizePeerText(head)}\n${table}`;
}
