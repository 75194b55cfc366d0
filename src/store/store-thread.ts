/**
 * The store thread: answers the client's requests about one shard, one at a time, in their order.
 */
import type { MessagePort } from 'node:worker_threads';
import { openShard } from './open-shard.ts';
import { Retention } from './retention.ts';
import { capDueRows, shiftRows } from './shift-times.ts';
import type { CommitPoint, CommitResult } from './sqlite-shard.ts';
import { SqliteShard } from './sqlite-shard.ts';
import { holdFileOf } from './spool-hold.ts';
import { SpoolRemovals } from './spool-removals.ts';
import { toFailure } from './sqlite-failure.ts';
import { ShardQueries } from './sqlite-queries.ts';
import type { QueueFilter, QueueMatch, QueueStep } from './store.ts';
import type { TraceMatch, TraceScanStep, TraceStep } from './store.ts';
import { sweepSpool } from './sweep-spool.ts';
import type { WireBatch } from './wire-batch.ts';

/** What the client hands over when it starts the thread. Plain data. */
export interface ThreadOptions {
  readonly path: string;
  readonly spoolFolder: string;
  readonly lockWaitMs: number;
  readonly sizeBytesMax: number | null;
  readonly traceRetentionMs: number;
  readonly factRefreshMs: number;
  /** How often old traces are looked for. */
  readonly sweepEveryMs: number;
}

/** `close` is the last one. */
export type ThreadRequest =
  | { readonly kind: 'commit'; readonly wire: WireBatch }
  | { readonly kind: 'listQueue'; readonly filter: QueueFilter }
  | { readonly kind: 'pageQueue'; readonly match: QueueMatch; readonly step: QueueStep }
  | { readonly kind: 'readTrace'; readonly key: number }
  | { readonly kind: 'scanTraces'; readonly step: TraceScanStep }
  | { readonly kind: 'searchTraces'; readonly match: TraceMatch; readonly step: TraceStep }
  | {
      readonly kind: 'listDue';
      readonly routeKey: string;
      readonly untilMs: number;
      readonly limit: number;
    }
  | { readonly kind: 'nextDueAtMs'; readonly routeKey: string; readonly afterMs: number }
  | { readonly kind: 'summarize' }
  | { readonly kind: 'readMessage'; readonly key: number }
  | { readonly kind: 'nextOrdinal'; readonly key: number }
  | { readonly kind: 'lastKey' }
  | { readonly kind: 'probe' }
  | { readonly kind: 'shiftTimes'; readonly byMs: number }
  | { readonly kind: 'capDueTimes'; readonly atMs: number }
  | { readonly kind: 'close' };

/** Answers carry the request's number; 0 is the answer to the opening. */
export type ThreadReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: { readonly code: string; readonly text: string } };

/** `commit` answers with these; null where every commit is stored. */
export type CommitReply = readonly CommitResult[] | null;

/** Rows looked at per idle step, how often steps come while a sweep is under way, and when not. */
const rowsPerStep = 500;
const busyStepMs = 50;

/** `reached` is the seam of crash tests. Opening failures are told to the client as reply 0. */
export function runStoreThread(
  port: MessagePort,
  options: ThreadOptions,
  reached?: (point: CommitPoint) => void,
): void {
  try {
    const thread = new StoreThread(port, options, reached);
    port.on('message', (message: { id: number; request: ThreadRequest }) => {
      thread.answer(message.id, message.request);
    });
    port.postMessage({ id: 0, value: null } satisfies ThreadReply);
  } catch (error) {
    port.postMessage(failed(0, error));
    port.close();
  }
}

class StoreThread {
  readonly #port: MessagePort;
  readonly #opened: ReturnType<typeof openShard>;
  readonly #shard: SqliteShard;
  readonly #queries: ShardQueries;
  readonly #retention: Retention;
  readonly #removals: SpoolRemovals;
  readonly #sweepEveryMs: number;
  #timer: NodeJS.Timeout;

  constructor(
    port: MessagePort,
    options: ThreadOptions,
    reached: ((point: CommitPoint) => void) | undefined,
  ) {
    this.#port = port;
    this.#opened = openShard(options);
    const { db } = this.#opened;
    this.#removals = new SpoolRemovals(options.spoolFolder, holdFileOf(options.path));
    sweepSpool(db, options.spoolFolder, this.#removals);
    this.#retention = new Retention(db, options, Date.now);
    const helpers = { retention: this.#retention, removals: this.#removals };
    this.#shard = new SqliteShard(db, options.spoolFolder, helpers, reached);
    this.#queries = new ShardQueries(db, options.spoolFolder);
    this.#sweepEveryMs = options.sweepEveryMs;
    this.#timer = setTimeout(() => this.#maintain(), this.#sweepEveryMs);
  }

  answer(id: number, request: ThreadRequest): void {
    try {
      const value = this.#perform(request);
      this.#port.postMessage({ id, value } satisfies ThreadReply, []);
      if (request.kind === 'close') this.#port.close();
    } catch (error) {
      this.#port.postMessage(failed(id, error), []);
    }
  }

  #perform(request: ThreadRequest): unknown {
    switch (request.kind) {
      case 'commit': {
        const results = this.#shard.apply(request.wire);
        return results.every((result) => result === null) ? null : results;
      }
      case 'listQueue':
        return this.#queries.listQueue(request.filter);
      case 'pageQueue':
        return this.#queries.pageQueue(request.match, request.step);
      case 'readTrace':
        return this.#queries.readTrace(request.key);
      case 'scanTraces':
        return this.#queries.scanTraces(request.step);
      case 'searchTraces':
        return this.#queries.searchTraces(request.match, request.step);
      case 'listDue':
        return this.#queries.listDue(request.routeKey, request.untilMs, request.limit);
      case 'nextDueAtMs':
        return this.#queries.nextDueAtMs(request.routeKey, request.afterMs);
      case 'summarize':
        return this.#queries.summarize();
      case 'readMessage':
        return this.#queries.readMessage(request.key);
      case 'nextOrdinal':
        return this.#queries.nextOrdinal(request.key);
      case 'lastKey':
        return this.#queries.lastKey();
      case 'probe':
        this.#opened.db.exec('UPDATE last_key SET key = key');
        return null;
      case 'shiftTimes':
        shiftRows(this.#opened.db, request.byMs);
        return null;
      case 'capDueTimes':
        return capDueRows(this.#opened.db, request.atMs);
      case 'close':
        clearTimeout(this.#timer);
        this.#opened.db.close();
        this.#opened.lock.release();
        return null;
    }
  }

  /** One step of pruning, in a transaction of its own; a failure waits for the next round. */
  #maintain(): void {
    const { db } = this.#opened;
    const wasSweeping = this.#retention.isSweeping;
    this.#removals.removeKept();
    try {
      if (!wasSweeping) this.#retention.start();
      db.exec('BEGIN IMMEDIATE');
      this.#retention.step(rowsPerStep);
      db.exec('COMMIT');
      this.#retention.vacuum();
    } catch {
      // Disk full or failing: the commits of mail tell it; pruning tries again.
      if (db.isTransaction) db.exec('ROLLBACK');
      this.#retention.restart();
    }
    const delayMs = this.#retention.isSweeping ? busyStepMs : this.#sweepEveryMs;
    this.#timer = setTimeout(() => this.#maintain(), delayMs);
  }
}

function failed(id: number, error: unknown): ThreadReply {
  const { code, message } = toFailure(error);
  return { id, failure: { code, text: message } };
}
