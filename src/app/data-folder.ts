/**
 * The data folder: made when missing, private to its user, and held by one gateway at a time.
 */
import { chown, mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { shardsMax } from '../mail/queue-id.ts';
import { Failure } from '../mail/failure.ts';
import { lockFile } from '../store/file-lock.ts';
import type { FileLock } from '../store/file-lock.ts';
import type { UserIds } from './privileges.ts';
import { describeProcess, findLockHolder } from './processes.ts';

/** Names of what lies in a data folder. */
export function foldersOf(dataFolder: string) {
  return {
    shard: (shard: number) => join(dataFolder, `queue-${shard}.db`),
    crashNote: (shard: number) => join(dataFolder, `queue-${shard}.crash`),
    spool: join(dataFolder, 'spool'),
    /** A shard sweeps its own spool folder, so that no two share one. */
    spoolOf: (shard: number) => join(dataFolder, 'spool', String(shard)),
    mailboxes: join(dataFolder, 'mail'),
    tls: join(dataFolder, 'tls'),
    /** Which domains were proven, and the secret of the tokens that prove them. */
    provenDomains: join(dataFolder, 'proven-domains.json'),
    verificationSecret: join(dataFolder, 'domain-verification.key'),
    /** What encrypts the secrets of authenticators in the control file. */
    identityKey: join(dataFolder, 'identity.key'),
    /** The configuration of the last run, for the next start to compare with. */
    lastInForce: join(dataFolder, 'last-in-force.json'),
    /** What migrations leave as the way back. */
    backups: join(dataFolder, 'backups'),
    run: join(dataFolder, 'run'),
    socket: join(dataFolder, 'run', 'api.sock'),
    /** What the control process keeps: the policy with its revisions, people, audit. */
    control: join(dataFolder, 'control.db'),
  };
}

/**
 * Creates what is missing with mode 0700; `owner` gets it where we are root and shall become someone
 * else. Throws a Failure `data-folder-unusable`.
 */
export async function makeDataFolder(dataFolder: string, owner: UserIds | null): Promise<void> {
  const folders = foldersOf(dataFolder);
  try {
    const all = [dataFolder, folders.spool, folders.mailboxes, folders.tls];
    for (const folder of all) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      if (owner !== null) await chown(folder, owner.uid, owner.gid);
    }
    await makeLockFile(lockOf(dataFolder), owner);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    const who = process.getuid?.() ?? '?';
    const what = `the data folder ${dataFolder} cannot be used by user ${who}: ${text}`;
    throw new Failure('data-folder-unusable', what, { cause });
  }
}

/** An empty file that its owner may lock, where it is missing; its path again. */
export async function makeLockFile(file: string, owner: UserIds | null): Promise<string> {
  await using handle = await open(file, 'a', 0o600);
  if (owner !== null) await handle.chown(owner.uid, owner.gid);
  return file;
}

function lockOf(dataFolder: string): string {
  return join(dataFolder, 'gateway.lock');
}

/** The numbers of the shard files that are there. */
export async function existingShards(dataFolder: string): Promise<readonly number[]> {
  const names = await readdir(dataFolder);
  const numbers = names.map((name) => Number(/^queue-(\d{1,2})\.db$/.exec(name)?.[1] ?? -1));
  return numbers.filter((shard) => shard >= 0 && shard < shardsMax);
}

/**
 * Takes the folder for this process until `release` or its end, however it ends.
 * Throws a Failure `data-folder-taken`.
 */
export async function takeDataFolder(dataFolder: string): Promise<FileLock> {
  const lock = lockFile(lockOf(dataFolder), 3000);
  if (lock !== null) return lock;
  const holder = await findLockHolder(lockOf(dataFolder));
  const who = holder === null ? '' : `: ${describeProcess(holder)}`;
  const text = `another gateway runs on the data folder ${dataFolder}${who}`;
  throw new Failure('data-folder-taken', text);
}
