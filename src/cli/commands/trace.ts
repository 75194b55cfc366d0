/** `postern trace`: everything that is kept about one message, or a search for messages. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { TracedView, TraceQueryInput } from '../../api/contract/trace-search.ts';
import { recipientStatusSchema, tracesMax } from '../../api/contract/trace-search.ts';
import { parseDuration } from '../../config/duration.ts';
import { parseAddress } from '../../mail/address.ts';
import { parseDomain } from '../../mail/domain.ts';
import { Failure } from '../../mail/failure.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { formatJson } from '../json-text.ts';
import { readQueueId } from '../queue-filter.ts';
import { formatTable } from '../table.ts';

interface Options extends GatewayOptions {
  readonly from?: string;
  readonly to?: string;
  readonly since?: string;
  readonly until?: string;
  readonly status?: NonNullable<TraceQueryInput['status']>;
  readonly limit?: number;
  readonly json?: boolean;
}

const rowsDefault = 50;

export function addTrace(program: Command, context: CommandContext): void {
  const command = program
    .command('trace')
    .summary('show what became of a message, or search for messages')
    .description(
      'With an id it shows what is kept about a message or a refusal: the session that brought it, each attempt with what was required, seen and decided, and the outcome. Without one it lists messages and refusals, newest first: when, from whom, to whom, and what became of it.',
    )
    .argument('[id]', 'queue id, or the id in a refusal; 12 letters and digits', readQueueId)
    .option('--from <sender>', 'only from this address or domain; <> for DSNs', readWho('--from'))
    .option('--to <recipient>', 'only to this address or domain', readWho('--to'))
    .option('--since <time>', 'only what came in since then: 2h, 3d, or 2026-11-22T10:00Z')
    .option('--until <time>', 'only what came in before then')
    .addOption(
      new Option('--status <word>', 'only recipients of whom this became').choices(
        recipientStatusSchema.options,
      ),
    )
    .option('--limit <rows>', `messages at most, 1 to 10000 (default: ${rowsDefault})`, readLimit);
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'trace 06X9T5K1G000',
        'trace --to doctor@contoso.com --since 2d',
        'trace --status refused --from contoso.com --json',
      ),
    )
    .action((id: string | undefined, options: Options) =>
      id === undefined ? search(context, options) : show(context, id, options),
    );
}

async function show(context: CommandContext, id: string, options: Options): Promise<void> {
  const filters = ['from', 'to', 'since', 'until', 'status', 'limit'] as const;
  const filter = filters.find((name) => options[name] !== undefined);
  if (filter !== undefined) {
    throw new Failure('option-wrong', `an id names one message: --${filter} is for a search`);
  }
  const client = await connectGateway(context, options);
  const view = await client.readTrace(id);
  const text =
    options.json === true ? formatJson(view) : sanitizeLines(context.offline.formatTrace(view));
  await context.out.print(text);
}

/** What a peer wrote was sanitized when it came in; this is the last door before a terminal. */
function sanitizeLines(text: string): string {
  return text.split('\n').map(sanitizePeerText).join('\n');
}

/** Goes on as long as the gateway has more and the rows are too few. */
async function search(context: CommandContext, options: Options): Promise<void> {
  const { limit = rowsDefault } = options;
  const query = toQuery(options, context.nowMs());
  const client = await connectGateway(context, options);
  const rows: TracedView[] = [];
  let next: string | null = null;
  do {
    const page = await client.searchTraces({
      ...query,
      limit: Math.min(tracesMax, limit - rows.length),
      ...(next === null ? {} : { before: next }),
    });
    rows.push(...page.rows);
    next = page.next;
  } while (next !== null && rows.length < limit);
  if (options.json === true) {
    await context.out.print(formatJson({ formatVersion: 1, rows, next }));
    return;
  }
  await context.out.print(formatTraced(context, rows));
  if (next !== null) await context.err.print(`${limit} messages shown; --limit shows more\n`);
}

function toQuery({ from, to, since, until, status }: Options, nowMs: number): TraceQueryInput {
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(since === undefined ? {} : { since: readTime('--since', since, nowMs) }),
    ...(until === undefined ? {} : { until: readTime('--until', until, nowMs) }),
    ...(status === undefined ? {} : { status }),
  };
}

/** A span before now, or a point in time. */
function readTime(option: string, text: string, nowMs: number): string {
  const span = parseDuration(text);
  const atMs = span === null ? Date.parse(text) : nowMs - span;
  if (/^\d/.test(text) && Number.isFinite(atMs)) return new Date(atMs).toISOString();
  throw new Failure(
    'option-wrong',
    `${option}: "${text}" is no time as 2h, 3d or 2026-11-22T10:00Z`,
  );
}

function readWho(option: string): (text: string) => string {
  return (text) => {
    if (text === '' || text === '<>') return '<>';
    if (parseAddress(text) !== null || parseDomain(text) !== null) return text;
    throw new Failure('option-wrong', `${option}: "${text}" is no address, domain or <>`);
  };
}

function readLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 10_000) return limit;
  throw new Failure('option-wrong', `--limit: "${text}" is no whole number from 1 to 10000`);
}

const recipientsShownMax = 5;

function nameOf({ recipient, aliasedFrom }: TracedView['recipients'][number]): string {
  return aliasedFrom === null ? recipient : `${recipient} (by ${aliasedFrom})`;
}

function formatTraced(context: CommandContext, traced: readonly TracedView[]): string {
  if (traced.length === 0) return 'nothing is found\n';
  const columns = [
    { title: 'ID' },
    { title: 'TIME' },
    { title: 'FROM', mayShrink: true },
    { title: 'TO', mayShrink: true },
    { title: 'BECAME' },
  ];
  const rows = traced.flatMap(({ id, at, from, recipients }) => {
    const sender = from === null ? '' : from === '' ? '<>' : from;
    const time = at.replace(/\.\d+Z$/, 'Z');
    const shown = recipients.slice(0, recipientsShownMax).map((each) => ({
      cells: [id, time, sender, nameOf(each), each.state],
      note: `${each.status} ${each.reason}`.trim(),
    }));
    const rest = recipients.length - shown.length;
    if (rest > 0) shown.push({ cells: [id, time, sender, `and ${rest} more`, ''], note: '' });
    return shown;
  });
  return formatTable(columns, rows, context.width);
}
