/**
 * Large contents as files: written while they arrive, durable and under their name when finished.
 *
 * For receiving. One folder per organization. A file: 8 bytes magic, format version (2 bytes), two
 * reserved, key id (4 bytes, 0 is not encrypted), then the content. The folder entry itself is
 * synced by the store, once per group of commits, before the row is committed.
 */
import { hash, randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Content } from '../mail/content.ts';
import { storeFailure, toFailure } from './sqlite-failure.ts';

/** Bytes of the header before the content. */
export const spoolHeaderBytes = 16;
const magic = 'PSTNSPL\n';
const formatVersion = 1;

/**
 * Used in order: `write` any number of times, each after the last resolved, then `finish` or
 * `abandon`. All reject with a Failure `store-full` or `store-io`; abandon then.
 */
export interface SpoolWriter {
  /** The chunk may be reused by the caller when the promise resolves. */
  write(chunk: Buffer): Promise<void>;
  /** The content is on the disk; only its folder entry is not synced yet. */
  finish(): Promise<Content>;
  /** Removes what was written, also when `finish` or the commit of its message failed. */
  abandon(): Promise<void>;
}

/**
 * `folder` is the shard's own spool folder, as given to the store, which must be open already: at
 * its start it removes what no message owns.
 */
export async function openSpool(folder: string, organization: string): Promise<SpoolWriter> {
  try {
    const own = await makeFolder(folder, organization);
    const name = `${Date.now().toString(36)}-${randomBytes(9).toString('base64url')}`;
    const finished = path.join(own, `${name}.msg`);
    const unfinished = path.join(own, `${name}.tmp`);
    const writer = new SpoolFile(await open(unfinished, 'wx', 0o600), unfinished, finished);
    await writer.begin();
    return writer;
  } catch (error) {
    made.clear();
    throw toFailure(error);
  }
}

/**
 * Throws `store-damaged` where the file is gone, has another size, or begins like no spool file. Its
 * content is not looked through. Synchronous: for the store thread.
 */
export function checkSpoolFile(content: Omit<Extract<Content, { kind: 'spool' }>, 'kind'>): void {
  const { path: file, offset, sizeBytes } = content;
  const start = Buffer.alloc(spoolHeaderBytes);
  let size = 0;
  try {
    const descriptor = openSync(file, 'r');
    try {
      size = fstatSync(descriptor).size;
      readSync(descriptor, start, 0, start.length, 0);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw toFailure(error);
    throw storeFailure('store-damaged', `the spool file ${file} is gone`, error);
  }
  if (size !== offset + sizeBytes) {
    const text = `the spool file ${file} has ${size} bytes, not ${offset + sizeBytes}`;
    throw storeFailure('store-damaged', text);
  }
  if (!start.equals(header())) {
    throw storeFailure('store-damaged', `${file} does not begin like a spool file`);
  }
}

/** Ids that are safe as a name are used as such, so that people find them; others by hash. */
export function spoolFolderName(organization: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,63}$/.test(organization)) return organization;
  return `=${hash('sha256', organization, 'hex').slice(0, 32)}`;
}

/** Folders that exist and are synced; a bounded number, as organizations are. */
const made = new Set<string>();

async function makeFolder(folder: string, organization: string): Promise<string> {
  const own = path.join(folder, spoolFolderName(organization));
  if (made.has(own)) return own;
  const first = await mkdir(own, { recursive: true, mode: 0o700 });
  if (first !== undefined) {
    for (let at = own; at.length >= first.length; at = path.dirname(at)) {
      await syncFolder(path.dirname(at));
    }
  }
  made.add(own);
  return own;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

class SpoolFile implements SpoolWriter {
  readonly #file: FileHandle;
  readonly #unfinished: string;
  readonly #finished: string;
  #sizeBytes = 0;
  #isOpen = true;

  constructor(file: FileHandle, unfinished: string, finished: string) {
    this.#file = file;
    this.#unfinished = unfinished;
    this.#finished = finished;
  }

  async begin(): Promise<void> {
    try {
      await this.#file.appendFile(header());
    } catch (error) {
      await this.abandon();
      throw error;
    }
  }

  async write(chunk: Buffer): Promise<void> {
    await guard(async () => {
      await this.#file.appendFile(chunk);
      this.#sizeBytes += chunk.length;
    });
  }

  async finish(): Promise<Content> {
    return guard(async () => {
      await this.#file.datasync();
      await this.#close();
      await rename(this.#unfinished, this.#finished);
      return {
        kind: 'spool',
        path: this.#finished,
        offset: spoolHeaderBytes,
        sizeBytes: this.#sizeBytes,
      };
    });
  }

  async abandon(): Promise<void> {
    await guard(async () => {
      await this.#close();
      await rm(this.#unfinished, { force: true });
      await rm(this.#finished, { force: true });
    });
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#file.close();
  }
}

/** What is wrong with the first bytes of a spool file, as the end of a sentence; null where nothing is. */
export function checkSpoolHeader(bytes: Buffer): string | null {
  if (bytes.toString('latin1', 0, magic.length) !== magic) return 'is no spool file of ours';
  const version = bytes.readUInt16BE(8);
  if (version === formatVersion) return null;
  return `has format ${version}; this program knows format ${formatVersion}`;
}

function header(): Buffer {
  const bytes = Buffer.alloc(spoolHeaderBytes);
  bytes.write(magic, 'latin1');
  bytes.writeUInt16BE(formatVersion, 8);
  return bytes;
}

async function guard<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toFailure(error);
  }
}
