/**
 * A consistent copy of a shard while its writer works: SQLite's own backup, from a reader's snapshot.
 *
 * The reader's transaction is open for the whole copy, so that commits meanwhile neither get into it nor
 * make it start again; they wait in the write-ahead log, which grows by them until the copy is made.
 *
 * @see https://sqlite.org/backup.html, https://sqlite.org/isolation.html
 */
import { backup, DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkVersion, readNumber } from './migrate.ts';
import { storeVersion } from './migrations.ts';
import { toFailure } from './sqlite-failure.ts';

/** What a snapshot refers to outside of its file. */
export interface SpoolReference {
  readonly key: number;
  /** Relative to the spool folder. */
  readonly file: string;
}

export interface CopySteps {
  /** The snapshot is taken: it holds no message with a key above this one. */
  onSnapshot(lastKey: number): Promise<void>;
  /** Share of the pages that are copied, 0..1; what it throws ends the copy. */
  onProgress(share: number): void;
}

/** Pages between two looks at progress: 4 MB. */
const pagesPerStep = 1024;

/**
 * Copies `file` to the new file `target`, which then stands alone, without a write-ahead log. Resolves
 * with the version of the store in it. Rejects with a Failure `store-full`, `store-io`, `store-damaged`,
 * `store-newer`; `target` may be there then, half.
 */
export async function copyShard(file: string, target: string, steps: CopySteps): Promise<number> {
  try {
    const source = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
    try {
      checkVersion(source, file, storeVersion);
      source.exec('BEGIN');
      await steps.onSnapshot(readLastKey(source));
      const progress = (done: { totalPages: number; remainingPages: number }): void =>
        steps.onProgress(1 - done.remainingPages / Math.max(1, done.totalPages));
      await backup(source, target, { rate: pagesPerStep, progress });
      source.exec('COMMIT');
    } finally {
      source.close();
    }
    return standAlone(target);
  } catch (error) {
    throw toFailure(error);
  }
}

function readLastKey(db: DatabaseSync): number {
  return (db.prepare('SELECT key FROM last_key').get() as { key: number }).key;
}

/** One file that can be read from a medium that cannot be written. */
function standAlone(target: string): number {
  const db = new DatabaseSync(target);
  try {
    db.exec('PRAGMA journal_mode = DELETE');
    return readNumber(db, 'user_version');
  } finally {
    db.close();
  }
}

/** Every spool file that a shard refers to, a bounded number at a time. */
export async function* listSpoolReferences(file: string): AsyncGenerator<SpoolReference> {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    const rows = db.prepare(
      `SELECT key, spool_path AS file FROM message
       WHERE spool_path IS NOT NULL AND spool_path > ? ORDER BY spool_path LIMIT 1000`,
    );
    for (let last = ''; ;) {
      const page = rows.all(last) as unknown as SpoolReference[];
      yield* page;
      if (page.length < 1000) return;
      last = page.at(-1)!.file;
      await sleep(0);
    }
  } finally {
    db.close();
  }
}

/** Whether the message is in the store now; for what a copy misses. */
export function hasMessage(file: string, key: number): boolean {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    return db.prepare('SELECT 1 FROM message WHERE key = ?').get(key) !== undefined;
  } finally {
    db.close();
  }
}
