/**
 * Searches the trace of all shards, newest first, in bounded steps.
 *
 * The store finds by address and time; the state of each recipient is read from the trace itself, so
 * that a search never says anything else than the trace does.
 */
import { parseAddress } from '../mail/address.ts';
import { parseDomain } from '../mail/domain.ts';
import { formatQueueId, nextQueueKey, parseQueueId } from '../mail/queue-id.ts';
import type { TraceView } from '../report/show-trace.ts';
import type { AddressMatch, TraceMatch, TracePage, TraceStep } from '../store/store.ts';
import type { Organizations } from './services.ts';
import { ownerOfTrace } from './trace-owner.ts';
import type { TracedView, TraceListView, TraceQuery } from './contract/trace-search.ts';

export interface TraceSources {
  readonly shards: readonly number[];
  search(shard: number, match: TraceMatch, step: TraceStep): Promise<TracePage>;
  /** Null where it is gone. */
  readTrace(id: string): Promise<TraceView | null>;
}

/** Messages that one search looks at in each shard, and traces that it reads, at most. */
const looksMax = 200_000;
const readsMax = 3000;
const recipientsMax = 100;

interface Place {
  readonly key: number;
  readonly shard: number;
}

export async function searchTraces(
  query: TraceQuery,
  sources: TraceSources,
  organizations: Organizations,
): Promise<TraceListView> {
  const match = toTraceMatch(query);
  const before = query.before === undefined ? null : parseQueueId(query.before);
  const fromKey = before?.key ?? (query.until === undefined ? maxKey : keyAt(query.until) - 1);
  const toKey = query.since === undefined ? 1 : keyAt(query.since);
  const step = { fromKey, toKey, limit: Math.min(1000, query.limit * 2), looks: looksMax };
  const pages = await Promise.all(
    sources.shards.map(async (shard) => ({ shard, ...(await sources.search(shard, match, step)) })),
  );
  // Below the highest of these keys a shard may hold more that was not looked at.
  const horizon = Math.max(0, ...pages.map(({ nextKey }) => nextKey ?? 0));
  const places = pages
    .flatMap(({ shard, found }) => found.map((key) => ({ key, shard })))
    .filter((place) => place.key > horizon && (before === null || isBehind(place, before)))
    .sort((a, b) => b.key - a.key || b.shard - a.shard);
  const { rows, stoppedAt } = await readPlaces(places, { query, organizations }, sources);
  if (stoppedAt !== null) return { rows, next: formatQueueId(stoppedAt) };
  return { rows, next: horizon === 0 ? null : formatQueueId({ key: horizon, shard: 31 }) };
}

/** `stoppedAt` is the last one looked at where others are left; null where all were. */
async function readPlaces(
  places: readonly Place[],
  { query, organizations }: Asked,
  sources: TraceSources,
) {
  const rows: TracedView[] = [];
  for (const [i, place] of places.entries()) {
    const trace = await sources.readTrace(formatQueueId(place));
    const isMine = trace !== null && isOf(trace, query.organization, organizations);
    const row = isMine ? describeTraced(trace, query) : null;
    if (row !== null) rows.push(row);
    const isFull = rows.length === query.limit || i + 1 === readsMax;
    if (isFull && i + 1 < places.length) return { rows, stoppedAt: place };
  }
  return { rows, stoppedAt: null };
}

interface Asked {
  readonly query: TraceQuery;
  readonly organizations: Organizations;
}

function isOf(trace: TraceView, wanted: string | undefined, organizations: Organizations): boolean {
  if (wanted === undefined && organizations === null) return true;
  const owner = ownerOfTrace(trace);
  if (wanted !== undefined && owner !== wanted) return false;
  return organizations === null || (owner !== null && organizations.includes(owner));
}

/** Everything of one key in the order of shards, so that a cursor may stand between two shards. */
function isBehind(place: Place, before: Place): boolean {
  return place.key < before.key || (place.key === before.key && place.shard < before.shard);
}

/** Null where no recipient fits. */
function describeTraced(trace: TraceView, query: TraceQuery): TracedView | null {
  const [first] = trace.events;
  const fitting = trace.recipients.filter(
    ({ recipient, aliasedFrom, state }) =>
      (query.status === undefined || state === query.status) &&
      (query.to === undefined ||
        [recipient, ...(aliasedFrom === null ? [] : [aliasedFrom])].some((name) =>
          isMeant(name, toAddressMatch(query.to!)),
        )),
  );
  if (first === undefined || fitting.length === 0) return null;
  const hasSender = first.kind === 'received' || first.kind === 'refused';
  return {
    id: trace.id ?? '',
    at: first.at,
    from: hasSender ? (first.reversePath ?? null) : null,
    recipientCount: trace.recipients.length,
    recipients: fitting.slice(0, recipientsMax),
  };
}

function isMeant(recipient: string, wanted: AddressMatch): boolean {
  const text = recipient.toLowerCase();
  if (wanted.kind === 'null') return text === '';
  if (wanted.kind === 'domain') return text.endsWith(`@${wanted.domain}`);
  return text === wanted.text.toLowerCase();
}

function toTraceMatch({ from, to, status }: TraceQuery): TraceMatch {
  const only = status === undefined ? undefined : onlyOf[status];
  return {
    ...(from === undefined ? {} : { sender: toAddressMatch(from) }),
    ...(to === undefined ? {} : { recipient: toAddressMatch(to) }),
    ...(only === undefined ? {} : { only }),
  };
}

const onlyOf: Readonly<Record<NonNullable<TraceQuery['status']>, TraceMatch['only']>> = {
  queued: 'waiting',
  deferred: 'waiting',
  held: 'waiting',
  delivered: 'accepted',
  bounced: 'bounced',
  refused: 'refused',
};

function toAddressMatch(text: string): AddressMatch {
  if (text === '<>') return { kind: 'null' };
  if (parseAddress(text) !== null) return { kind: 'address', text };
  return { kind: 'domain', domain: parseDomain(text) ?? text };
}

const maxKey = Number.MAX_SAFE_INTEGER;

/** The first key of that moment. */
function keyAt(time: string): number {
  return Math.max(1, nextQueueKey(Date.parse(time), 0));
}
