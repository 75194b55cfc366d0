/**
 * The data folder: made when missing, private to its user, and held by one gateway at a time.
 */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure } from '../mail/failure.ts';

/** Names of what lies in a data folder. */
export function foldersOf(dataFolder: string) {
  return {
    shard: (shard: number) => join(dataFolder, `queue-${shard}.db`),
    spool: join(dataFolder, 'spool'),
    mailboxes: join(dataFolder, 'mail'),
    tls: join(dataFolder, 'tls'),
    run: join(dataFolder, 'run'),
    socket: join(dataFolder, 'run', 'api.sock'),
  };
}

/** Creates what is missing with mode 0700. Throws a Failure `data-folder-unusable`. */
export async function makeDataFolder(dataFolder: string): Promise<void> {
  const folders = foldersOf(dataFolder);
  try {
    for (const folder of [dataFolder, folders.spool, folders.mailboxes, folders.tls]) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
    }
    if (!(await stat(dataFolder)).isDirectory()) throw new Error('it is not a folder');
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Failure('data-folder-unusable', `data folder ${dataFolder}: ${text}`, { cause });
  }
}

/**
 * Takes the folder for this process until `release` or its end, however it ends.
 * The lock is SQLite's on `gateway.lock`. Throws a Failure `data-folder-taken`.
 */
export function takeDataFolder(dataFolder: string): { release(): void } {
  const lock = new DatabaseSync(join(dataFolder, 'gateway.lock'));
  try {
    lock.exec('PRAGMA busy_timeout = 3000; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    const text = `another gateway runs on the data folder ${dataFolder}`;
    throw new Failure('data-folder-taken', text, { cause });
  }
  return { release: () => lock.close() };
}
