/** Which version of its format a store's file has: a shard's, or the control file's. */
import { DatabaseSync } from 'node:sqlite';
import { readNumber } from './migrate.ts';
import { toFailure } from './sqlite-failure.ts';

/** Without changing it; 0 where nothing is in it yet. Throws a Failure `store-io`, `store-damaged`. */
export function readFileVersion(file: string): number {
  try {
    const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
    try {
      return readNumber(db, 'user_version');
    } finally {
      db.close();
    }
  } catch (error) {
    throw toFailure(error);
  }
}
