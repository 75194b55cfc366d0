/** Whether a backup is whole: its list, every file by size and hash, every shard and message in it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { formatQueueId } from '../../mail/queue-id.ts';
import { checkShard } from '../../store/check-shard.ts';
import type { ShardFault } from '../../store/check-shard.ts';
import { forEachFile, hashFile, isMissing } from './files.ts';
import type { Entry, Manifest } from './manifest.ts';
import { listName, readEntries, readManifest } from './manifest.ts';

/** `isKnown`: the backup says of itself that the store was damaged there already. */
export interface Fault {
  readonly text: string;
  readonly isKnown: boolean;
}

export interface VerifiedBackup {
  readonly manifest: Manifest;
  /** The first thousand. */
  readonly faults: readonly Fault[];
  readonly files: number;
  readonly bytes: number;
}

export const faultsMax = 1000;

/** Throws a Failure `backup-unknown` where the folder is no backup that this program can read. */
export async function verifyBackup(
  folder: string,
  onProgress: (text: string) => void,
): Promise<VerifiedBackup> {
  const manifest = await readManifest(folder);
  const check = new Check(folder, manifest, onProgress);
  await check.list();
  await check.files();
  for (const { shard } of manifest.shards) await check.shard(shard);
  return { manifest, faults: check.faults, files: check.count, bytes: check.bytes };
}

class Check {
  readonly faults: Fault[] = [];
  count = 0;
  bytes = 0;
  readonly #folder: string;
  readonly #manifest: Manifest;
  readonly #say: (text: string) => void;
  #saidAtMs = 0;

  constructor(folder: string, manifest: Manifest, say: (text: string) => void) {
    this.#folder = folder;
    this.#manifest = manifest;
    this.#say = say;
  }

  /** The list is what the manifest says: no line added, changed or lost. */
  async list(): Promise<void> {
    const file = join(this.#folder, listName);
    const hash = createHash('sha256');
    try {
      await pipeline(createReadStream(file), hash);
    } catch (error) {
      this.#fault(`${listName} cannot be read: ${(error as Error).message}`);
      return;
    }
    if (hash.digest('hex') !== this.#manifest.files.sha256) {
      this.#fault(`${listName} was changed: its hash is not the one in the manifest`);
    }
  }

  async files(): Promise<void> {
    try {
      await forEachFile(readEntries(this.#folder), (entry) => this.#file(entry));
    } catch (error) {
      this.#fault((error as Error).message);
    }
    const { entries } = this.#manifest.files;
    if (this.count !== entries)
      this.#fault(`${this.count} entries are listed instead of ${entries}`);
  }

  async #file(entry: Entry): Promise<void> {
    this.count += 1;
    const path = join(this.#folder, entry.path);
    try {
      if (entry.kind === 'folder') {
        if (!(await lstat(path)).isDirectory()) this.#fault(`${entry.path} is no folder`);
        return;
      }
      const { size, sha256 } = await hashFile(path, (bytes) => this.#read(bytes));
      if (size !== entry.size) {
        this.#fault(`${entry.path} has ${size} bytes instead of ${entry.size}`);
      } else if (sha256 !== entry.sha256) {
        this.#fault(`${entry.path} was changed: its hash is not the one in the list`);
      }
    } catch (error) {
      const why = isMissing(error) ? 'is missing' : `cannot be read: ${(error as Error).message}`;
      this.#fault(`${entry.path} ${why}`);
    }
  }

  async shard(shard: number): Promise<void> {
    const file = `data/queue-${shard}.db`;
    this.#say(file);
    const report = (fault: ShardFault): void => {
      const isKnown = this.#manifest.damaged.some(
        (known) => known.shard === shard && known.key === fault.key,
      );
      this.#fault(nameFault(file, shard, fault), isKnown);
    };
    const spool = join(this.#folder, 'data', 'spool', String(shard));
    const { counts } = await checkShard(join(this.#folder, file), spool, report);
    const said = this.#manifest.shards.find((each) => each.shard === shard);
    if (counts === null || said === undefined) return;
    for (const what of ['messages', 'deliveries', 'traces', 'spoolFiles'] as const) {
      const [is, was] = [counts[what], said[what]];
      if (is !== was) this.#fault(`${file} holds ${is} ${what}; the manifest says ${was}`);
    }
  }

  #read(bytes: number): void {
    this.bytes += bytes;
    if (Date.now() - this.#saidAtMs < 500) return;
    this.#saidAtMs = Date.now();
    this.#say(
      `${Math.round(this.bytes / 1e6)} of ${Math.round(this.#manifest.files.bytes / 1e6)} MB`,
    );
  }

  #fault(text: string, isKnown = false): void {
    if (this.faults.length < faultsMax) this.faults.push({ text, isKnown });
  }
}

/** A fault of a message by the id that people know. */
export function nameFault(file: string, shard: number, { key, text }: ShardFault): string {
  return key === null ? `${file}: ${text}` : `message ${formatQueueId({ key, shard })}: ${text}`;
}
