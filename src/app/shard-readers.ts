/** Reads all shards for queue and trace; the control process never writes one. */
import { access } from 'node:fs/promises';
import type { IdentifiedQueueRow } from '../api/services.ts';
import type { TraceView } from '../api/contract.ts';
import { formatQueueId, parseQueueId } from '../mail/queue-id.ts';
import { describeTrace } from '../report/show-trace.ts';
import { openReader } from '../store/sqlite-reader.ts';
import type { QueueFilter, StoreReader } from '../store/store.ts';
import { foldersOf } from './data-folder.ts';

export interface ShardReaders {
  listQueue(filter: QueueFilter): Promise<readonly IdentifiedQueueRow[]>;
  readTrace(id: string): Promise<TraceView | null>;
  close(): Promise<void>;
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
    return rows.map((row) => ({ ...row, id: formatQueueId({ key: row.message.key, shard }) }));
  }

  return {
    async listQueue(filter) {
      const lists = await Promise.all(shards.map((shard) => listShard(shard, filter)));
      const rows = lists.flat().sort((a, b) => a.message.receivedAtMs - b.message.receivedAtMs);
      return rows.slice(0, filter.limit);
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
