/**
 * What a backup says of itself: `manifest.json`, and a line for each file and folder in `files.jsonl`,
 * whose hash stands in the manifest. The manifest is written last: a folder without one is no backup.
 *
 * ```
 * TARGET/manifest.json, files.jsonl
 *        data/            what lies in the data folder
 *        configuration/   the configuration and the files that it names, where they lie elsewhere
 * ```
 */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { Failure } from '../../mail/failure.ts';

export const formatVersion = 1;
export const manifestName = 'manifest.json';
export const listName = 'files.jsonl';
const manifestBytesMax = 4 * 1024 * 1024;

const count = z.int().min(0);
const time = z.iso.datetime({ precision: 3 });

/** `mode` are the permission bits; owner and mode are those of the original. */
const entrySchema = z.object({
  kind: z.enum(['file', 'folder']),
  /** In the backup, with `/`. */
  path: z.string().refine(isInside, 'leads out of the backup'),
  mode: z.int().min(0).max(0o7777),
  uid: count,
  gid: count,
  mtimeMs: z.number(),
  /** Of files. */
  size: count.optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
export type Entry = z.infer<typeof entrySchema>;

const manifestSchema = z.object({
  format: z.literal('postern-backup'),
  formatVersion: z.int().min(1),
  programVersion: z.string(),
  /** The newest version among the shards; 0 where there are none. */
  storeVersion: count,
  /** When the first snapshot was taken: what was accepted later is not in the backup. */
  takenAt: time,
  completedAt: time,
  reason: z.enum(['asked', 'before-migration']),
  dataFolder: z.string(),
  policyRevision: z.string().nullable(),
  hasMailboxes: z.boolean(),
  /** Null where it was left away. `path` is in the backup. */
  configuration: z
    .object({
      file: z.string(),
      path: z.string(),
      files: z.array(z.object({ file: z.string(), path: z.string() })),
    })
    .nullable(),
  shards: z.array(
    z.object({
      shard: count,
      storeVersion: count,
      messages: count,
      deliveries: count,
      traces: count,
      spoolFiles: count,
    }),
  ),
  /** Messages that were damaged in the store already. */
  damaged: z.array(z.object({ shard: count, key: z.int().nullable(), text: z.string() })),
  files: z.object({ entries: count, bytes: count, sha256: z.string() }),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Whether a path stays below where it is joined: backups may come from anywhere. */
function isInside(path: string): boolean {
  const parts = path.split('/');
  const isKnown = parts[0] === 'data' || parts[0] === 'configuration';
  return isKnown && parts.every((part) => part !== '' && part !== '.' && part !== '..');
}

/** Throws a Failure `backup-unknown` where the folder is no backup, or one of a newer format. */
export async function readManifest(folder: string): Promise<Manifest> {
  const file = join(folder, manifestName);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Failure('backup-unknown', `${folder} is no complete backup: no ${file}`, { cause });
  });
  if (text.length > manifestBytesMax) throw unknown(folder, `${file} is too large`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unknown(folder, `${file} is no JSON`);
  }
  const { formatVersion: version } = Object(value) as { formatVersion?: unknown };
  if (typeof version === 'number' && version > formatVersion) {
    const words = `it has format ${version}: a newer Postern wrote it; this one knows up to ${formatVersion}`;
    throw unknown(folder, words);
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw unknown(folder, `${file}: ${first?.path.join('.') ?? ''} ${first?.message ?? ''}`);
}

function unknown(folder: string, why: string): Failure {
  return new Failure('backup-unknown', `${folder} cannot be used as a backup: ${why}`);
}

/** Line by line; rejects with a Failure `backup-damaged` at a line that is none of ours. */
export async function* readEntries(folder: string): AsyncGenerator<Entry> {
  const file = join(folder, listName);
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  let place = 0;
  for await (const line of lines) {
    place += 1;
    yield parseEntry(line, `${file}, line ${place}`);
  }
}

function parseEntry(line: string, where: string): Entry {
  try {
    const parsed = entrySchema.safeParse(JSON.parse(line));
    if (parsed.success) return parsed.data;
    const [first] = parsed.error.issues;
    throw new SyntaxError(`${first?.path.join('.') ?? ''} ${first?.message ?? ''}`);
  } catch (cause) {
    throw new Failure('backup-damaged', `${where}: ${(cause as Error).message}`, { cause });
  }
}
