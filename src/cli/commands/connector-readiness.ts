/** `postern connector readiness`: would the mail of the last days have met a connector's demands. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ReadinessAnswer } from '../../api/contract/readiness.ts';
import {
  connectorNamesOf,
  describeReadiness,
  isReady,
  readinessDays,
  viewsOf,
} from '../../api/contract/readiness.ts';
import { Failure } from '../../mail/failure.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  profileOf,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { findConfigFile } from '../find-gateway.ts';
import { formatJson } from '../json-text.ts';
import { readDays, readRecordedMail } from '../read-recorded-mail.ts';
import type { ConnectorName, Direction } from '../../policy/readiness-summary.ts';
import { ReadinessSummary } from '../../policy/readiness-summary.ts';
import { formatReadiness } from '../readiness-text.ts';

interface Options extends GatewayOptions {
  readonly days: number;
  readonly direction?: Direction;
  readonly organization?: string;
  readonly data?: string;
  readonly json?: boolean;
}

export function addReadiness(connector: Command, context: CommandContext): void {
  const command = connector
    .command('readiness')
    .summary('say whether a connector could be enforced')
    .description(
      'Says how much of the recorded mail of the last days met what a connector demands, and lists the failures. In the modes observe and warn the demands were judged on the real sessions and mail passed all the same; of an enforcing connector its refusals and verdicts count. What was not examined for its trust anchors counts neither way. Where nothing was seen nothing is ready. It reads from the running gateway, or from its data folder where none runs. Exits with 0 if something was seen and all of it met the demands, else with 2.',
    )
    .argument('<name>', 'the connector')
    .option(
      '--days <number>',
      'how far back, 1 to 3650; no further than the trace is kept',
      readDays,
      readinessDays,
    )
    .addOption(
      new Option('--direction <word>', 'where both directions have one of this name').choices([
        'inbound',
        'outbound',
      ]),
    )
    .option('--organization <id>', 'only of this organization')
    .option('--data <folder>', 'read this data folder, whether or not a gateway runs');
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'connector readiness contoso',
        'connector readiness contoso --days 7 --direction inbound --json',
      ),
    )
    .action((name: string, options: Options) => showReadiness(context, name, options));
}

async function showReadiness(
  context: CommandContext,
  name: string,
  options: Options,
): Promise<void> {
  const answer =
    (await askElsewhere(context, name, options)) ?? (await read(context, name, options));
  const text =
    options.json === true
      ? formatJson(answer)
      : formatReadiness(name, answer.results, answer, context.width);
  await context.out.print(text);
  context.setExitCode(answer.results.every(isReady) ? exitCode.ok : exitCode.changes);
}

/** Null where no gateway elsewhere is meant, or it has more to read than its time allows. */
async function askElsewhere(
  context: CommandContext,
  name: string,
  options: Options,
): Promise<ReadinessAnswer | null> {
  const { days, direction, organization, data } = options;
  if (data !== undefined || profileOf(options, context.surroundings) === null) return null;
  const client = await connectGateway(context, options);
  try {
    return await client.readReadiness({ name, days, direction, organization });
  } catch (error) {
    if (error instanceof Failure && error.code === 'api-timeout') return null;
    throw error;
  }
}

/** Page by page, of the gateway that runs or of its data folder. */
async function read(
  context: CommandContext,
  name: string,
  options: Options,
): Promise<ReadinessAnswer> {
  const { days, direction, organization, json = false } = options;
  const summary = new ReadinessSummary(name, direction === undefined ? undefined : [direction]);
  const span = { days, organization, isQuiet: json };
  const configured = await listConnectors(context, options);
  const found = await readRecordedMail(context, options, span, (each) => summary.add(each));
  const views = viewsOf(summary, { name, direction, organization }, configured);
  return describeReadiness({ name, days }, views, found);
}

/** Empty where no configuration can be read here: then only what was recorded has names. */
async function listConnectors(
  context: CommandContext,
  options: Options,
): Promise<readonly ConnectorName[]> {
  if (profileOf(options, context.surroundings) !== null) return [];
  const file = await findConfigFile(options.config, context.surroundings);
  const loaded = file === null ? null : await context.offline.loadInForce(file);
  return loaded?.kind === 'loaded' ? connectorNamesOf(loaded.policy) : [];
}
