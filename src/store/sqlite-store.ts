/**
 * The SQLite store as the SMTP loop sees it: asynchronous, with group commit.
 *
 * A batch is whatever arrived while the last commit ran. All SQL runs in a thread of its own; this
 * side packs, bounds and waits. If the thread dies the outcome of what it held is unknown: every
 * commit under way is rejected, the store stays closed, and `onDeath` lets the lane end and be
 * started again, which is how a lane takes its shard back in a known state.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { Failure } from '../mail/failure.ts';
import { FactCache } from './fact-cache.ts';
import { storeFailure } from './sqlite-failure.ts';
import type { CommitReply, ThreadOptions, ThreadReply, ThreadRequest } from './store-thread.ts';
import type { Batch, QueueFilter, QueueMatch, QueuePage, QueueRow, QueueStep } from './store.ts';
import type { TraceMatch, TracePage, TraceScan, TraceScanStep, TraceStep } from './store.ts';
import type { QueueSummary, Store, StoreCounts, StoredDelivery, StoredMessage } from './store.ts';
import { emptyBatch } from './store.ts';
import type { WireBatch } from './wire-batch.ts';
import { checkBatch, countBodyBytes, countRecords, packBatches } from './wire-batch.ts';

/** What may wait for the disk, and what one transaction holds at most. */
export interface StoreLimits {
  /** Messages, deliveries, trace records and facts; beyond it `commit` rejects with `queue-full`. */
  readonly waitingRecordsMax: number;
  readonly waitingBytesMax: number;
  readonly commitRecordsMax: number;
  readonly commitBytesMax: number;
  /** Facts that the client remembers to be stored. */
  readonly knownFactsMax: number;
}

export const defaultStoreLimits: StoreLimits = {
  waitingRecordsMax: 50_000,
  waitingBytesMax: 128 * 1024 * 1024,
  commitRecordsMax: 8000,
  commitBytesMax: 32 * 1024 * 1024,
  knownFactsMax: 10_000,
};

export interface SqliteStoreOptions {
  /** The shard file, `queue-0.db`; its lock is `queue-0.lock` beside it. */
  readonly path: string;
  /** This shard's own spool folder, on the same disk. */
  readonly spoolFolder: string;
  readonly limits?: Partial<StoreLimits>;
  /** Traces of finished messages are forgotten after this time; 30 days where absent. */
  readonly traceRetentionMs?: number;
  /** The file's largest size; null or absent for none but the disk's. */
  readonly sizeBytesMax?: number | null;
  /** How long another process may take to let the file go; 10 s where absent. */
  readonly lockWaitMs?: number;
  /** Called once when the store thread died by itself. The store is closed then. */
  readonly onDeath?: (failure: Failure) => void;
  /** Another entry of the thread, and data for it; for crash tests. */
  readonly worker?: { readonly url: URL; readonly data: object };
}

const dayMs = 24 * 60 * 60_000;
const readsMax = 1000;
const closeWaitMs = 30_000;

/**
 * Opens or makes the shard and takes it over; spool files that no message owns are removed.
 * Rejects with `store-taken`, `store-newer`, `store-damaged`, `store-io`, `store-full`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const traceRetentionMs = options.traceRetentionMs ?? 30 * dayMs;
  const threadOptions: ThreadOptions = {
    path: path.resolve(options.path),
    spoolFolder: path.resolve(options.spoolFolder),
    lockWaitMs: options.lockWaitMs ?? 10_000,
    sizeBytesMax: options.sizeBytesMax ?? null,
    traceRetentionMs,
    factRefreshMs: Math.min(60 * 60_000, traceRetentionMs / 4),
    sweepEveryMs: 60_000,
  };
  const thread = new ThreadClient(threadOptions, options);
  await thread.opened;
  return new SqliteStore(thread, threadOptions, { ...defaultStoreLimits, ...options.limits });
}

interface Waiter {
  resolve(value: unknown): void;
  reject(failure: Failure): void;
}

/** Requests and answers by number; knows whether the thread lives. */
class ThreadClient {
  readonly opened: Promise<unknown>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiter>();
  readonly #onDeath: ((failure: Failure) => void) | undefined;
  #lastId = 0;
  #isOpen = false;
  #ended: Failure | null = null;

  constructor(threadOptions: ThreadOptions, options: SqliteStoreOptions) {
    this.#onDeath = options.onDeath;
    const url = options.worker?.url ?? new URL('./sqlite-worker.ts', import.meta.url);
    this.#worker = new Worker(url, { workerData: { ...threadOptions, ...options.worker?.data } });
    this.opened = new Promise((resolve, reject) => {
      this.#waiting.set(0, { resolve, reject });
    });
    this.#worker.on('message', (reply: ThreadReply) => this.#take(reply));
    this.#worker.on('error', (error) => this.#end(`the store thread died: ${error.message}`));
    this.#worker.on('exit', (code) => this.#end(`the store thread ended with code ${code}`));
  }

