/**
 * A data folder from a backup: verified, written under another name, synced, renamed.
 *
 * What was there before is moved aside, never removed. Killed at any moment, the folder is either the old
 * one, or the new one, or missing, with both beside it under names that say what they are.
 */
import { chmod, chown, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Failure } from '../../mail/failure.ts';
import { lockFile } from '../../store/file-lock.ts';
import { storeVersion } from '../../store/migrations.ts';
import { foldersOf, takeDataFolder } from '../data-folder.ts';
import { isRoot } from '../privileges.ts';
import { copyFile, forEachFile, syncFolder, writeFailure } from './files.ts';
import type { Entry, Manifest } from './manifest.ts';
import { readEntries, readManifest } from './manifest.ts';
import { verifyBackup } from './verify-backup.ts';
import { below } from './what-to-copy.ts';
import { exists } from './writer.ts';

export interface RestoreTask {
  readonly backup: string;
  /** The data folder that is made. */
  readonly to: string;
  /** A data folder that is there is moved aside. */
  readonly mayReplace: boolean;
  readonly onProgress: (text: string) => void;
}

export interface Restored {
  readonly folder: string;
  readonly manifest: Manifest;
  /** Where the old data folder lies now; null where there was none. */
  readonly movedTo: string | null;
  /** The mailboxes are those of the old data folder, since the backup has none. */
  readonly hasKeptMailboxes: boolean;
  /** Where the backup lies now: it may have been in the folder that was moved aside. */
  readonly backup: string;
  /** The configuration of the backup; null where it has none. */
  readonly configFile: string | null;
}

/** Whether the backup can be restored there at all, before anybody is asked. Throws as `restore` does. */
export async function prepareRestore(task: RestoreTask): Promise<Manifest> {
  const manifest = await readManifest(resolve(task.backup));
  if (manifest.storeVersion > storeVersion) {
    const text = `the backup ${task.backup} holds a store of version ${manifest.storeVersion}, written by Postern ${manifest.programVersion}; this Postern understands up to ${storeVersion}`;
    throw new Failure('store-newer', text);
  }
  await judgeTarget(task);
  return manifest;
}

/**
 * Throws a Failure: `backup-unknown`, `backup-damaged`, `store-newer`, `restore-refused`,
 * `data-folder-taken`, `backup-running`, `backup-disk-full`, `backup-failed`.
 */
export async function restoreBackup(task: RestoreTask): Promise<Restored> {
  const manifest = await prepareRestore(task);
  const backup = resolve(task.backup);
  const folder = resolve(task.to);
  const { faults } = await verifyBackup(backup, task.onProgress);
  const fault = faults.find(({ isKnown }) => !isKnown);
  if (fault !== undefined) {
    throw new Failure('backup-damaged', `the backup ${backup} is damaged: ${fault.text}`);
  }
  const draft = join(dirname(folder), `.${basename(folder)}.restoring`);
  const what = `${folder} was not restored, and is as it was`;
  const lock = await openDraft(draft).catch((error: unknown) => {
    throw writeFailure(what, error);
  });
  try {
    try {
      await copyAll({ backup, draft, onProgress: task.onProgress });
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      throw error;
    }
    const swapped = await swap(task, { folder, draft, manifest });
    const configFile = configurationIn(folder, manifest);
    const backupNow = swapped.movedTo === null ? backup : moved(backup, folder, swapped.movedTo);
    return { folder, manifest, configFile, backup: backupNow, ...swapped };
  } catch (error) {
    throw writeFailure(what, error);
  } finally {
    lock.release();
    await rm(`${draft}.lock`, { force: true });
  }
}

/** Where a file lies after the folder that it may lie in was moved. */
function moved(file: string, folder: string, to: string): string {
  const inside = below(folder, file);
  return inside === null ? file : join(to, inside);
}

async function judgeTarget({ to, mayReplace }: RestoreTask): Promise<void> {
  const folder = resolve(to);
  const stats = await stat(folder).catch(() => null);
  if (stats === null) return;
  if (!stats.isDirectory()) throw new Failure('restore-refused', `${folder} is no folder`);
  if (stats.dev !== (await stat(dirname(folder))).dev) {
    const text = `${folder} is the root of a disk, which cannot be replaced as a whole; restore into a new folder on it and name that as \`dataFolder\``;
    throw new Failure('restore-refused', text);
  }
  const names = await readdir(folder);
  if (names.includes('gateway.lock')) (await takeDataFolder(folder)).release();
  if (names.length === 0 || mayReplace) return;
  const text = `${folder} is not empty; --replace would move it aside`;
  throw new Failure('restore-refused', text);
}

/** The lock lies beside the draft, which gets another name. */
async function openDraft(draft: string) {
  await mkdir(dirname(draft), { recursive: true, mode: 0o700 });
  const lock = lockFile(`${draft}.lock`, 0);
  if (lock === null) throw new Failure('backup-running', `another restore writes ${draft}`);
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  return lock;
}

