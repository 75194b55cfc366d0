/**
 * Replaces a file by an edited one, whole or not at all, and only if nobody else changed it meanwhile.
 *
 * For commands that edit the configuration. The draft beside the file is also the lock between two
 * such commands. Owner and mode are kept; a symbolic link stays one.
 */
import { constants } from 'node:fs';
import { open, realpath, rename, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../mail/failure.ts';

/** A draft older than this was left by a command that was killed. */
const staleMs = 60_000;

/**
 * `edit` gets the text and gives the new one; what it throws ends the edit and changes nothing. The
 * same text again writes nothing. Rejects with `config-not-writable` or `config-changed`.
 */
export async function editFile(
  file: string,
  edit: (text: string) => string | Promise<string>,
): Promise<void> {
  const target = await attempt(file, () => realpath(file));
  const draft = join(dirname(target), `.${basename(target)}.edit`);
  const handle = await lockDraft(draft);
  let isDraft = true;
  try {
    const before = await attempt(file, () => readWhole(target));
    const text = await edit(before.text);
    if (text === before.text) return;
    await attempt(file, () => fill(handle, text, before));
    if (!isSame(before, await attempt(file, () => stat(target, { bigint: true })))) {
      throw new Failure('config-changed', `${file} was changed by somebody else meanwhile`);
    }
    await attempt(file, () => rename(draft, target));
    isDraft = false;
    await attempt(file, () => syncFolder(dirname(target)));
  } finally {
    await handle.close();
    if (isDraft) await unlink(draft).catch(ignoreMissing);
  }
}

interface Before {
  readonly text: string;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
}

async function readWhole(file: string): Promise<Before> {
  await using handle = await open(file, 'r');
  const stats = await handle.stat({ bigint: true });
  const text = await handle.readFile('utf8');
  const { dev, ino, size, mtimeNs, ctimeNs, mode, uid, gid } = stats;
  return { text, dev, ino, size, mtimeNs, ctimeNs, mode, uid, gid };
}

function isSame(before: Before, now: Omit<Before, 'text'>): boolean {
  return (['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const).every(
    (key) => before[key] === now[key],
  );
}

/** Nobody but us may read the draft before it has the owner and mode of the file. */
async function fill(handle: FileHandle, text: string, { mode, uid, gid }: Before): Promise<void> {
  await handle.writeFile(text);
  const made = await handle.stat({ bigint: true });
  if (made.uid !== uid || made.gid !== gid) await handle.chown(Number(uid), Number(gid));
  await handle.chmod(Number(mode) & 0o7777);
  await handle.sync();
}

async function lockDraft(draft: string): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  for (let isSecond = false; ; isSecond = true) {
    try {
      return await open(draft, flags, 0o600);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw notWritable(draft, cause);
      if (isSecond || !(await isStale(draft))) {
        const text = `another command edits the configuration just now (${draft})`;
        throw new Failure('config-changed', text, { cause });
      }
      await unlink(draft).catch(ignoreMissing);
    }
  }
}

async function isStale(draft: string): Promise<boolean> {
  const stats = await stat(draft).catch(() => null);
  return stats === null || Date.now() - stats.mtimeMs > staleMs;
}

async function attempt<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw notWritable(file, cause);
  }
}

function notWritable(file: string, cause: unknown): Failure {
  const text = `cannot edit ${file}: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new Failure('config-not-writable', text, { cause });
}

/** The new name is on the disk only when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
