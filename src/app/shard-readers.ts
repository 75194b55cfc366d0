/** Reads all shards for queue and trace; the control process never writes one. */
import { access } from 'node:fs/promises';
import type { IdentifiedQueueRow, ShardsFilter } from '../api/services.ts';
import type { RecordSources } from '../api/read-records.ts';
import type { TraceSources } from '../api/search-traces.ts';
import { formatQueueId, parseQueueId } from '../mail/queue-id.ts';
import { describeTrace } from '../report/show-trace.ts';
import { openReader } from '../store/sqlite-reader.ts';
import type {
  DeliveryKey,
  QueueFilter,
  QueueMatch,
  QueueRow,
  QueueStep,
  StoredMessage,
  StoreReader,
} from '../store/store.ts';
import { foldersOf } from './data-folder.ts';

export interface ShardReaders extends TraceSources, RecordSources {
  /** `shard` where only that one is meant. */
  listQueue(filter: ShardsFilter): Promise<readonly IdentifiedQueueRow[]>;
  pageQueue(shard: number, match: QueueMatch, step: QueueStep): Promise<IdentifiedQueuePage>;
  /** Null where the id names no queued message. */
  readMessage(id: string): Promise<StoredMessage | null>;
  close(): Promise<void>;
}

export interface IdentifiedQueuePage {
  readonly rows: readonly IdentifiedQueueRow[];
  readonly next: DeliveryKey | null;
}

/** `shards` are the numbers of the shards that may exist; files that do not yet are empty. */
export function openShardReaders(dataFolder: string, shards: readonly number[]): ShardReaders {
  const readers = new Map<number, StoreReader>();
  const files = foldersOf(dataFolder);

  async function readerOf(shard: number): Promise<StoreReader | null> {
    const open = readers.get(shard);
    if (open !== undefined) return open;
    const file = files.shard(shard);
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (!exists) return null;
    const reader = await openReader(file);
    readers.set(shard, reader);
    return reader;
  }

  async function listShard(shard: number, filter: QueueFilter): Promise<IdentifiedQueueRow[]> {
    const rows = (await (await readerOf(shard))?.listQueue(filter)) ?? [];
    return rows.map((row) => identify(row, shard));
  }

  return {
    shards,
    async search(shard, match, step) {
      const page = await (await readerOf(shard))?.searchTraces(match, step);
      return page ?? { found: [], nextKey: null };
    },
    async scan(shard, step) {
      const scan = await (await readerOf(shard))?.scanTraces(step);
      return scan ?? { traces: [], facts: [], nextKey: null };
    },
    async listQueue({ shard: only, after, ...filter }) {
      const wanted = shards.filter((shard) => only === undefined || shard === only);
      const lists = await Promise.all(
        wanted.map(async (shard) => {
          const behind = after === undefined ? {} : { after: placeIn(shard, after) };
          return (await listShard(shard, { ...filter, ...behind })).map((row) => ({ row, shard }));
        }),
      );
      const found = lists.flat().sort((a, b) => {
        const [one, other] = [a.row.delivery, b.row.delivery];
        return one.key - other.key || a.shard - b.shard || one.ordinal - other.ordinal;
      });
      return found.slice(0, filter.limit).map(({ row }) => row);
    },
    async pageQueue(shard, match, step) {
      const page = await (await readerOf(shard))?.pageQueue(match, step);
      return {
        rows: (page?.rows ?? []).map((row) => identify(row, shard)),
        next: page?.next ?? null,
      };
    },
    async readMessage(text) {
      const id = parseQueueId(text);
      const reader = id === null ? null : await readerOf(id.shard);
      return id === null || reader === null ? null : reader.readMessage(id.key);
    },
    async readTrace(text) {
      const id = parseQueueId(text);
      const reader = id === null ? null : await readerOf(id.shard);
      if (id === null || reader === null) return null;
      const trace = await reader.readTrace(id.key);
      return trace.records.length === 0 ? null : { ...describeTrace(trace), id: text };
    },
    async close() {
      await Promise.all(Array.from(readers.values(), (reader) => reader.close()));
    },
  };
}

/** What is behind a row of any shard begins in this one behind that key and ordinal. */
function placeIn(
  shard: number,
  { key, ordinal, shard: at }: DeliveryKey & { readonly shard: number },
): DeliveryKey {
  if (shard === at) return { key, ordinal };
  return { key, ordinal: shard < at ? Number.MAX_SAFE_INTEGER : -1 };
}

function identify(row: QueueRow, shard: number): IdentifiedQueueRow {
  return { ...row, id: formatQueueId({ key: row.message.key, shard }) };
}
