/**
 * The files that a configuration names, as they were when they were put in force.
 *
 * The control process reads them, once, and hands their contents to the lanes: a lane that starts again
 * needs neither the rights nor the luck to find them as they were.
 */
import { open, stat } from 'node:fs/promises';
import type { BigIntStats } from 'node:fs';

/** `fingerprint` changes when the file is written, or another one takes its place. */
export interface HeldFile {
  readonly bytes: Buffer;
  readonly fingerprint: string;
}

/** By absolute path; files that could not be read are left out. */
export type HeldFiles = ReadonlyMap<string, HeldFile>;

/** As `config/check-files.ts` refuses larger ones. */
const fileBytesMax = 4 * 1024 * 1024;

/**
 * Reads what changed since `held` was read, and takes the rest over from there: also a file that we may
 * not look at any more, as after the rights of root are gone.
 */
export async function readFiles(paths: Iterable<string>, held: HeldFiles): Promise<HeldFiles> {
  const files = new Map<string, HeldFile>();
  for (const path of new Set(paths)) {
    const known = held.get(path);
    const fingerprint = await readFingerprint(path);
    const isSame = fingerprint === known?.fingerprint || fingerprint === notAllowed;
    if (known !== undefined && isSame) {
      files.set(path, known);
      continue;
    }
    const read = await readFile(path);
    if (read !== null) files.set(path, read);
  }
  return files;
}

/** What `readFingerprint` answers for a file that we may not look at: nothing is known of it. */
export const notAllowed = 'EACCES';

/** The fingerprint of what stands there now, symbolic links followed; an error's code where nothing does. */
export async function readFingerprint(path: string): Promise<string> {
  try {
    return fingerprintOf(await stat(path, { bigint: true }));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

function fingerprintOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

/** Null where it cannot be read, or is no file to be read: `checkFiles` says why. */
async function readFile(path: string): Promise<HeldFile | null> {
  try {
    await using handle = await open(path, 'r');
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile() || stats.size > fileBytesMax) return null;
    return { bytes: await handle.readFile(), fingerprint: fingerprintOf(stats) };
  } catch {
    // Whoever checks the configuration opens it again and explains.
    return null;
  }
}
