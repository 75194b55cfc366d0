/**
 * Whether the disk of the data folder has room for new mail. The last of it is kept for what is
 * queued: the results of attempts are written too, and on a full disk nothing would ever leave.
 */
import { statfs } from 'node:fs/promises';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import { Outage } from '../report/outage.ts';
import type { OutageServices } from '../report/outage.ts';

const lookEveryMs = 1000;
/** A message takes its size in the log of the store and again in its file, and some pages. */
const copies = 2;
const bytesPerMessage = 16 * 1024;

const noRoom = reply(452, '4.3.1', 'insufficient system storage, try again later');

export interface DiskRoom {
  /** What MAIL is answered with now, or null. */
  admit(): Reply | null;
  /** A message of this size was stored since the last look. */
  took(sizeBytes: number): void;
  /** Another bound than the one at the start. */
  keep(bytes: number): void;
  close(): void;
}

/** Resolves after the first look. `freeBytes` is a seam for tests: what the folder's disk has left. */
export async function watchDisk(
  folder: string,
  keptAtFirst: number,
  services: OutageServices,
  freeBytes: (folder: string) => Promise<number> = readFreeBytes,
): Promise<DiskRoom> {
  const outage = new Outage(
    {
      what: 'disk',
      began: 'the disk is nearly full: new mail is put off',
      ended: 'the disk has room again: new mail is taken',
    },
    services,
  );
  let free = Infinity;
  let keptBytes = keptAtFirst;
  let isReadable = true;
  const judge = (): boolean => {
    const isShort = free < keptBytes;
    if (isShort) outage.failed({ folder, freeBytes: free, keptBytes });
    else outage.worked();
    return isShort;
  };
  const look = async (): Promise<void> => {
    try {
      free = await freeBytes(folder);
      isReadable = true;
    } catch (error) {
      // Whether mail can be stored is then for the store to find out.
      free = Infinity;
      const text = 'the free space of the disk cannot be read';
      if (isReadable) services.log.warn({ folder, err: error }, text);
      isReadable = false;
    }
    judge();
  };
  await look();
  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    void look().finally(() => (isLooking = false));
  }, lookEveryMs);
  timer.unref();
  return {
    admit: () => (judge() ? noRoom : null),
    took: (sizeBytes) => void (free -= copies * sizeBytes + bytesPerMessage),
    keep: (bytes) => void (keptBytes = bytes),
    close: () => clearInterval(timer),
  };
}

async function readFreeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
