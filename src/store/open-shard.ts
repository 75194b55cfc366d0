/**
 * Opens a shard file for its one writer: lock, settings, version, migrations.
 *
 * Runs in the store thread. Readers use `checkVersion` alone.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure } from '../mail/failure.ts';
import type { FileLock } from './file-lock.ts';
import { lockFile } from './file-lock.ts';
import { migrations, storeVersion } from './migrations.ts';
import { storeCodeOf, storeFailure } from './sqlite-failure.ts';

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
    checkVersion(db, file.path);
    migrate(db);
    limitSize(db, file.sizeBytesMax);
    return { db, lock };
  } catch (error) {
    db?.close();
    lock.release();
    throw namingFile(error, file.path);
  }
}

/** Who is told of it must know which file to look after. */
function namingFile(error: unknown, file: string): unknown {
  if (error instanceof Failure) return error;
  const text = error instanceof Error ? error.message : String(error);
  return storeFailure(storeCodeOf(error), `the store ${file} could not be opened: ${text}`, error);
}

/** A shard has one writer: the lock file is held as long as the process lives, however it ends. */
function takeLock(file: ShardFile): FileLock {
  const lock = lockFile(file.path.replace(/(\.db)?$/, '.lock'), file.lockWaitMs);
  if (lock !== null) return lock;
  const text = `${file.path} is used by another process; waited ${file.lockWaitMs} ms for it`;
  throw storeFailure('store-taken', text);
}

/** Throws `store-newer` where a later version of the program has written the file. */
export function checkVersion(db: DatabaseSync, file: string): void {
  const version = readNumber(db, 'user_version');
  if (version > storeVersion) throw newerStore(file, version);
}

export function newerStore(file: string, version: number): Failure {
  const text = `${file} was written by a newer Postern: its format is ${version}, this program knows up to ${storeVersion}`;
  return storeFailure('store-newer', text);
}

function migrate(db: DatabaseSync): void {
  for (let version = readNumber(db, 'user_version'); version < storeVersion; version++) {
    db.exec(`BEGIN; ${migrations[version]!}; PRAGMA user_version = ${version + 1}; COMMIT;`);
  }
}

function limitSize(db: DatabaseSync, sizeBytesMax: number | null): void {
  if (sizeBytesMax === null) return;
  const pages = Math.max(1, Math.floor(sizeBytesMax / readNumber(db, 'page_size')));
  db.exec(`PRAGMA max_page_count = ${pages}`);
}

/** The value of a pragma that is one number. */
export function readNumber(db: DatabaseSync, pragma: string): number {
  const row = db.prepare(`PRAGMA ${pragma}`).get() ?? {};
  return Number(Object.values(row)[0]);
}
