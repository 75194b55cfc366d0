/**
 * Whole traces of all shards, one bounded page after the other, newest first within a shard.
 *
 * A page is little work, so that whoever serves it stays responsive: the next one is asked for by
 * whoever reads. With an organization nothing of any other one leaves.
 */
import { formatQueueId, nextQueueKey, parseQueueId, timeOfQueueKey } from '../mail/queue-id.ts';
import { parseRecord } from '../report/resolve-facts.ts';
import type { Fact } from '../report/record.ts';
import { citedHashes } from '../store/rows.ts';
import type { TraceScan, TraceScanStep } from '../store/store.ts';
import type { RecordPage, RecordQuery } from './contract/records.ts';
import type { Organizations } from './services.ts';

export interface RecordSources {
  readonly shards: readonly number[];
  scan(shard: number, step: TraceScanStep): Promise<TraceScan>;
}

/** Characters after which a page ends: milliseconds to read and write. */
const pageLengthMax = 1024 * 1024;

export async function readRecords(
  query: RecordQuery,
  sources: RecordSources,
  organizations: Organizations,
): Promise<RecordPage> {
  const shards = sources.shards.toSorted((a, b) => a - b);
  const after = query.after === undefined ? null : parseQueueId(query.after);
  const shard = after?.shard ?? shards[0];
  if (shard === undefined || !shards.includes(shard)) return { traces: [], facts: [], next: null };
  const scan = await sources.scan(shard, {
    fromKey: after?.key ?? keyMax,
    toKey: Math.max(1, nextQueueKey(Date.parse(query.since), 0)),
    limit: query.limit,
    lengthMax: pageLengthMax,
  });
  const page = describe(scan, shard, wantedOf(query.organization, organizations));
  return { ...page, next: nextOf(scan, shard, shards) };
}

/** What is asked for, of what may be seen. */
function wantedOf(wanted: string | undefined, organizations: Organizations): Organizations {
  if (wanted === undefined) return organizations;
  return organizations === null || organizations.includes(wanted) ? [wanted] : [];
}

const keyMax = Number.MAX_SAFE_INTEGER;

function nextOf({ nextKey }: TraceScan, shard: number, shards: readonly number[]): string | null {
  if (nextKey !== null) return formatQueueId({ key: nextKey, shard });
  const following = shards[shards.indexOf(shard) + 1];
  return following === undefined ? null : formatQueueId({ key: keyMax, shard: following });
}

function describe(
  { traces, facts }: TraceScan,
  shard: number,
  organizations: Organizations,
): Omit<RecordPage, 'next'> {
  const byHash = new Map(facts.map((fact) => [fact.hash, fact]));
  const own =
    organizations === null
      ? traces
      : traces.filter(({ records }) => isOf(ownerOf(records, byHash), organizations));
  const shown = own === traces ? facts : factsOf(own, byHash);
  return {
    traces: own.map(({ key, records }) => ({
      id: formatQueueId({ key, shard }),
      at: new Date(timeOfQueueKey(key)).toISOString(),
      records: records.map(({ json }) => json),
    })),
    facts: shown.map(({ hash, json }) => ({ hash, json })),
  };
}

function isOf(owner: string | null, organizations: readonly string[]): boolean {
  return owner !== null && organizations.includes(owner);
}

/** Null where it is nobody's, or cannot be read: then it is the gateway's administrators' alone. */
function ownerOf(
  records: TraceScan['traces'][number]['records'],
  facts: ReadonlyMap<string, Fact>,
): string | null {
  const first = records.find(({ kind }) => kind === 'received' || kind === 'refused');
  const data = first === undefined ? null : parseRecord(first.json);
  if (data === null) return null;
  if (first?.kind === 'received') return textOf(data['organization']);
  const decision = facts.get(textOf(data['decision']) ?? '');
  return textOf((decision === undefined ? null : parseRecord(decision.json))?.['organization']);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function factsOf(traces: TraceScan['traces'], facts: ReadonlyMap<string, Fact>): Fact[] {
  const cited = new Set(
    traces.flatMap(({ records }) => records.flatMap(({ json }) => citedHashes(json))),
  );
  return [...cited].flatMap((hash) => facts.get(hash) ?? []);
}