  /** The failure by which everything is answered; null while the thread lives. */
  get ended(): Failure | null {
    return this.#ended;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  call(request: ThreadRequest, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, request }, transfer);
    });
  }

  /** Waits a bounded time for what the thread still does. */
  async close(): Promise<void> {
    if (this.#ended !== null) return;
    this.#isOpen = false;
    const timer = setTimeout(() => void this.#worker.terminate(), closeWaitMs);
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    await this.call({ kind: 'close' }).catch(() => undefined);
    await exited;
    clearTimeout(timer);
  }

  #take(reply: ThreadReply): void {
    const waiter = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.id === 0 && 'value' in reply) this.#isOpen = true;
    if ('value' in reply) {
      waiter?.resolve(reply.value);
    } else {
      waiter?.reject(new Failure(reply.failure.code, reply.failure.text));
    }
  }

  #end(text: string): void {
    if (this.#ended !== null) return;
    this.#ended = storeFailure('store-closed', text);
    for (const waiter of this.#waiting.values()) waiter.reject(this.#ended);
    this.#waiting.clear();
    if (this.#isOpen) this.#onDeath?.(this.#ended);
  }
}

interface Commit {
  readonly batch: Batch;
  readonly records: number;
  readonly bytes: number;
  /** On the clock of `performance.now`. */
  readonly startBy: number;
  /** A step of its own: moves the times of all deliveries. */
  readonly shiftMs?: number;
  resolve(): void;
  reject(failure: Failure): void;
}

class SqliteStore implements Store {
  readonly #thread: ThreadClient;
  readonly #spoolFolder: string;
  readonly #limits: StoreLimits;
  readonly #facts: FactCache;
  #waiting: Commit[] = [];
  #records = 0;
  #bytes = 0;
  #commits = 0;
  #running: Promise<void> | null = null;
  #immediate: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isClosing = false;

  constructor(thread: ThreadClient, options: ThreadOptions, limits: StoreLimits) {
    this.#thread = thread;
    this.#spoolFolder = options.spoolFolder;
    this.#limits = limits;
    this.#facts = new FactCache(limits.knownFactsMax, options.factRefreshMs);
  }

  commit(batch: Batch, withinMs = 0): Promise<void> {
    checkBatch(batch, this.#spoolFolder);
    const records = countRecords(batch);
    const bytes = countBodyBytes(batch);
    if (this.#isClosing) {
      return Promise.reject(storeFailure('store-closed', 'the store is closed'));
    }
    if (this.#thread.ended !== null) return Promise.reject(this.#thread.ended);
    if (records === 0) return Promise.resolve();
    // Finished deliveries may go twice as far as new mail: they make room.
    const factor = batch.accepted.length === 0 ? 2 : 1;
    const isTooMany = this.#records + records > factor * this.#limits.waitingRecordsMax;
    const isTooLarge = this.#bytes + bytes > this.#limits.waitingBytesMax;
    if (this.#records > 0 && (isTooMany || (bytes > 0 && isTooLarge))) {
      const text = `${this.#records} records, ${this.#bytes} bytes wait for the disk`;
      return Promise.reject(storeFailure('queue-full', text));
    }
    this.#records += records;
    this.#bytes += bytes;
    const startBy = performance.now() + withinMs;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, records, bytes, startBy, resolve, reject });
      this.#schedule(withinMs);
    });
  }

  /** Commits of one turn of the loop, and all that come while one runs, go together. */
  #schedule(withinMs: number): void {
    if (this.#running !== null || this.#immediate !== null) return;
    if (withinMs <= 0) {
      this.#immediate = setImmediate(() => this.#start());
    } else {
      this.#timer ??= setTimeout(() => this.#start(), withinMs);
    }
  }

  #start(): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#immediate = null;
    this.#timer = null;
    if (this.#waiting.length === 0 || this.#running !== null) return;
    this.#running = this.#run(this.#takeGroup()).then(() => {
      this.#running = null;
      if (this.#waiting.length === 0) return;
      const startBy = Math.min(...this.#waiting.slice(0, 1000).map((commit) => commit.startBy));
      const waitMs = startBy - performance.now();
      if (waitMs <= 0 || this.#isClosing) this.#start();
      else this.#schedule(waitMs);
    });
  }

  #takeGroup(): Commit[] {
    let records = 0;
    let bytes = 0;
    let count = 0;
    for (const commit of this.#waiting) {
      if (commit.shiftMs !== undefined) {
        count = Math.max(1, count);
        break;
      }
      records += commit.records;
      bytes += commit.bytes;
      const isTooMuch =
        records > this.#limits.commitRecordsMax || bytes > this.#limits.commitBytesMax;
      if (count > 0 && isTooMuch) break;
      count += 1;
    }
    const group = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    return group;
  }

  /** Never rejects: each commit of the group is told its own fate. */
  async #run(group: readonly Commit[]): Promise<void> {
    const nowMs = Date.now();
    try {
      const shiftMs = group[0]?.shiftMs;
      if (shiftMs !== undefined) {
        await this.#thread.call({ kind: 'shiftTimes', byMs: shiftMs });
        this.#settle(group, null);
        return;
      }
      const batches = group.map((commit) => commit.batch);
      const wire = packBatches(batches, this.#spoolFolder, this.#facts, nowMs);
      const reply = await this.#thread.call({ kind: 'commit', wire }, [wire.bodies]);
      if (reply === null) this.#rememberFacts(wire);
      this.#settle(group, reply as CommitReply);
    } catch (error) {
      for (const commit of group) this.#reject(commit, error);
    }
  }

  #settle(group: readonly Commit[], results: CommitReply): void {
    if (results === null || results.includes(null)) this.#commits += 1;
    for (const [i, commit] of group.entries()) {
      const result = results?.[i] ?? null;
      if (result !== null) {
        const text = `the store refused a batch: ${result.text}`;
        this.#reject(commit, storeFailure(result.code, text));
        continue;
      }
      this.#forget(commit);
      commit.resolve();
    }
  }

  #rememberFacts({ facts, nowMs }: WireBatch): void {
    for (let i = 0; i < facts.length; i += 3) this.#facts.add(String(facts[i]), nowMs);
  }

  #reject(commit: Commit, error: unknown): void {
    this.#forget(commit);
    const failure =
      error instanceof Failure ? error : storeFailure('store-conflict', String(error), error);
    commit.reject(failure);
  }

  #forget(commit: Commit): void {
    this.#records -= commit.records;
    this.#bytes -= commit.bytes;
  }

  counts(): StoreCounts {
    return {
      commits: this.#commits,
      waitingRecords: this.#records,
      waitingBytes: this.#bytes,
    };
  }

  async #read(request: ThreadRequest): Promise<unknown> {
    if (this.#isClosing) throw storeFailure('store-closed', 'the store is closed');
    if (this.#thread.waiting >= readsMax) {
      throw storeFailure('queue-full', `${readsMax} readers wait for the store`);
    }
    return this.#thread.call(request);
  }

  async listDue(
    routeKey: string,
    untilMs: number,
    limit: number,
  ): Promise<readonly StoredDelivery[]> {
    const request = { kind: 'listDue', routeKey, untilMs, limit } as const;
    return (await this.#read(request)) as readonly StoredDelivery[];
  }

  async nextDueAtMs(routeKey: string, afterMs: number): Promise<number | null> {
    return (await this.#read({ kind: 'nextDueAtMs', routeKey, afterMs })) as number | null;
  }

  async summarize(): Promise<QueueSummary> {
    return (await this.#read({ kind: 'summarize' })) as QueueSummary;
  }

  async readMessage(key: number): Promise<StoredMessage | null> {
    const message = (await this.#read({ kind: 'readMessage', key })) as StoredMessage | null;
    if (message === null || message.content.kind === 'spool') return message;
    // A Buffer crosses the thread as a plain Uint8Array.
    const { buffer, byteOffset, byteLength } = message.content.bytes;
    const bytes = Buffer.from(buffer, byteOffset, byteLength);
    return { ...message, content: { kind: 'memory', bytes } };
  }

  async nextOrdinal(key: number): Promise<number> {
    return (await this.#read({ kind: 'nextOrdinal', key })) as number;
  }

  shiftTimes(byMs: number): Promise<void> {
    if (this.#isClosing) {
      return Promise.reject(storeFailure('store-closed', 'the store is closed'));
    }
    if (this.#thread.ended !== null) return Promise.reject(this.#thread.ended);
    const step = { batch: emptyBatch, records: 0, bytes: 0, startBy: 0, shiftMs: byMs };
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...step, resolve, reject });
      this.#schedule(0);
    });
  }

  async capDueTimes(atMs: number): Promise<number> {
    return (await this.#read({ kind: 'capDueTimes', atMs })) as number;
  }

  async probe(): Promise<void> {
    await this.#read({ kind: 'probe' });
  }

  async lastKey(): Promise<number> {
    return (await this.#read({ kind: 'lastKey' })) as number;
  }

  async listQueue(filter: QueueFilter): Promise<readonly QueueRow[]> {
    return (await this.#read({ kind: 'listQueue', filter })) as readonly QueueRow[];
  }

  async pageQueue(match: QueueMatch, step: QueueStep): Promise<QueuePage> {
    return (await this.#read({ kind: 'pageQueue', match, step })) as QueuePage;
  }

  async readTrace(key: number): ReturnType<Store['readTrace']> {
    return (await this.#read({ kind: 'readTrace', key })) as Awaited<
      ReturnType<Store['readTrace']>
    >;
  }

  async scanTraces(step: TraceScanStep): Promise<TraceScan> {
    return (await this.#read({ kind: 'scanTraces', step })) as TraceScan;
  }

  async searchTraces(match: TraceMatch, step: TraceStep): Promise<TracePage> {
    return (await this.#read({ kind: 'searchTraces', match, step })) as TracePage;
  }

  /** What was handed over is committed first. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#start();
    while (this.#running !== null) await this.#running;
    assert(this.#waiting.length === 0);
    await this.#thread.close();
  }
}
