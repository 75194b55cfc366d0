/** `postern queue list`: what waits, for whom, and why. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { QueueRowView } from '../../api/contract.ts';
import { queueRowsDefault, queueRowsMax } from '../../api/contract.ts';
import { parseDomain } from '../../mail/domain.ts';
import { Failure } from '../../mail/failure.ts';
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

interface Options extends GatewayOptions {
  readonly state?: 'queued' | 'held';
  readonly domain?: string;
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
    .addOption(new Option('--state <state>', 'only these').choices(['queued', 'held']))
    .option('--domain <domain>', 'only with recipients in this domain', readDomain)
    .option('--limit <rows>', `rows at most, 1 to ${queueRowsMax}`, readLimit, queueRowsDefault);
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
      const { state, domain, limit } = options;
      const client = await connectGateway(context, options);
      const list = await client.listQueue({
        limit,
        ...(state === undefined ? {} : { state }),
        ...(domain === undefined ? {} : { domain }),
      });
      if (options.json === true) {
        await context.out.print(formatJson({ formatVersion: 1, ...list }));
        return;
      }
      await context.out.print(formatRows(context, list.rows));
      if (list.rows.length === limit) {
        await context.err.print(`${limit} rows shown; --limit shows more\n`);
      }
    });
}

function readDomain(text: string): string {
  const domain = parseDomain(text);
  if (domain !== null) return domain;
  throw new Failure('option-wrong', `--domain: "${text}" is not a domain name`);
}

function readLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= queueRowsMax) return limit;
  const message = `--limit: "${text}" is no whole number from 1 to ${queueRowsMax}`;
  throw new Failure('option-wrong', message);
}

function formatRows(context: CommandContext, rows: readonly QueueRowView[]): string {
  if (rows.length === 0) return 'nothing waits\n';
  const nowMs = context.nowMs();
  const columns = [
    { title: 'ID' },
    { title: 'STATE' },
    { title: 'AGE', align: 'right' as const },
    { title: 'NEXT TRY' },
    { title: 'TLS' },
    { title: 'TO', mayShrink: true },
  ];
  const body = rows.map((row) => ({
    cells: [
      row.id,
      row.state,
      formatSpan(nowMs - Date.parse(row.receivedAt)),
      formatDue(row.dueAt, nowMs),
      row.clauses.length === 0 ? 'optional' : 'forced',
      formatRecipients(row.recipients),
    ],
    note: `from ${row.from ?? '<>'}; ${formatOutcome(row)}`,
  }));
  return formatTable(columns, body, context.width);
}

function formatDue(dueAt: string | null, nowMs: number): string {
  if (dueAt === null) return 'on release';
  const waitMs = Date.parse(dueAt) - nowMs;
  return waitMs <= 0 ? 'now' : `in ${formatSpan(waitMs)}`;
}

function formatRecipients(recipients: readonly string[]): string {
  const [first = '', ...others] = recipients;
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

function formatOutcome(row: QueueRowView): string {
  if (row.lastOutcome === null) return 'not tried yet';
  const { status, cause, reason, reply, remoteMta } = row.lastOutcome;
  const where = remoteMta === null ? '' : ` at ${remoteMta.hostName}`;
  const answer = reply === null ? '' : `; it answered: ${reply}`;
  const word = cause === null ? '' : ` (${cause})`;
  return `try ${row.attempts}: ${status}${word} ${reason}${where}${answer}`;
}
