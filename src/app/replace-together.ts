/**
 * Replaces a certificate and its key, each file whole or not at all, and both or none.
 *
 * Two files cannot change in one step: for an instant the new key lies beside the old certificate. The
 * gateway keeps what it has where they do not fit, and a failure puts the old key back.
 */
import { chown, link, lstat, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../mail/failure.ts';

export interface NewContent {
  readonly file: string;
  readonly text: string;
}

/**
 * In the order given; the files get mode 0600 and, where they are new, the owner of `ownerOf`.
 * Throws `certificate-not-written`, and then the files are as they were.
 */
export async function replaceTogether(
  contents: readonly NewContent[],
  ownerOf: string,
): Promise<void> {
  try {
    await replaceAll(contents, ownerOf);
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    const text = `nothing was changed: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new Failure('certificate-not-written', text, { cause });
  }
}

async function replaceAll(contents: readonly NewContent[], ownerOf: string): Promise<void> {
  const drafts: string[] = [];
  const kept: { readonly file: string; readonly backup: string | null }[] = [];
  try {
    for (const { file, text } of contents) drafts.push(await writeDraft(file, text, ownerOf));
    for (const [place, { file }] of contents.entries()) {
      const backup = await keepOld(file);
      await rename(drafts[place]!, file);
      kept.push({ file, backup });
    }
    for (const { file } of contents) await syncFolder(dirname(file));
  } catch (error) {
    for (const { file, backup } of kept) {
      await (backup === null ? unlink(file) : rename(backup, file));
    }
    throw error;
  } finally {
    const left = [...drafts, ...kept.map(({ backup }) => backup)];
    for (const file of left) if (file !== null) await unlink(file).catch(ignoreMissing);
  }
}

async function writeDraft(file: string, text: string, ownerOf: string): Promise<string> {
  const folder = dirname(file);
  const owner = await ownerFor(file, ownerOf);
  await makeFolder(folder, owner);
  const draft = `${file}.${process.pid}.new`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    if (process.getuid?.() === 0) await handle.chown(owner.uid, owner.gid);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return draft;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Whoever has the file now, else whoever has the data folder. A link belongs to another program. */
async function ownerFor(file: string, ownerOf: string): Promise<Owner> {
  const known = await lstat(file).catch(() => null);
  if (known?.isSymbolicLink() === true) {
    const text = `${file} is a symbolic link: the program that made it renews it`;
    throw new Failure('certificate-not-written', text);
  }
  return known ?? (await stat(ownerOf));
}

/** Folders that are missing, up to the first that is there. */
async function makeFolder(folder: string, owner: Owner): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined || process.getuid?.() !== 0) return;
  for (let made = folder; made.startsWith(first); made = dirname(made)) {
    await chown(made, owner.uid, owner.gid);
  }
}

/** A second name of the old file; null where there is none. */
async function keepOld(file: string): Promise<string | null> {
  const backup = `${file}.${process.pid}.old`;
  try {
    await link(file, backup);
    return backup;
  } catch (error) {
    ignoreMissing(error);
    return null;
  }
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
