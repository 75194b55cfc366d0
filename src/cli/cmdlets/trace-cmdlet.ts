/** `Get-MessageTrace` and `Get-MessageTraceV2`: what became of messages, in Exchange's columns. */
import type { ApiClient } from '../../api/client.ts';
import type {
  RecipientStateView,
  RecipientStatusName,
  TracedView,
  TraceQueryInput,
} from '../../api/contract/trace-search.ts';
import { tracesMax } from '../../api/contract/trace-search.ts';
import { parseAddress } from '../../mail/address.ts';
import { parseDomain } from '../../mail/domain.ts';
import { parseQueueId } from '../../mail/queue-id.ts';
import type { CommandContext } from '../command-context.ts';
import { connectGateway } from '../command-context.ts';
import type { ObjectRecord } from '../policy-objects/object-record.ts';
import type { Arguments } from './arguments.ts';
import { resultSizeOf } from './arguments.ts';
import type { Cmdlet } from './cmdlet.ts';
import { gatewayOptionsOf, lookParameters } from './common-parameters.ts';
import { parseExchangeDate } from './exchange-values.ts';
import type { Parameter, ParameterSet } from './parameter.ts';
import { usage } from './parameter.ts';
import { printRecords } from './print-records.ts';
import type { RefusedParameter } from './refused-parameters.ts';
import { refusedCommon } from './refused-parameters.ts';

/** Exchange's words for what became of a recipient; what it calls otherwise is beside it. */
const statusOf: Readonly<Record<RecipientStatusName, string>> = {
  delivered: 'Delivered',
  queued: 'Pending',
  deferred: 'Pending',
  bounced: 'Failed',
  refused: 'Failed',
  held: 'Quarantined',
};

const text = (name: string, description: string): Parameter => ({
  name,
  takes: 'text',
  isOurs: false,
  description,
});

const parameters: readonly Parameter[] = [
  text('SenderAddress', 'only from this address or domain; <> for DSNs'),
  text('RecipientAddress', 'only to this address or domain'),
  text('StartDate', 'only what came in since then; UTC, the month first: 06/13/2026, 2026-06-13'),
  text('EndDate', 'only what came in before then'),
  {
    name: 'Status',
    takes: 'list',
    isOurs: false,
    words: ['Delivered', 'Pending', 'Failed', 'Quarantined'],
    description: 'only recipients of whom this became: Delivered, Pending, Failed, Quarantined',
  },
  text('MessageTraceId', 'only this message: the id of the queue, 12 letters and digits'),
  text('PageSize', 'as -ResultSize'),
];

const notKept = 'is not there: the trace does not keep it';
const refused: readonly RefusedParameter[] = [
  { name: 'MessageId', reason: `${notKept}; -MessageTraceId takes the id of the queue` },
  { name: 'FromIP', reason: 'is not there yet: `postern trace ID` shows the session' },
  { name: 'ToIP', reason: 'is not there yet: `postern trace ID` shows each attempt' },
  { name: 'Subject', reason: notKept },
  { name: 'SubjectFilterType', reason: notKept },
  { name: 'Page', reason: 'is not there: -ResultSize Unlimited shows all' },
  { name: 'StartingRecipientAddress', reason: 'is not there: -ResultSize Unlimited shows all' },
  { name: 'ProbeTag', reason: 'is reserved by Microsoft for its own use and means nothing here' },
];

const set: ParameterSet = {
  parameters: [
    ...parameters,
    // Traces are of the whole gateway.
    ...lookParameters.filter(({ name }) => name !== 'Organization'),
  ],
  refused: [...refused, ...refusedCommon],
};

/** Both are one: the second is Exchange's newer name. */
export const traceCmdlets: readonly Cmdlet[] = ['Get-MessageTrace', 'Get-MessageTraceV2'].map(
  (name) => ({ name, summary: 'search for messages', set, run: search }),
);

const columns = ['Received', 'SenderAddress', 'RecipientAddress', 'Status', 'MessageTraceId'];

async function search(context: CommandContext, given: Arguments): Promise<void> {
  const size = sizeOf(given);
  const isMeant = statusFilter(given);
  const id = readId(given);
  const query = id === null ? readQuery(given) : {};
  const client = await connectGateway(context, gatewayOptionsOf(given));
  const records =
    id === null
      ? await searchAll(client, query, { size, isMeant })
      : toRecords(await readOne(client, id)).filter(isMeant);
  if (given.flag('Verbose') === true) {
    const asked = id === null ? JSON.stringify(query) : id;
    await context.err.print(`VERBOSE: ${records.length} found by ${asked}\n`);
  }
  await printRecords(context, given, { records: records.slice(0, size), columns });
  if (records.length > size) {
    await context.err.print(`WARNING: ${size} are shown; -ResultSize Unlimited shows all\n`);
  }
}

