/**
 * Reads a shard file from another process: queue list, trace and reports of the control process.
 *
 * Reading is synchronous and bounded by `limit`; it is never used on a loop that serves mail.
 */
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure } from '../mail/failure.ts';
import { checkVersion } from './migrate.ts';
import { storeVersion } from './migrations.ts';
import { ShardQueries } from './sqlite-queries.ts';
import { toFailure } from './sqlite-failure.ts';
import type { StoreReader } from './store.ts';

/** Rejects with `store-io` where the file is missing, `store-newer`, `store-damaged`. */
export async function openReader(file: string): Promise<StoreReader> {
  return attempt(() => {
    const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
    try {
      checkVersion(db, file, storeVersion);
      return makeReader(db, path.dirname(file));
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

function makeReader(db: DatabaseSync, folder: string): StoreReader {
  const queries = new ShardQueries(db, folder);
  return {
    listQueue: (filter) => attempt(() => queries.listQueue(filter)),
    pageQueue: (match, step) => attempt(() => queries.pageQueue(match, step)),
    readMessage: (key) => attempt(() => queries.readMessage(key)),
    readTrace: (key) => attempt(() => queries.readTrace(key)),
    scanTraces: (step) => attempt(() => queries.scanTraces(step)),
    searchTraces: (match, step) => attempt(() => queries.searchTraces(match, step)),
    close: () => attempt(() => (db.isOpen ? db.close() : undefined)),
  };
}

async function attempt<T>(read: () => T): Promise<T> {
  try {
    return read();
  } catch (error) {
    throw error instanceof Failure ? error : toFailure(error);
  }
}
