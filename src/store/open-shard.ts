/**
 * Opens a shard file for its one writer: lock, settings, version, migrations.
 *
 * Runs in the store thread.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { FileLock } from './file-lock.ts';
import { lockFile } from './file-lock.ts';
import { checkVersion, migrate, readNumber } from './migrate.ts';
import { migrations, storeVersion } from './migrations.ts';
import { namingFile, storeFailure } from './sqlite-failure.ts';

export interface ShardFile {
  readonly path: string;
  /** How long another process may take to let the file go. */
  readonly lockWaitMs: number;
  /** The file's largest size; null for no other bound than the disk. */
  readonly sizeBytesMax: number | null;
}

/** `lock` is open as long as this process owns the file. */
export interface OpenShard {
  readonly db: DatabaseSync;
  readonly lock: FileLock;
}

/** Bodies of 4 KB and their row fit a page; overflow pages cost more than the space. */
const pageBytes = 4096;

/** Throws `store-taken`, `store-newer`, `store-damaged`, `store-io`. */
export function openShard(file: ShardFile): OpenShard {
  mkdirSync(path.dirname(file.path), { recursive: true, mode: 0o700 });
  const lock = takeLock(file);
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(file.path, { timeout: 5000 });
    db.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA auto_vacuum = INCREMENTAL;`);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;');
    db.exec('PRAGMA journal_size_limit = 67108864;');
    checkVersion(db, file.path, storeVersion);
    migrate(db, migrations);
    limitSize(db, file.sizeBytesMax);
    return { db, lock };
  } catch (error) {
    db?.close();
    lock.release();
    throw namingFile(error, file.path);
  }
}

/** A shard has one writer: the lock file is held as long as the process lives, however it ends. */
function takeLock(file: ShardFile): FileLock {
  const lock = lockFile(file.path.replace(/(\.db)?$/, '.lock'), file.lockWaitMs);
  if (lock !== null) return lock;
  const text = `${file.path} is used by another process; waited ${file.lockWaitMs} ms for it`;
  throw storeFailure('store-taken', text);
}

function limitSize(db: DatabaseSync, sizeBytesMax: number | null): void {
  if (sizeBytesMax === null) return;
  const pages = Math.max(1, Math.floor(sizeBytesMax / readNumber(db, 'page_size')));
  db.exec(`PRAGMA max_page_count = ${pages}`);
}
