/** `postern connector readiness`: would the mail of the last days have met a connector's demands. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { findNearest } from '../../config/nearest.ts';
import { Failure } from '../../mail/failure.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import { formatExamples, withGatewayOptions, withJsonOption } from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { findConfigFile } from '../find-gateway.ts';
import { formatJson } from '../json-text.ts';
import type { ReadSoFar } from '../read-recorded-mail.ts';
import { readDays, readRecordedMail } from '../read-recorded-mail.ts';
import type { ConnectorName, Direction, ReadinessView } from '../readiness-summary.ts';
import { ReadinessSummary } from '../readiness-summary.ts';
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
      30,
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
  const { days, direction, organization, json = false } = options;
  const summary = new ReadinessSummary(name, direction === undefined ? undefined : [direction]);
  const span = { days, organization, isQuiet: json };
  const configured = await listConnectors(context, options);
  const read = await readRecordedMail(context, options, span, (each) => summary.add(each));
  const isMeant = (each: ConnectorName): boolean =>
    (direction === undefined || each.direction === direction) &&
    (organization === undefined || each.organization === organization);
  const named = configured.filter((each) => each.name === name && isMeant(each));
  const views = summary.view(named);
  if (views.length === 0) throw unknown(name, [...configured.filter(isMeant), ...summary.others()]);
  const text = json
    ? toJson(name, views, { ...read, days })
    : formatReadiness(name, views, { ...read, days }, context.width);
  await context.out.print(text);
  const isReady = views.every(({ met, unmet }) => met > 0 && unmet === 0);
  context.setExitCode(isReady ? exitCode.ok : exitCode.changes);
}

/** Empty where no configuration can be read: then only what was recorded has names. */
async function listConnectors(context: CommandContext, options: Options): Promise<ConnectorName[]> {
  const file = await findConfigFile(options.config, context.surroundings);
  const loaded = file === null ? null : await context.offline.loadInForce(file);
  if (loaded?.kind !== 'loaded') return [];
  return loaded.policy.organizations.flatMap(({ id, inboundConnectors, outboundConnectors }) => [
    ...inboundConnectors.map(({ name }) => nameOf(name, 'inbound', id)),
    ...outboundConnectors.map(({ name }) => nameOf(name, 'outbound', id)),
  ]);
}

function nameOf(name: string, direction: Direction, organization: string): ConnectorName {
  return { name, direction, organization };
}

function unknown(name: string, known: readonly { readonly name: string }[]): Failure {
  const nearest = findNearest(
    name,
    known.map((each) => each.name),
  );
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  return new Failure('connector-unknown', `there is no connector ${name}${hint}`);
}

function toJson(
  name: string,
  views: readonly ReadinessView[],
  { days, since, oldestAt }: ReadSoFar & { readonly days: number },
): string {
  const results = views.map((view) => ({ ...view, isReady: view.met > 0 && view.unmet === 0 }));
  return formatJson({ formatVersion: 1, name, days, since, oldestAt, results });
}
