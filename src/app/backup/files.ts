/** Copying and hashing files in pieces, whole and on the disk, and what the system says about it. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, statfs } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { Failure } from '../../mail/failure.ts';

const pieceBytes = 1024 * 1024;
/** Files that are copied at a time: their syncs share the disk's. */
const atOnceMax = 4;

export interface CopiedFile {
  readonly size: number;
  readonly sha256: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeMs: number;
}

/** Told after each piece; what it throws ends the copy. */
export type OnBytes = (bytes: number) => void | Promise<void>;

/**
 * `target` is new, 0600, synced; its folder entry is not. Symbolic links are followed. Rejects with the
 * file system's error.
 */
export async function copyFile(
  source: string,
  target: string,
  onBytes: OnBytes,
): Promise<CopiedFile> {
  await using from = await open(source, 'r');
  await using to = await open(target, 'wx', 0o600);
  const sum = await pump(from, to, onBytes);
  await to.sync();
  return describe(from, sum);
}

/**
 * The same bytes under another name, where the file system can; a copy elsewhere. For files that nobody
 * writes any more.
 */
export async function linkFile(
  source: string,
  target: string,
  onBytes: OnBytes,
): Promise<CopiedFile> {
  try {
    await link(source, target);
  } catch (error) {
    if (isMissing(error)) throw error;
    return copyFile(source, target, onBytes);
  }
  return hashFile(target, () => undefined);
}

/** Reads it whole. Rejects with the file system's error. */
export async function hashFile(file: string, onBytes: OnBytes): Promise<CopiedFile> {
  await using from = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  return describe(from, await pump(from, null, onBytes));
}

async function describe(
  file: FileHandle,
  sum: { readonly size: number; readonly sha256: string },
): Promise<CopiedFile> {
  const { mode, uid, gid, mtimeMs } = await file.stat();
  return { ...sum, mode: mode & 0o7777, uid, gid, mtimeMs };
}

async function pump(
  from: FileHandle,
  to: FileHandle | null,
  onBytes: OnBytes,
): Promise<{ readonly size: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(pieceBytes);
  let size = 0;
  for (;;) {
    const { bytesRead } = await from.read(buffer, 0, pieceBytes);
    if (bytesRead === 0) return { size, sha256: hash.digest('hex') };
    const piece = buffer.subarray(0, bytesRead);
    hash.update(piece);
    if (to !== null) await to.writeFile(piece);
    size += bytesRead;
    await onBytes(bytesRead);
  }
}

export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

export async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Works on each, a few at a time; rejects with the first failure, when none is under way any more. */
export async function forEachFile<T>(
  items: AsyncIterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for await (const item of items) {
    const one: Promise<void> = work(item)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => running.delete(one));
    running.add(one);
    if (running.size >= atOnceMax) await Promise.race(running);
    if (failures.length > 0) break;
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ENOENT';
}

/** A Failure for what the file system says while a folder is written. */
export function writeFailure(what: string, error: unknown): Failure {
  if (error instanceof Failure && error.code !== 'store-full') return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT' || code === 'store-full';
  const text = isFull
    ? `${what}: the disk is full`
    : `${what}: ${error instanceof Error ? message : String(error)}`;
  return new Failure(isFull ? 'backup-disk-full' : 'backup-failed', text, { cause: error });
}
