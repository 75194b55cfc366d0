/**
 * The way back from a newer version of the store: a verified backup of every shard and of the control
 * file, written before the first of them is changed. Without it nothing is changed, and the gateway does
 * not start.
 */
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { Failure } from '../../mail/failure.ts';
import type { Log } from '../../report/log.ts';
import { controlVersion } from '../../store/control/migrations.ts';
import { newerStore } from '../../store/migrate.ts';
import { readFileVersion } from '../../store/read-file-version.ts';
import { storeVersion } from '../../store/migrations.ts';
import { existingShards, foldersOf } from '../data-folder.ts';
import { namingVersion, version } from '../version.ts';
import { freeName, stamp } from './restore-backup.ts';
import { takeBackup } from './take-backup.ts';

/** Files of one kind that this start brings to a newer version. */
export interface FormatChange {
  readonly what: 'store' | 'control file';
  readonly from: number;
  readonly to: number;
}

/** What this start changes, and the way back from it. */
export interface StoreChange {
  readonly formats: readonly FormatChange[];
  readonly backup: string;
}

/** Backups of this kind that are kept. */
const keptMax = 3;

/**
 * Null where no file has to be changed. For the process that holds the data folder, before any lane
 * starts and before the control file is opened. Throws a Failure `store-newer` or `migration-refused`.
 */
export async function backUpBeforeMigration(
  config: Config,
  policyRevision: string,
  log: Log,
): Promise<StoreChange | null> {
  const { dataFolder } = config;
  const formats = [await changeOfShards(dataFolder), changeOfControl(dataFolder)].filter(
    (change) => change !== null,
  );
  const [first] = formats;
  if (first === undefined) return null;
  const { backups } = foldersOf(dataFolder);
  const name = `${prefixes[first.what]}v${first.to}-${stamp(new Date())}`;
  const target = await freeName(join(backups, name));
  const changes = describeFormats(formats);
  log.warn({ formats, backup: target }, `${changes}: a backup first`);
  try {
    const { manifest } = await takeBackup({
      dataFolder,
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
    throw refused(changes, error);
  }
  await removeOld(backups, log);
  return { formats, backup: target };
}

/** What the names of these backups begin with. */
const prefixes = { store: 'before-store-', 'control file': 'before-control-' } as const;

/** As a clause: "the store is changed from version 1 to 2". */
export function describeFormats(formats: readonly FormatChange[]): string {
  const each = formats.map(
    ({ what, from, to }) => `the ${what} is changed from version ${from} to ${to}`,
  );
  return each.join(', ');
}

function refused(changes: string, error: unknown): Failure {
  const why = error instanceof Error ? error.message : String(error);
  const text = `with Postern ${version} ${changes}, but the backup before that failed, so nothing was changed: ${why}`;
  return new Failure('migration-refused', text, { cause: error });
}

/** From the oldest of the shards that hold something; null where none is older. Throws `store-newer`. */
async function changeOfShards(dataFolder: string): Promise<FormatChange | null> {
  const { shard } = foldersOf(dataFolder);
  const files = (await existingShards(dataFolder)).map((each) => shard(each));
  return changeOf('store', files, storeVersion);
}

/** Null before the first start with one, too. Throws `store-newer`. */
function changeOfControl(dataFolder: string): FormatChange | null {
  const { control } = foldersOf(dataFolder);
  return changeOf('control file', existsSync(control) ? [control] : [], controlVersion);
}

function changeOf(
  what: FormatChange['what'],
  files: readonly string[],
  to: number,
): FormatChange | null {
  const versions = files.map((file) => {
    const found = readFileVersion(file);
    if (found > to) throw namingVersion(newerStore(file, found, to));
    return found;
  });
  // Of version 0 is what no gateway has begun to use.
  const from = Math.min(to, ...versions.filter((each) => each > 0));
  return from < to ? { what, from, to } : null;
}

/** The newest stay. What cannot be removed is only said. */
async function removeOld(backups: string, log: Log): Promise<void> {
  const form = /^before-(?:store|control)-v\d+-/;
  const names = (await readdir(backups)).filter((name) => form.test(name));
  const age = (name: string): string => name.replace(form, '');
  const old = names.sort((a, b) => (age(a) < age(b) ? 1 : -1)).slice(keptMax);
  for (const name of old) {
    await rm(join(backups, name), { recursive: true, force: true }).then(
      () => log.info({ backup: join(backups, name) }, 'an old backup was removed'),
      (error: unknown) => log.warn({ backup: join(backups, name), error }, 'an old backup stays'),
    );
  }
}
