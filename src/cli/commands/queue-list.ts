/** `postern queue list`: what waits, for whom, and why. */
import type { Command } from 'commander';
import { queueRowsDefault, queueRowsMax } from '../../api/contract.ts';
import { Failure } from '../../mail/failure.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { formatJson } from '../json-text.ts';
import type { FilterOptions } from '../queue-filter.ts';
import { toMatchQuery, withFilterOptions } from '../queue-filter.ts';
import { formatQueueRows } from '../queue-rows.ts';

interface Options extends GatewayOptions, FilterOptions {
  readonly limit: number;
  readonly json?: boolean;
}

export function addQueueList(queue: Command, context: CommandContext): void {
  const command = queue
    .command('list')
    .summary('list queued and held messages')
    .description(
      'Lists the deliveries that wait, one row per message and next hop, with the reason of the last attempt below it.',
    )
    .option('--limit <rows>', `rows at most, 1 to ${queueRowsMax}`, readLimit, queueRowsDefault);
  withFilterOptions(command);
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'queue list',
        'queue list --state held --domain contoso.com --json',
      ),
    )
    .action(async (options: Options) => {
      const { limit } = options;
      const client = await connectGateway(context, options);
      const match = toMatchQuery(undefined, options, context.nowMs());
      const list = await client.listQueue({ limit, ...match });
      if (options.json === true) {
        await context.out.print(formatJson({ formatVersion: 1, ...list }));
        return;
      }
      await context.out.print(formatQueueRows(context, list.rows));
      if (list.rows.length === limit) {
        await context.err.print(`${limit} rows shown; --limit shows more\n`);
      }
    });
}

function readLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= queueRowsMax) return limit;
  const message = `--limit: "${text}" is no whole number from 1 to ${queueRowsMax}`;
  throw new Failure('option-wrong', message);
}
