/** Recorded mail for the command line, read from a data folder or out of the API's pages. */
import { recordQuerySchema } from '../api/contract/records.ts';
import { readRecords } from '../api/read-records.ts';
import type { OfflineRecords, RecordFolder } from '../cli/offline-records.ts';
import { Failure } from '../mail/failure.ts';
import { RecordedReader } from '../report/read-recorded.ts';
import { existingShards } from './data-folder.ts';
import { openShardReaders } from './shard-readers.ts';

export const offlineRecords: OfflineRecords = { open, createReader };

async function open(dataFolder: string): Promise<RecordFolder> {
  const shards = await existingShards(dataFolder).catch((cause: unknown) => {
    const text = `the data folder ${dataFolder} cannot be read: ${(cause as Error).message}`;
    throw new Failure('data-folder-missing', text, { cause });
  });
  if (shards.length === 0) {
    throw new Failure('data-folder-missing', `${dataFolder} holds no queue-N.db`);
  }
  const readers = openShardReaders(dataFolder, shards);
  return {
    readRecords: (query) => readRecords(recordQuerySchema.parse(query), readers, null),
    close: () => readers.close(),
  };
}

function createReader(): ReturnType<OfflineRecords['createReader']> {
  const reader = new RecordedReader();
  return ({ traces, facts }) => {
    reader.takeFacts(facts);
    return traces.map((trace) => reader.read(trace, Date.parse(trace.at)));
  };
}
