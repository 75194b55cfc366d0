/**
 * Final delivery into a Maildir: written to tmp, synced, renamed into new, the directory synced.
 *
 * Line ends stay CRLF, byte for byte as received; `Return-Path` is put in front.
 * @see RFC 5321 §4.4; maildir(5) by D. J. Bernstein
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { composeReturnPath } from '../content/return-path.ts';
import type { ReversePath } from '../mail/address.ts';
import type { Content } from '../mail/content.ts';

export interface MaildirMessage {
  /** The mailbox: holds tmp, new and cur, which are made where they are missing. */
  readonly path: string;
  /** Names this message in this mailbox: equal for every attempt at it, for no other message. */
  readonly key: string;
  readonly receivedAtMs: number;
  readonly hostName: string;
  readonly reversePath: ReversePath;
  readonly content: Content;
  /** Look first whether an earlier attempt got so far; a mail reader may have moved it to cur. */
  readonly mayBeThere: boolean;
}

/**
 * Durable once resolved; rejects with the file system's error, and then a retry is due. A retry
 * makes no second copy of what is still in the mailbox.
 */
export async function writeToMaildir(message: MaildirMessage): Promise<'written' | 'was-there'> {
  const name = uniqueName(message);
  if (message.mayBeThere && (await isThere(message.path, name))) return 'was-there';
  const temporary = join(message.path, 'tmp', name);
  const file = await openInMaildir(message.path, temporary);
  try {
    try {
      await writeContent(file, message);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(message.path, 'new', name));
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncDirectory(join(message.path, 'new'));
  return 'written';
}

/** `seconds.key.host`, as the format asks; the same at each attempt. */
function uniqueName({ receivedAtMs, key, hostName }: MaildirMessage): string {
  const digest = createHash('sha256').update(key).digest('base64url').slice(0, 22);
  const host = hostName.replace(/[^A-Za-z0-9.-]/g, '-');
  return `${Math.floor(receivedAtMs / 1000)}.${digest}.${host}`;
}

/** In new under its name, or in cur with flags behind it. */
async function isThere(path: string, name: string): Promise<boolean> {
  try {
    await access(join(path, 'new', name));
    return true;
  } catch {
    // Not in new, or no such directory: cur decides.
  }
  try {
    const names = await readdir(join(path, 'cur'));
    return names.some((other) => other === name || other.startsWith(`${name}:`));
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function openInMaildir(path: string, temporary: string): Promise<FileHandle> {
  try {
    return await open(temporary, 'w', 0o600);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  for (const part of ['tmp', 'new', 'cur']) {
    await mkdir(join(path, part), { recursive: true, mode: 0o700 });
  }
  // The mailbox, its organization, and the folder of all: any of them may be new.
  for (const above of ['.', '..', '../..']) await syncDirectory(join(path, above));
  return open(temporary, 'w', 0o600);
}

async function writeContent(file: FileHandle, message: MaildirMessage): Promise<void> {
  const returnPath = composeReturnPath(message.reversePath);
  const { content } = message;
  if (content.kind === 'memory') {
    await file.writeFile(Buffer.concat([returnPath, content.bytes]));
    return;
  }
  await file.writeFile(returnPath);
  let sizeBytes = 0;
  for await (const chunk of createReadStream(content.path, { start: content.offset })) {
    await file.writeFile(chunk as Buffer);
    sizeBytes += (chunk as Buffer).length;
  }
  if (sizeBytes !== content.sizeBytes) {
    throw new Error(`the spool file ${content.path} has another size than was stored`);
  }
}

/** Directory syncs under way, and the one that waits behind: many renames share a sync. */
const syncs = new Map<string, { running: Promise<void>; next: Promise<void> | null }>();

function syncDirectory(path: string): Promise<void> {
  const state = syncs.get(path);
  if (state === undefined) return startSync(path);
  // The running sync may have begun before our rename; the next one covers it.
  state.next ??= state.running.then(
    () => startSync(path),
    () => startSync(path),
  );
  return state.next;
}

function startSync(path: string): Promise<void> {
  const running = syncNow(path).finally(() => {
    if (syncs.get(path)?.running === running && syncs.get(path)?.next === null) syncs.delete(path);
  });
  syncs.set(path, { running, next: null });
  return running;
}

async function syncNow(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
