/**
 * What a lane that breaks down leaves for its next start: the deliveries that were under way, one of
 * which may be why.
 */
import { writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import type { DeliveryKey } from '../store/store.ts';

/** Synchronous, as the process ends behind it. Without the note the next start is as any other. */
export function writeCrashNote(file: string, suspects: readonly DeliveryKey[]): void {
  try {
    writeFileSync(file, JSON.stringify({ formatVersion: 1, suspects }), { mode: 0o600 });
  } catch {
    // A full or failing disk: the crash itself is in the log.
  }
}

/** Empty where no crash left one, or a broken one. */
export async function readCrashNote(file: string): Promise<readonly DeliveryKey[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return [];
  }
  try {
    const { suspects } = JSON.parse(text) as { suspects: readonly DeliveryKey[] };
    return suspects.filter(({ key, ordinal }) => [key, ordinal].every(Number.isSafeInteger));
  } catch {
    return [];
  }
}

/** Once what it said was acted upon. */
export async function removeCrashNote(file: string): Promise<void> {
  await rm(file, { force: true });
}
