/**
 * A backup of a data folder, whether a gateway runs on it or not.
 *
 * Per shard: a hold on its spool, a snapshot, its copy, the files that it refers to, the end of the hold.
 * Mailboxes come after every shard: a message that is delivered meanwhile is then in both, never in
 * none. Nothing is asked of the gateway, and no lock that it waits for is taken.
 */
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Config } from '../../config/config.ts';
import { Failure } from '../../mail/failure.ts';
import { checkShard } from '../../store/check-shard.ts';
import type { ShardCounts, ShardFault } from '../../store/check-shard.ts';
import { copyShard, hasMessage, listSpoolReferences } from '../../store/copy-shard.ts';
import { copyControl } from '../../store/control/copy-control.ts';
import type { SpoolReference } from '../../store/copy-shard.ts';
import { lockFile } from '../../store/file-lock.ts';
import { readFileVersion } from '../../store/read-file-version.ts';
import { holdSpool } from '../../store/spool-hold.ts';
import { existingShards, foldersOf, makeLockFile } from '../data-folder.ts';
import { isRoot } from '../privileges.ts';
import { version } from '../version.ts';
import { forEachFile, isMissing, writeFailure } from './files.ts';
import type { Manifest } from './manifest.ts';
import { verifyBackup } from './verify-backup.ts';
import type { Source } from './what-to-copy.ts';
import {
  below,
  findMoved,
  listMailboxes,
  listOthers,
  messageOf,
  placesOf,
} from './what-to-copy.ts';
import type { Owner } from './writer.ts';
import { BackupWriter, exists } from './writer.ts';

export interface BackupTask {
  readonly dataFolder: string;
  readonly target: string;
  readonly reason: Manifest['reason'];
  /** Null leaves the configuration away. */
  readonly config: Config | null;
  readonly policyRevision: string | null;
  readonly hasMailboxes: boolean;
  /** What the data folder's disk keeps free for mail. */
  readonly keptFreeBytes: number;
  /** Large contents get a second name instead of a copy, where the file system can. */
  readonly mayLink: boolean;
  /** Reads all of it again before it gets its name. */
  readonly isVerified: boolean;
  readonly onProgress: (text: string) => void;
}

export interface TakenBackup {
  readonly folder: string;
  readonly manifest: Manifest;
}

/**
 * Throws a Failure: `backup-exists`, `backup-running`, `backup-disk-full`, `backup-failed`,
 * `backup-outrun`, `backup-damaged`, `store-newer`, `store-damaged`; then nothing has the name.
 */
export async function takeBackup(task: BackupTask): Promise<TakenBackup> {
  const target = resolve(task.target);
  refuseInside(task, target);
  const owner = await ownerOf(task.dataFolder);
  const lock = await takeLock(task.dataFolder, owner);
  try {
    const progress = new Progress(task.onProgress);
    const writer = await BackupWriter.open({
      target,
      owner: task.reason === 'before-migration' ? owner : null,
      keptFreeBytes: await keptOn(task, target),
      onBytes: (bytes) => progress.copied(bytes),
    });
    try {
      const manifest = await fill({ task, writer, owner, progress });
      await writer.publish();
      return { folder: target, manifest };
    } catch (error) {
      await writer.abandon();
      throw writeFailure(
        `the backup ${target} was not completed, and nothing of it is left`,
        error,
      );
    }
  } finally {
    lock.release();
  }
}

interface Work {
  readonly task: BackupTask;
  readonly writer: BackupWriter;
  readonly owner: Owner | null;
  readonly progress: Progress;
}

async function fill(work: Work): Promise<Manifest> {
  const { task, writer, progress } = work;
  const { dataFolder, config } = task;
  const takenAt = new Date().toISOString();
  const shards: ShardResult[] = [];
  for (const shard of await existingShards(dataFolder)) {
    const copied = await copyOne(work, shard);
    if (copied !== null) shards.push(copied);
  }
  await copyControlFile(work);
  const configuration = config === null ? null : await copyConfiguration(writer, config);
  const taken = new Set(configuration?.files.map(({ path }) => path));
  if (configuration !== null) taken.add(configuration.path);
  await copySources(writer, without(listOthers(dataFolder), taken));
  if (task.hasMailboxes) {
    progress.says('mailboxes');
    await copySources(writer, listMailboxes(foldersOf(dataFolder).mailboxes));
  }
  const manifest = await writer.finish({
    programVersion: version,
    storeVersion: Math.max(0, ...shards.map((each) => each.storeVersion)),
    takenAt,
    completedAt: new Date().toISOString(),
    reason: task.reason,
    dataFolder,
    policyRevision: task.policyRevision,
    hasMailboxes: task.hasMailboxes,
    configuration,
    shards: shards.map(({ shard, storeVersion, counts }) => ({ shard, storeVersion, ...counts })),
    damaged: shards.flatMap(({ damaged }) => damaged).slice(0, 1000),
  });
  if (task.isVerified) await verify(work);
  return manifest;
}

