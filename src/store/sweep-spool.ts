/**
 * Removes, before the gateway takes mail, what a crash left in the spool: unfinished files, and
 * finished ones whose message was never committed or is gone. Never a file that has a row.
 */
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { SpoolRemovals } from './spool-removals.ts';

/** Returns how many files go now. Runs in the store thread, before its first commit. */
export function sweepSpool(db: DatabaseSync, spoolFolder: string, removals: SpoolRemovals): number {
  // A new file beside an old spool: the one that knew these contents was moved away, and may come back.
  const { key } = db.prepare('SELECT key FROM last_key').get() as { key: number };
  if (key === 0) return 0;
  const find = db.prepare('SELECT 1 FROM message WHERE spool_path = ?');
  const files = listSpool(spoolFolder).filter((file) => find.get(file) === undefined);
  const removed = removals.take(files.map((file) => ({ key: null, file })));
  for (const file of removed) rmSync(path.join(spoolFolder, file), { force: true });
  return removed.length;
}

/** Finished and unfinished contents, relative to the spool folder. */
export function listSpool(spoolFolder: string): string[] {
  return readFolder(spoolFolder)
    .filter((folder) => folder.isDirectory())
    .flatMap((folder) =>
      readFolder(path.join(spoolFolder, folder.name))
        .filter((file) => file.isFile() && /\.(?:msg|tmp)$/.test(file.name))
        .map((file) => path.join(folder.name, file.name)),
    );
}

function readFolder(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return [];
    throw error;
  }
}
