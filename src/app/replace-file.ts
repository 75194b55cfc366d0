/** Writes a file of the data folder whole or not at all, for its owner alone. */
import { open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** It is on the disk when this resolves. One writer at a time. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const folder = dirname(file);
  const draft = join(folder, `.${basename(file)}.new`);
  try {
    await writeDraft(draft, text);
    await rename(draft, file);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
  await using handle = await open(folder, 'r');
  await handle.sync();
}

async function writeDraft(draft: string, text: string): Promise<void> {
  // What an earlier start left may belong to another user.
  await unlink(draft).catch(() => undefined);
  await using handle = await open(draft, 'wx', 0o600);
  await handle.writeFile(text);
  await handle.sync();
}
