/** What of a data folder belongs into a backup, besides the shards and what they refer to. */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Config } from '../../config/config.ts';
import { isMissing } from './files.ts';

/** A file or folder to copy. `path` is where it lies in the backup. */
export interface Source {
  readonly kind: 'file' | 'folder';
  readonly original: string;
  readonly path: string;
}

/** Made anew by each start, or of no use elsewhere, or copied in another way. */
const leftAway =
  /^(?:queue-\d+\..*|control\.db(?:-.*)?|.*\.lock(?:-journal)?|run|spool|mail|backups|\..*)$/;

/** Everything else: certificates, the configuration of a first start, what is added in the future. */
export async function* listOthers(dataFolder: string): AsyncGenerator<Source> {
  for (const entry of await readFolder(dataFolder)) {
    if (leftAway.test(entry.name)) continue;
    yield* walk(join(dataFolder, entry.name), `data/${entry.name}`, entry);
  }
}

/**
 * Every mailbox. Deliveries and mail readers go on meanwhile: what is only being written (tmp) is left
 * away, and a message that was moved from new to cur is looked for again.
 */
export async function* listMailboxes(folder: string): AsyncGenerator<Source> {
  for (const entry of await readFolder(folder)) {
    yield* walk(join(folder, entry.name), `data/mail/${entry.name}`, entry);
  }
}

async function* walk(original: string, path: string, entry: Dirent): AsyncGenerator<Source> {
  if (entry.isFile()) yield { kind: 'file', original, path };
  if (!entry.isDirectory()) return;
  yield { kind: 'folder', original, path };
  if (entry.name === 'tmp') return;
  // new before cur: what moves between the two listings is seen twice, never missed.
  const names = (await readFolder(original)).sort((a, b) => rank(a.name) - rank(b.name));
  for (const inner of names)
    yield* walk(join(original, inner.name), `${path}/${inner.name}`, inner);
}

function rank(name: string): number {
  return name === 'new' ? 0 : 1;
}

async function readFolder(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** The mailbox and the name without flags, where a file is a message of a Maildir; null elsewhere. */
export function messageOf({ original }: Source) {
  const match = /^(.*)\/(?:new|cur)\/([^/:]+)[^/]*$/.exec(original);
  return match === null ? null : { mailbox: match[1]!, name: match[2]! };
}

/** Where a message of a Maildir is now that was moved or given other flags; null where it is gone. */
export async function findMoved(source: Source): Promise<Source | null> {
  const message = messageOf(source);
  if (message === null) return null;
  const { mailbox: maildir, name } = message;
  for (const part of ['new', 'cur']) {
    const found = (await readFolder(join(maildir, part))).find(
      (entry) => entry.name === name || entry.name.startsWith(`${name}:`),
    );
    if (found === undefined) continue;
    const place = source.path.split('/').slice(0, -2).join('/');
    const original = join(maildir, part, found.name);
    return { kind: 'file', original, path: `${place}/${part}/${found.name}` };
  }
  return null;
}

export interface ConfigurationPlaces {
  readonly file: string;
  readonly path: string;
  readonly files: readonly { readonly file: string; readonly path: string }[];
}

/** Where the configuration and the files that it names lie in the backup. */
export function placesOf(config: Config): ConfigurationPlaces {
  const folder = join(config.file, '..');
  const place = (file: string): string => {
    const inData = below(config.dataFolder, file);
    if (inData !== null && !leftAway.test(inData.split('/')[0]!)) return `data/${inData}`;
    const beside = below(folder, file);
    return `configuration/${beside ?? `elsewhere/${file.split(sep).filter(Boolean).join('/')}`}`;
  };
  const files = [...new Set(config.files.map(({ path }) => path))];
  return {
    file: config.file,
    path: place(config.file),
    files: files.map((file) => ({ file, path: place(file) })),
  };
}

/** The path below the folder, with `/`; null where it lies elsewhere. */
export function below(folder: string, file: string): string | null {
  const path = relative(folder, file);
  if (path === '' || path === '..' || path.startsWith(`..${sep}`)) return null;
  return path.split(sep).join('/');
}
