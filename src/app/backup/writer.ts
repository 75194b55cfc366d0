/**
 * The folder of a backup while it is written: under another name, with a list of what is in it, and
 * renamed when it is complete. Whatever ends it before leaves nothing under the name that was asked for.
 */
import { createHash } from 'node:crypto';
import { access, chown, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../../mail/failure.ts';
import { lockFile } from '../../store/file-lock.ts';
import type { FileLock } from '../../store/file-lock.ts';
import type { CopiedFile, OnBytes } from './files.ts';
import { copyFile, freeBytesOf, hashFile, linkFile, syncFolder, writeFailure } from './files.ts';
import type { Entry, Manifest } from './manifest.ts';
import { formatVersion, listName, manifestName } from './manifest.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface WriterOptions {
  readonly target: string;
  /** Gets every file, where we are root and it belongs to somebody else; null: stay who we are. */
  readonly owner: Owner | null;
  /** What the disk keeps free for mail: where the target's disk has less left, the backup ends. */
  readonly keptFreeBytes: number;
  readonly onBytes: (bytes: number) => void;
}

const lookEveryBytes = 64 * 1024 * 1024;
/** Lines that wait to be written to the list. */
const linesMax = 500;

export class BackupWriter {
  /** Where it is written. */
  readonly folder: string;
  readonly #options: WriterOptions;
  readonly #list: FileHandle;
  readonly #lock: FileLock;
  readonly #hash = createHash('sha256');
  readonly #folders = new Set<string>();
  #lines: string[] = [];
  #writing: Promise<unknown> = Promise.resolve();
  #entries = 0;
  #bytes = 0;
  #sinceLook = lookEveryBytes;

  private constructor(options: WriterOptions, folder: string, list: FileHandle, lock: FileLock) {
    this.#options = options;
    this.folder = folder;
    this.#list = list;
    this.#lock = lock;
  }

