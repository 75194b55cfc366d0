/** Recorded mail for the command line, read from a data folder. */
import { recordQuerySchema } from '../api/contract/records.ts';
import { readRecords } from '../api/read-records.ts';
import type { RecordFolder } from '../cli/offline-records.ts';
import { Failure } from '../mail/failure.ts';
import { existingShards } from './data-folder.ts';
import { openShardReaders } from './shard-readers.ts';

/** Throws `data-folder-missing`, and what a damaged store says. */
export async function openRecords(dataFolder: string): Promise<RecordFolder> {
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
