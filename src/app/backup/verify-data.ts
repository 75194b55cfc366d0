/** Whether the data folder of a gateway is whole, running or not; nothing is written. */
import { foldersOf, existingShards } from '../data-folder.ts';
import { checkShard } from '../../store/check-shard.ts';
import type { ShardCounts } from '../../store/check-shard.ts';
import { Failure } from '../../mail/failure.ts';
import type { Fault } from './verify-backup.ts';
import { faultsMax, nameFault } from './verify-backup.ts';

export interface VerifiedData {
  readonly shards: readonly (ShardCounts & {
    readonly shard: number;
    readonly storeVersion: number;
  })[];
  /** The first thousand. */
  readonly faults: readonly Fault[];
}

/** Throws a Failure `data-folder-missing`. */
export async function verifyData(
  dataFolder: string,
  onProgress: (text: string) => void,
): Promise<VerifiedData> {
  const numbers = await existingShards(dataFolder).catch((cause: unknown) => {
    const text = `the data folder ${dataFolder} cannot be read: ${(cause as Error).message}`;
    throw new Failure('data-folder-missing', text, { cause });
  });
  if (numbers.length === 0) {
    throw new Failure('data-folder-missing', `${dataFolder} holds no queue-N.db`);
  }
  const faults: Fault[] = [];
  const shards = [];
  for (const shard of numbers) {
    const file = foldersOf(dataFolder).shard(shard);
    onProgress(file);
    const spool = foldersOf(dataFolder).spoolOf(shard);
    const checked = await checkShard(file, spool, (fault) => {
      if (faults.length >= faultsMax) return;
      faults.push({ text: nameFault(file, shard, fault), isKnown: false });
    });
    const { counts, version: storeVersion } = checked;
    if (counts !== null && storeVersion !== null) shards.push({ shard, storeVersion, ...counts });
  }
  return { shards, faults };
}