  /** Throws a Failure `backup-exists`, `backup-running`, `backup-disk-full`, `backup-failed`. */
  static async open(options: WriterOptions): Promise<BackupWriter> {
    const { target } = options;
    if (await exists(target)) throw new Failure('backup-exists', `${target} exists already`);
    const folder = join(dirname(target), `.${basename(target)}.unfinished`);
    try {
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const lock = lockFile(join(folder, 'lock'), 0);
      if (lock === null) {
        throw new Failure('backup-running', `another backup is written to ${target} just now`);
      }
      await removeOldContent(folder);
      const list = await open(join(folder, listName), 'wx', 0o600);
      const writer = new BackupWriter(options, folder, list, lock);
      await writer.#own(folder);
      await writer.#own(join(folder, listName));
      return writer;
    } catch (error) {
      throw writeFailure(`the backup ${target} cannot be begun`, error);
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Copies a file to its place. `how` is `link` for files that nobody changes any more. */
  async addFile(source: string, path: string, how: 'copy' | 'link' = 'copy'): Promise<void> {
    const target = await this.#makeRoom(path);
    const copy = how === 'link' ? linkFile : copyFile;
    const copied = await copy(source, target, this.#onBytes);
    // A second name of the same file has its owner already.
    if (how === 'copy') await this.#own(target);
    await this.#note(path, copied);
  }

  /** A file that was written to its place by somebody else, with mode and owner of the original. */
  async noteFile(path: string, original: string): Promise<void> {
    const target = join(this.folder, path);
    await using handle = await open(target, 'r+');
    await handle.chmod(0o600);
    await handle.sync();
    await this.#own(target);
    const written = await hashFile(target, this.#onBytes);
    const { mode, uid, gid, mtimeMs } = await stat(original);
    await this.#note(path, { ...written, mode: mode & 0o7777, uid, gid, mtimeMs });
  }

  /** Where a file of this path is to be written; its folders are made. */
  async place(path: string): Promise<string> {
    return this.#makeRoom(path);
  }

  /** A folder with mode and owner of the original, also where nothing is in it. */
  async addFolder(original: string, path: string): Promise<void> {
    const { mode, uid, gid, mtimeMs } = await stat(original);
    await this.#makeFolder(path);
    await this.#write({ kind: 'folder', path, mode: mode & 0o7777, uid, gid, mtimeMs });
  }

  /** Completes it: the manifest, everything on the disk, the name. */
  async finish(manifest: Omit<Manifest, 'format' | 'formatVersion' | 'files'>): Promise<Manifest> {
    await this.#flush();
    await this.#list.sync();
    await this.#list.close();
    const whole: Manifest = {
      format: 'postern-backup',
      formatVersion,
      ...manifest,
      files: { entries: this.#entries, bytes: this.#bytes, sha256: this.#hash.digest('hex') },
    };
    const file = join(this.folder, manifestName);
    await using handle = await open(file, 'wx', 0o600);
    await handle.writeFile(`${JSON.stringify(whole, null, 2)}\n`);
    await handle.sync();
    await this.#own(file);
    for (const folder of this.#folders) await syncFolder(join(this.folder, folder));
    this.#lock.release();
    await removeLock(this.folder);
    await syncFolder(this.folder);
    return whole;
  }

  /** Gives the finished backup its name. */
  async publish(): Promise<void> {
    const { target } = this.#options;
    if (await exists(target)) throw new Failure('backup-exists', `${target} exists meanwhile`);
    await rename(this.folder, target);
    await syncFolder(dirname(target));
  }

  /** Removes what was written. */
  async abandon(): Promise<void> {
    await this.#list.close().catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true });
    this.#lock.release();
  }

  /** The disk's last room is the mail's. */
  readonly #onBytes: OnBytes = async (bytes) => {
    this.#options.onBytes(bytes);
    this.#sinceLook += bytes;
    if (this.#sinceLook < lookEveryBytes) return;
    this.#sinceLook = 0;
    await this.checkRoom();
  };

  /** Throws a Failure `backup-disk-full` where `bytes` more would leave less than mail shall keep. */
  async checkRoom(bytes = 0): Promise<void> {
    const { keptFreeBytes, target } = this.#options;
    const free = await freeBytesOf(this.folder);
    if (free >= keptFreeBytes + bytes) return;
    const kept = keptFreeBytes === 0 ? '' : `, and the mail needs the last ${keptFreeBytes}`;
    const text = `the disk of ${target} has ${free} bytes left${bytes === 0 ? '' : ` for ${bytes} more`}${kept}`;
    throw new Failure('backup-disk-full', text);
  }

  async #makeRoom(path: string): Promise<string> {
    await this.#makeFolder(dirname(path));
    return join(this.folder, path);
  }

  async #makeFolder(path: string): Promise<void> {
    if (path === '.' || this.#folders.has(path)) return;
    await this.#makeFolder(dirname(path));
    await mkdir(join(this.folder, path), { recursive: true, mode: 0o700 });
    await this.#own(join(this.folder, path));
    this.#folders.add(path);
  }

  async #own(path: string): Promise<void> {
    const { owner } = this.#options;
    if (owner !== null) await chown(path, owner.uid, owner.gid);
  }

  async #note(path: string, file: CopiedFile): Promise<void> {
    this.#bytes += file.size;
    await this.#write({ kind: 'file', path, ...file });
  }

  async #write(entry: Entry): Promise<void> {
    const line = `${JSON.stringify(entry)}\n`;
    this.#hash.update(line);
    this.#entries += 1;
    this.#lines.push(line);
    if (this.#lines.length >= linesMax) await this.#flush();
  }

  async #flush(): Promise<void> {
    const text = this.#lines.join('');
    this.#lines = [];
    // In the order of the hash, whoever comes first.
    this.#writing = this.#writing.then(() => (text === '' ? null : this.#list.appendFile(text)));
    await this.#writing;
  }
}

/** What a backup that was killed has left; its lock is free. */
async function removeOldContent(folder: string): Promise<void> {
  for (const name of ['data', 'configuration', listName, manifestName]) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function removeLock(folder: string): Promise<void> {
  for (const name of ['lock', 'lock-journal']) await rm(join(folder, name), { force: true });
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