function readQuery(given: Arguments): TraceQueryInput {
  return {
    ...who('from', 'SenderAddress', given),
    ...who('to', 'RecipientAddress', given),
    ...readTime('since', given.text('StartDate')),
    ...readTime('until', given.text('EndDate')),
  };
}

/** More than `size` where there are more. */
async function searchAll(
  client: ApiClient,
  query: TraceQueryInput,
  { size, isMeant }: { readonly size: number; readonly isMeant: (record: ObjectRecord) => boolean },
): Promise<readonly ObjectRecord[]> {
  const records: ObjectRecord[] = [];
  let next: string | null = null;
  do {
    const before: { before?: string } = next === null ? {} : { before: next };
    const page = await client.searchTraces({ ...query, limit: tracesMax, ...before });
    records.push(...page.rows.flatMap(toRecords).filter(isMeant));
    next = page.next;
  } while (next !== null && records.length <= size);
  return records;
}

async function readOne(client: ApiClient, id: string): Promise<Traced> {
  const { events, recipients } = await client.readTrace(id);
  const [first] = events;
  const from = (first as { readonly reversePath?: string | null } | undefined)?.reversePath ?? null;
  return { id, at: first?.at ?? '', from, recipients };
}

function sizeOf(given: Arguments): number {
  const pageSize = given.count('PageSize');
  if (pageSize === 0) throw usage('-PageSize is a number from 1');
  return resultSizeOf(given, pageSize ?? 1000);
}

function statusFilter(given: Arguments): (record: ObjectRecord) => boolean {
  const wanted = given.list('Status');
  if (wanted === null) return () => true;
  const known = new Set(Object.values(statusOf));
  const names = wanted.map((word) => word.toLowerCase());
  const wrong = names.findIndex((name) => ![...known].some((each) => each.toLowerCase() === name));
  if (wrong !== -1) {
    throw usage(`-Status is of ${[...known].join(', ')}, not ${JSON.stringify(wanted[wrong])}`);
  }
  return (record) => names.includes(String(record['Status']).toLowerCase());
}

function who(key: 'from' | 'to', name: string, given: Arguments): Partial<TraceQueryInput> {
  const address = given.text(name);
  if (address === null) return {};
  if (address === '' || address === '<>') return { [key]: '<>' };
  if (parseAddress(address) !== null || parseDomain(address) !== null) return { [key]: address };
  throw usage(`-${name} takes one address or domain, or '<>', not ${JSON.stringify(address)}`);
}

function readTime(key: 'since' | 'until', written: string | null): Partial<TraceQueryInput> {
  if (written === null) return {};
  const at = parseExchangeDate(written);
  if (at !== null) return { [key]: at };
  const name = key === 'since' ? 'StartDate' : 'EndDate';
  throw usage(
    `-${name} takes a date such as 06/13/2026 (the month first) or 2026-06-13T08:00:00Z, in UTC, not ${JSON.stringify(written)}`,
  );
}

function readId(given: Arguments): string | null {
  const id = given.text('MessageTraceId');
  const filters = ['SenderAddress', 'RecipientAddress', 'StartDate', 'EndDate'];
  const filter = filters.find((name) => given.value(name) !== undefined);
  if (id !== null && filter !== undefined) {
    throw usage(`-MessageTraceId names one message: -${filter} is for a search`);
  }
  if (id === null || parseQueueId(id) !== null) return id;
  throw usage(
    `-MessageTraceId takes an id of the queue, 12 letters and digits, not ${JSON.stringify(id)}`,
  );
}

type Traced = Pick<TracedView, 'id' | 'at' | 'from'> & {
  readonly recipients: readonly RecipientStateView[];
};

function toRecords({ id, at, from, recipients }: Traced): ObjectRecord[] {
  return recipients.map(({ recipient, state, status, reason }) => ({
    Received: at,
    SenderAddress: from === '' ? '<>' : from,
    RecipientAddress: recipient,
    Status: statusOf[state],
    State: state,
    EnhancedStatus: status,
    Detail: reason,
    MessageTraceId: id,
  }));
}
