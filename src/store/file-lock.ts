/**
 * A lock that lives as long as the process, however it ends: SQLite's on a file of its own.
 *
 * Node has no flock; SQLite does, and lets the system free it when the holder dies.
 */
import { DatabaseSync } from 'node:sqlite';

export interface FileLock {
  release(): void;
}

/** Null where another process holds it still after `waitMs`. Throws what the file system says. */
export function lockFile(path: string, waitMs: number): FileLock | null {
  const lock = new DatabaseSync(path, { timeout: waitMs });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return { release: () => lock.close() };
  } catch (error) {
    lock.close();
    if (isBusy(error)) return null;
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  const { errcode } = error as { errcode?: unknown };
  return typeof errcode === 'number' && (errcode & 0xff) === 5;
}
