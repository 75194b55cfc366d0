/**
 * Removes, before the gateway takes mail, what a crash left in the spool: unfinished files, and
 * finished ones whose message was never committed or is gone. Never a file that has a row.
 */
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

/** Returns how many files were removed. Runs in the store thread, before its first commit. */
export function sweepSpool(db: DatabaseSync, spoolFolder: string): number {
  // A new file beside an old spool: the one that knew these contents was moved away, and may come back.
  const { key } = db.prepare('SELECT key FROM last_key').get() as { key: number };
  if (key === 0) return 0;
  const find = db.prepare('SELECT 1 FROM message WHERE spool_path = ?');
  return sweepFolders(spoolFolder, (file) => find.get(file) !== undefined);
}

/** `hasRow` is asked with the path relative to the spool folder. */
export function sweepFolders(spoolFolder: string, hasRow: (file: string) => boolean): number {
  let removed = 0;
  for (const folder of readFolder(spoolFolder)) {
    if (!folder.isDirectory()) continue;
    for (const file of readFolder(path.join(spoolFolder, folder.name))) {
      const relative = path.join(folder.name, file.name);
      if (!file.isFile() || !/\.(?:msg|tmp)$/.test(file.name) || hasRow(relative)) continue;
      rmSync(path.join(spoolFolder, relative), { force: true });
      removed += 1;
    }
  }
  return removed;
}

function readFolder(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return [];
    throw error;
  }
}
