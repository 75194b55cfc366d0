/**
 * The way back from a newer version of the store: a verified backup of every shard, written before the
 * first of them is changed. Without it nothing is changed, and the gateway does not start.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { Failure } from '../../mail/failure.ts';
import type { Log } from '../../report/log.ts';
import { newerStore } from '../../store/migrate.ts';
import { readShardVersion } from '../../store/copy-shard.ts';
import { storeVersion } from '../../store/migrations.ts';
import { existingShards, foldersOf } from '../data-folder.ts';
import { namingVersion, version } from '../version.ts';
import { freeName, stamp } from './restore-backup.ts';
import { takeBackup } from './take-backup.ts';

/** A change of the store that this start makes, and the way back from it. */
export interface StoreChange {
  readonly from: number;
  readonly to: number;
  readonly backup: string;
}

/** Backups of this kind that are kept. */
const keptMax = 3;

/**
 * Null where no shard has to be changed. For the process that holds the data folder, before any lane
 * starts. Throws a Failure `store-newer` or `migration-refused`.
 */
export async function backUpBeforeMigration(
  config: Config,
  policyRevision: string,
  log: Log,
): Promise<StoreChange | null> {
  const from = await oldestVersion(config.dataFolder);
  if (from === null || from >= storeVersion) return null;
  const to = storeVersion;
  const { backups } = foldersOf(config.dataFolder);
  const target = await freeName(join(backups, `before-store-v${to}-${stamp(new Date())}`));
  log.warn({ from, to, backup: target }, 'the store is changed to a newer version: a backup first');
  try {
    const { manifest } = await takeBackup({
      dataFolder: config.dataFolder,
      target,
      reason: 'before-migration',
      config,
      policyRevision,
      hasMailboxes: false,
      keptFreeBytes: config.limits.freeDiskBytes,
      mayLink: true,
      isVerified: true,
      onProgress: () => undefined,
    });
    const { entries, bytes } = manifest.files;
    log.info({ backup: target, entries, bytes }, 'the backup is complete and verified');
  } catch (error) {
    throw refused(from, error);
  }
  await removeOld(backups, log);
  return { from, to, backup: target };
}

function refused(from: number, error: unknown): Failure {
  const why = error instanceof Error ? error.message : String(error);
  const text = `the store has version ${from} and Postern ${version} would change it to ${storeVersion}, but the backup before that failed, so nothing was changed: ${why}`;
  return new Failure('migration-refused', text, { cause: error });
}

/** Of the shards that hold something; null where there are none. Throws `store-newer`. */
async function oldestVersion(dataFolder: string): Promise<number | null> {
  let oldest: number | null = null;
  for (const shard of await existingShards(dataFolder)) {
    const file = foldersOf(dataFolder).shard(shard);
    const found = readShardVersion(file);
    if (found > storeVersion) throw namingVersion(newerStore(file, found, storeVersion));
    if (found > 0) oldest = Math.min(oldest ?? found, found);
  }
  return oldest;
}

/** The newest stay. What cannot be removed is only said. */
async function removeOld(backups: string, log: Log): Promise<void> {
  const names = (await readdir(backups)).filter((name) => name.startsWith('before-store-v'));
  const age = (name: string): string => name.replace(/^before-store-v\d+-/, '');
  const old = names.sort((a, b) => (age(a) < age(b) ? 1 : -1)).slice(keptMax);
  for (const name of old) {
    await rm(join(backups, name), { recursive: true, force: true }).then(
      () => log.info({ backup: join(backups, name) }, 'an old backup was removed'),
      (error: unknown) => log.warn({ backup: join(backups, name), error }, 'an old backup stays'),
    );
  }
}
