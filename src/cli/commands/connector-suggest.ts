/** `postern connector suggest`: connectors that all recorded mail of a domain would have met, as drafts. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { SuggestQuery } from '../../api/contract/suggestions.ts';
import { describeSuggestions, optionsOf, suggestDefaults } from '../../api/contract/suggestions.ts';
import { formatDrafts } from '../../config/draft-connector.ts';
import { Failure } from '../../mail/failure.ts';
import { SuggestionSearch } from '../../policy/suggestions/suggest.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import { formatExamples, withGatewayOptions, withJsonOption } from '../command-context.ts';
import { formatJson } from '../json-text.ts';
import { readPolicyInForce } from '../policy-in-force.ts';
import { readDays, readRecordedMail } from '../read-recorded-mail.ts';
import { formatSuggestions } from '../suggestion-text.ts';

interface Options extends GatewayOptions {
  readonly days: number;
  readonly direction: SuggestQuery['direction'];
  readonly organization?: string;
  readonly minMessages: number;
  readonly minDays: number;
  readonly data?: string;
  readonly json?: boolean;
  readonly yaml?: boolean;
}

export function addSuggest(connector: Command, context: CommandContext): void {
  const command = connector
    .command('suggest')
    .summary('find domains whose mail always had validated TLS')
    .description(
      'Looks through the recorded mail of the last days for domains whose mail always had validated TLS, and prints a connector for each as a draft, with the evidence. Outbound: every server that was tried had a certificate of a trusted CA and of its own name, and nothing went in clear. Inbound: every session showed a client certificate whose chain and name hold, which can be known only where the gateway asked for one. A draft demands what all of that mail met: enforced over the same records it would have stopped nothing. It watches only (mode observe). Domains that nearly qualify are listed with what is missing; those that a connector covers already are left out. What the record does not tell counts against a domain. It reads from the running gateway, or from its data folder where none runs. Nothing changes.',
    )
    .option(
      '--days <number>',
      'how far back, 1 to 3650; no further than the trace is kept',
      readDays,
      suggestDefaults.days,
    )
    .option('--organization <id>', 'only the mail of this organization')
    .option(
      '--min-messages <number>',
      'how many messages of a domain there must be',
      readNumber('--min-messages', 1_000_000),
      suggestDefaults.minMessages,
    )
    .option(
      '--min-days <number>',
      'on how many different days',
      readNumber('--min-days', 3650),
      suggestDefaults.minDays,
    )
    .addOption(
      new Option('--direction <word>', 'which connectors')
        .choices(['outbound', 'inbound', 'both'])
        .default('both'),
    )
    .addOption(
      new Option('--yaml', 'print the drafts as they stand in a configuration').conflicts('json'),
    )
    .option('--data <folder>', 'read this data folder, whether or not a gateway runs');
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'connector suggest',
        'connector suggest --direction outbound --min-messages 50 --days 90',
        'connector suggest --yaml > drafts.yaml',
      ),
    )
    .action((options: Options) => suggest(context, options));
}

async function suggest(context: CommandContext, options: Options): Promise<void> {
  const { days, organization, json = false, yaml = false, minMessages, minDays } = options;
  const policy = await readPolicyInForce(context, options);
  const search = new SuggestionSearch(policy, optionsOf(options));
  const span = { days, organization, isQuiet: json || yaml };
  const read = await readRecordedMail(context, options, span, (each) => search.add(each));
  const found = search.result();
  const { since, oldestAt, messages } = read;
  const policyRevision = policy?.revision ?? null;
  const from = { policyRevision, since, oldestAt, messages, minMessages, minDays };
  const view = describeSuggestions(found, from);
  if (json) await context.out.print(formatJson(view));
  else if (yaml) await context.out.print(formatDrafts(found.suggestions) ?? noDrafts);
  else {
    const nowMs = context.nowMs();
    await context.out.print(formatSuggestions(view, { days, nowMs }, context.width));
  }
}

const noDrafts = '# no domain is ready: postern connector suggest says which nearly are\n{}\n';

function readNumber(name: string, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (Number.isInteger(number) && number >= 1 && number <= max) return number;
    throw new Failure('option-wrong', `${name}: "${text}" is no whole number from 1 to ${max}`);
  };
}
