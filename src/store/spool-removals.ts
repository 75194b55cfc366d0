/** Removes the spool files of messages that are gone, at once or when a backup no longer needs them. */
import { unlink } from 'node:fs/promises';
import path from 'node:path';
import { readHold } from './spool-hold.ts';

/** `file` is relative to the spool folder; `key` null where the message is not known. */
export interface RemovedContent {
  readonly key: number | null;
  readonly file: string;
}

export class SpoolRemovals {
  readonly #spoolFolder: string;
  readonly #holdFile: string;
  /** At most what a backup's snapshot holds; the sweep of the next start removes what is forgotten. */
  #kept: string[] = [];

  constructor(spoolFolder: string, holdFile: string) {
    this.#spoolFolder = spoolFolder;
    this.#holdFile = holdFile;
  }

  /** Of messages whose end is committed. A file that cannot be removed has no row: a sweep does. */
  remove(contents: readonly RemovedContent[]): void {
    for (const file of this.take(contents)) this.#unlink(file);
  }

  /** The files that may go now; the others are remembered until nothing holds them. */
  take(contents: readonly RemovedContent[]): string[] {
    if (contents.length === 0) return [];
    const upToKey = readHold(this.#holdFile, Date.now());
    if (upToKey === null) return contents.map(({ file }) => file);
    const isHeld = ({ key }: RemovedContent): boolean => (key ?? 0) <= upToKey;
    this.#kept.push(...contents.filter(isHeld).map(({ file }) => file));
    return contents.filter((content) => !isHeld(content)).map(({ file }) => file);
  }

  /** Removes what was kept, once nothing is held any more. */
  removeKept(): void {
    if (this.#kept.length === 0 || readHold(this.#holdFile, Date.now()) !== null) return;
    for (const file of this.#kept) this.#unlink(file);
    this.#kept = [];
  }

  #unlink(file: string): void {
    unlink(path.join(this.#spoolFolder, file)).catch(() => undefined);
  }
}