async function verify({ writer, progress }: Work): Promise<void> {
  progress.says('verification');
  const { faults } = await verifyBackup(writer.folder, () => undefined);
  const fault = faults.find(({ isKnown }) => !isKnown);
  if (fault === undefined) return;
  throw new Failure('backup-damaged', `the copy is not what it should be: ${fault.text}`);
}

interface ShardResult {
  readonly shard: number;
  readonly storeVersion: number;
  readonly counts: ShardCounts;
  readonly damaged: Manifest['damaged'];
}

/** Null for a file that no gateway has begun to use. */
async function copyOne(work: Work, shard: number): Promise<ShardResult | null> {
  const { task, writer, owner, progress } = work;
  const folders = foldersOf(task.dataFolder);
  const file = folders.shard(shard);
  if (readFileVersion(file) === 0) return null;
  const path = `data/${basename(file)}`;
  const copy = await writer.place(path);
  progress.says(basename(file));
  await writer.checkRoom((await stat(file)).size);
  const missing = new Set<number>();
  const hold = await holdSpool(file, owner);
  try {
    await copyShard(file, copy, {
      onSnapshot: (lastKey) => hold.narrow(lastKey),
      onProgress: (share) => progress.reached(share),
    });
    progress.says(`large contents of ${basename(file)}`);
    const how = task.mayLink ? 'link' : 'copy';
    await forEachFile(listSpoolReferences(copy), async (reference) => {
      const isCopied = await copyContent(work, { shard, reference, how });
      if (!isCopied) missing.add(reference.key);
    });
  } finally {
    await hold.release().catch((cause: unknown) => {
      // Where every file was found nothing is missing: then the loss did no harm.
      if (missing.size > 0) throw outrun(file, cause);
    });
  }
  await writer.noteFile(path, file);
  return { shard, ...(await checkCopy({ copy, shard, file, missing }, work)) };
}

/** The policy with its revisions, people, audit; nothing before the first start with them. */
async function copyControlFile({ task, writer, progress }: Work): Promise<void> {
  const file = foldersOf(task.dataFolder).control;
  const size = await stat(file).then(
    (stats) => stats.size,
    () => 0,
  );
  if (size === 0) return;
  progress.says(basename(file));
  await writer.checkRoom(size);
  const path = `data/${basename(file)}`;
  await copyControl(file, await writer.place(path));
  await writer.noteFile(path, file);
}

interface Content {
  readonly shard: number;
  readonly reference: SpoolReference;
  readonly how: 'copy' | 'link';
}