interface Copy {
  readonly backup: string;
  readonly draft: string;
  readonly onProgress: (text: string) => void;
}

async function copyAll({ backup, draft, onProgress }: Copy): Promise<void> {
  const folders: Entry[] = [];
  const made = new Set<string>([draft]);
  let bytes = 0;
  let saidAtMs = 0;
  await forEachFile(readEntries(backup), async (entry) => {
    const target = join(draft, placeOf(entry.path));
    await makeFolders(entry.kind === 'folder' ? target : dirname(target), made);
    if (entry.kind === 'folder') {
      folders.push(entry);
      return;
    }
    const copied = await copyFile(join(backup, entry.path), target, (more) => {
      bytes += more;
      if (Date.now() - saidAtMs < 500) return;
      saidAtMs = Date.now();
      onProgress(`${Math.round(bytes / 1e6)} MB restored`);
    });
    if (copied.sha256 !== entry.sha256) {
      throw new Failure('backup-damaged', `${entry.path} changed while it was read`);
    }
    await likeOriginal(target, entry);
  });
  // Modes of folders last: one may be closed to us.
  for (const entry of folders.toReversed())
    await likeOriginal(join(draft, placeOf(entry.path)), entry);
  for (const folder of made) await syncFolder(folder);
}

/** `data/` becomes the folder itself. */
function placeOf(path: string): string {
  return path.startsWith('data/') ? path.slice('data/'.length) : path;
}

async function makeFolders(folder: string, made: Set<string>): Promise<void> {
  if (made.has(folder)) return;
  await makeFolders(dirname(folder), made);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  made.add(folder);
}

async function likeOriginal(path: string, { mode, uid, gid, mtimeMs }: Entry): Promise<void> {
  if (isRoot()) await chown(path, uid, gid);
  await chmod(path, mode);
  await utimes(path, mtimeMs / 1000, mtimeMs / 1000);
}

interface Swap {
  readonly folder: string;
  readonly draft: string;
  readonly manifest: Manifest;
}

async function swap(
  task: RestoreTask,
  { folder, draft, manifest }: Swap,
): Promise<Pick<Restored, 'movedTo' | 'hasKeptMailboxes'>> {
  await judgeTarget(task);
  await ownAsShards(draft);
  const isThere = await exists(folder);
  const isEmpty = isThere && (await readdir(folder)).length === 0;
  if (!isThere || isEmpty) {
    // A rename takes the place of an empty folder.
    await rename(draft, folder);
    await syncFolder(dirname(folder));
    return { movedTo: null, hasKeptMailboxes: false };
  }
  const hold = await takeDataFolder(folder);
  try {
    const movedTo = await freeName(`${folder}.replaced-${stamp(new Date())}`);
    await rename(folder, movedTo);
    await rename(draft, folder).catch(async (error: unknown) => {
      await rename(movedTo, folder);
      throw error;
    });
    // Last, so that at no moment mailboxes lie in a draft.
    const mailboxes = foldersOf(movedTo).mailboxes;
    const hasKeptMailboxes = !manifest.hasMailboxes && (await exists(mailboxes));
    if (hasKeptMailboxes) await rename(mailboxes, foldersOf(folder).mailboxes);
    for (const changed of [movedTo, folder, dirname(folder)]) await syncFolder(changed);
    return { movedTo, hasKeptMailboxes };
  } finally {
    hold.release();
  }
}

/** The folder itself, and those that no entry describes, belong to whom the shards belong to. */
async function ownAsShards(draft: string): Promise<void> {
  if (!isRoot()) return;
  const names = await readdir(draft);
  const shard = names.find((name) => /^queue-\d+\.db$/.test(name));
  if (shard === undefined) return;
  const { uid, gid } = await stat(join(draft, shard));
  await chown(draft, uid, gid);
  for (const name of ['spool', 'mail', 'tls', 'configuration']) {
    if (names.includes(name)) await ownFolders(join(draft, name), uid, gid);
  }
}

async function ownFolders(folder: string, uid: number, gid: number): Promise<void> {
  if ((await stat(folder)).uid === process.getuid?.()) await chown(folder, uid, gid);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await ownFolders(join(folder, entry.name), uid, gid);
  }
}

function configurationIn(folder: string, { configuration }: Manifest): string | null {
  return configuration === null ? null : join(folder, placeOf(configuration.path));
}

/** For names of files: 20261122T100200Z. */
export function stamp(at: Date): string {
  return at.toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '');
}

export async function freeName(wanted: string): Promise<string> {
  for (let i = 1; ; i++) {
    const name = i === 1 ? wanted : `${wanted}-${i}`;
    if (!(await exists(name))) return name;
  }
}
