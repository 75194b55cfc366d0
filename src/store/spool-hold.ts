/**
 * A hold on the spool of a shard: while a backup copies, the files of messages that its snapshot has
 * stay, although their messages are delivered meanwhile.
 *
 * The hold is a file beside the shard, `queue-0.hold`, renewed as long as its holder lives: what a
 * killed holder leaves is void after a minute. Made before the snapshot is taken, it is seen by every
 * removal whose message the snapshot may still have, since those commit after it.
 */
import { readFileSync, statSync } from 'node:fs';
import { chown, rename, rm, utimes, writeFile } from 'node:fs/promises';

/** A hold that was not renewed for so long is void. */
export const holdLeaseMs = 60_000;
const renewEveryMs = 10_000;

/** Beside the shard file of this path. */
export function holdFileOf(shardFile: string): string {
  return shardFile.replace(/(\.db)?$/, '.hold');
}

export interface SpoolHold {
  /** From now on only files of messages with keys up to this one stay. */
  narrow(upToKey: number): Promise<void>;
  /** Rejects where the hold was lost meanwhile: files may be gone. */
  release(): Promise<void>;
}

/**
 * `owner` gets the file where we are root. One holder at a time, which its caller sees to. Rejects with
 * the file system's error.
 */
export async function holdSpool(
  shardFile: string,
  owner: { readonly uid: number; readonly gid: number } | null,
): Promise<SpoolHold> {
  const file = holdFileOf(shardFile);
  const write = async (upToKey: number | null): Promise<void> => {
    const draft = `${file}.tmp`;
    await writeFile(draft, JSON.stringify({ formatVersion: 1, upToKey }), { mode: 0o600 });
    if (owner !== null) await chown(draft, owner.uid, owner.gid);
    await rename(draft, file);
  };
  await write(null);
  let renewedAtMs = Date.now();
  let isLost = false;
  const renew = async (): Promise<void> => {
    const nowMs = Date.now();
    if (Math.abs(nowMs - renewedAtMs) >= holdLeaseMs) isLost = true;
    await utimes(file, nowMs / 1000, nowMs / 1000);
    renewedAtMs = nowMs;
  };
  const timer = setInterval(() => void renew().catch(() => (isLost = true)), renewEveryMs);
  return {
    narrow: (upToKey) => write(upToKey),
    release: async () => {
      clearInterval(timer);
      await renew().catch(() => (isLost = true));
      await rm(file, { force: true });
      if (isLost) throw new Error('the hold on the spool was lost meanwhile');
    },
  };
}

/**
 * Up to which key files stay; null where nothing is held. What cannot be read holds everything, until
 * it is void by its age.
 */
export function readHold(holdFile: string, nowMs: number): number | null {
  try {
    const { mtimeMs } = statSync(holdFile);
    if (Math.abs(nowMs - mtimeMs) >= holdLeaseMs) return null;
  } catch {
    // There is none, which is the rule.
    return null;
  }
  try {
    const { upToKey } = JSON.parse(readFileSync(holdFile, 'utf8')) as { upToKey: number | null };
    return upToKey ?? Infinity;
  } catch {
    return Infinity;
  }
}