/** False where the file is not there. */
async function copyContent({ task, writer }: Work, content: Content): Promise<boolean> {
  const { shard, reference, how } = content;
  const original = join(foldersOf(task.dataFolder).spoolOf(shard), reference.file);
  try {
    await writer.addFile(original, `data/spool/${shard}/${reference.file}`, how);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

interface CopiedShard {
  readonly copy: string;
  readonly shard: number;
  readonly file: string;
  readonly missing: ReadonlySet<number>;
}

/**
 * What was damaged in the store already is copied as it is, and said; anything else that is wrong with
 * the copy ends the backup.
 */
async function checkCopy(
  { copy, shard, file, missing }: CopiedShard,
  { writer, progress }: Work,
): Promise<Omit<ShardResult, 'shard'>> {
  progress.says(`check of ${basename(file)}`);
  for (const key of missing) if (!hasMessage(file, key)) throw outrun(file, null);
  const faults: ShardFault[] = [];
  const spool = join(writer.folder, 'data', 'spool', String(shard));
  const checked = await checkShard(copy, spool, (fault) => void faults.push(fault));
  const { counts, version: storeVersion } = checked;
  const fatal = faults.find(({ kind }) => kind === 'store');
  if (fatal !== undefined || counts === null || storeVersion === null) {
    throw new Failure('store-damaged', `${file}: ${fatal?.text ?? 'cannot be read'}`);
  }
  const damaged = faults.map(({ key, text }) => ({ shard, key, text }));
  return { storeVersion, counts, damaged };
}

function outrun(file: string, cause: unknown): Failure {
  const text = `mail of ${file} was delivered before its content was copied; this process was stopped for a minute or longer, or the clock was set`;
  return new Failure('backup-outrun', text, { cause });
}

async function copyConfiguration(
  writer: BackupWriter,
  config: Config,
): Promise<Manifest['configuration']> {
  const places = placesOf(config);
  for (const { file, path } of [places, ...places.files]) {
    await writer.addFile(file, path).catch((cause: unknown) => {
      const text = `${file}, which the configuration names, cannot be copied: ${(cause as Error).message}`;
      throw new Failure('backup-failed', text, { cause });
    });
  }
  return { ...places, files: [...places.files] };
}

async function copySources(writer: BackupWriter, sources: AsyncIterable<Source>): Promise<void> {
  const claims = new MessageClaims();
  await forEachFile(sources, async (source) => {
    try {
      if (source.kind === 'folder') await writer.addFolder(source.original, source.path);
      else await copySource(writer, source, claims);
    } catch (error) {
      // What a mail reader removed meanwhile is rightly not there.
      if (!isMissing(error)) throw error;
    }
  });
}

/** Follows a message that moves from new to cur, or gets other flags, while we look for it. */
async function copySource(
  writer: BackupWriter,
  source: Source,
  claims: MessageClaims,
): Promise<void> {
  if (!claims.claim(source)) return;
  let at: Source | null = source;
  for (let moves = 0; at !== null && moves < 5; moves += 1) {
    try {
      return await writer.addFile(at.original, at.path);
    } catch (error) {
      if (!isMissing(error)) throw error;
      at = await findMoved(at);
    }
  }
}

/** Which messages of a Maildir are copied, so that one that moves meanwhile is not copied twice. */
class MessageClaims {
  /** Of the mailboxes that were listed last. */
  readonly #mailboxes = new Map<string, Set<string>>();

  claim(source: Source): boolean {
    const message = messageOf(source);
    if (message === null) return true;
    const names = this.#mailboxes.get(message.mailbox) ?? new Set();
    if (names.has(message.name)) return false;
    this.#mailboxes.set(message.mailbox, names.add(message.name));
    const [oldest] = this.#mailboxes.keys();
    if (this.#mailboxes.size > 2) this.#mailboxes.delete(oldest!);
    return true;
  }
}

async function* without(
  sources: AsyncIterable<Source>,
  taken: ReadonlySet<string>,
): AsyncGenerator<Source> {
  for await (const source of sources) if (!taken.has(source.path)) yield source;
}

/** A backup that is lost with what it saves is none. */
function refuseInside(task: BackupTask, target: string): void {
  if (task.reason === 'before-migration') return;
  const isInside = target === task.dataFolder || below(task.dataFolder, target) !== null;
  if (!isInside) return;
  const text = `${target} lies in the data folder ${task.dataFolder} itself`;
  throw new Failure('backup-misplaced', text);
}

/** Who owns the data folder, where we are root and may be somebody else. */
async function ownerOf(dataFolder: string): Promise<Owner | null> {
  try {
    const { uid, gid } = await stat(dataFolder);
    return isRoot() ? { uid, gid } : null;
  } catch (cause) {
    const text = `the data folder ${dataFolder} cannot be read: ${(cause as Error).message}`;
    throw new Failure('data-folder-missing', text, { cause });
  }
}

/** One backup at a time: two would let go of each other's holds. */
async function takeLock(dataFolder: string, owner: Owner | null) {
  const file = await makeLockFile(join(dataFolder, 'backup.lock'), owner);
  const lock = lockFile(file, 0);
  if (lock !== null) return lock;
  throw new Failure('backup-running', `another backup of ${dataFolder} is being taken`);
}

/** Only where the backup takes from the disk that the mail needs. */
async function keptOn({ dataFolder, keptFreeBytes }: BackupTask, target: string): Promise<number> {
  let folder = target;
  while (!(await exists(folder))) folder = join(folder, '..');
  const [of, on] = await Promise.all([stat(dataFolder), stat(folder)]);
  return of.dev === on.dev ? keptFreeBytes : 0;
}

/** At most a few lines a second, however much is copied. */
class Progress {
  readonly #say: (text: string) => void;
  #what = '';
  #bytes = 0;
  #saidAtMs = 0;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  says(what: string): void {
    this.#what = what;
    this.#print('');
  }

  copied(bytes: number): void {
    this.#bytes += bytes;
    this.#maybe(() => `, ${Math.round(this.#bytes / 1e6)} MB copied`);
  }

  reached(share: number): void {
    this.#maybe(() => `, ${Math.floor(share * 100)} %`);
  }

  #maybe(more: () => string): void {
    if (Date.now() - this.#saidAtMs >= 500) this.#print(more());
  }

  #print(more: string): void {
    this.#saidAtMs = Date.now();
    this.#say(`${this.#what}${more}`);
  }
}
