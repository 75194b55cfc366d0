/**
 * The store in memory: for tests and simulations. Commits of one turn are one commit, as with SQLite.
 *
 * It keeps what it was given, so the caller must not change it afterwards; nothing survives the
 * process. With spool contents it syncs nothing, but removes the file of a finished message.
 */
import { rm } from 'node:fs/promises';
import { sizeOf } from '../mail/content.ts';
import type { Fact, TraceRecord } from '../report/record.ts';
import { matchesQueue } from './queue-match.ts';
import { citedHashes, formatIndex, wantedText } from './rows.ts';
import { shiftDelivery } from './shift-times.ts';
import { storeFailure } from './sqlite-failure.ts';
import type {
  AddressMatch,
  Batch,
  DeliveryKey,
  QueueFilter,
  QueueMatch,
  QueuePage,
  QueueRow,
  QueueStep,
  QueueSummary,
  Store,
  StoreCounts,
  StoredDelivery,
  StoredMessage,
  TraceMatch,
  TracePage,
  TraceScan,
  TraceScanStep,
  TraceStep,
} from './store.ts';
import { checkBatch, countRecords } from './wire-batch.ts';

export class MemoryStore implements Store {
  readonly #messages = new Map<number, StoredMessage>();
  readonly #deliveries = new Map<number, Map<number, StoredDelivery>>();
  readonly #traces = new Map<number, TraceRecord[]>();
  readonly #facts = new Map<string, Fact>();
  #lastKey = 0;
  #commits = 0;
  #isTurnCounted = false;
  #isClosed = false;

  async commit(batch: Batch): Promise<void> {
    checkBatch(batch, '/');
    if (this.#isClosed) throw storeFailure('store-closed', 'the store is closed');
    if (countRecords(batch) === 0) return;
    this.#refuseConflicts(batch);
    const files = this.#apply(batch);
    if (!this.#isTurnCounted) {
      this.#commits += 1;
      this.#isTurnCounted = true;
      queueMicrotask(() => {
        this.#isTurnCounted = false;
      });
    }
    for (const file of files) await rm(file, { force: true });
  }

  #refuseConflicts(batch: Batch): void {
    const fresh = new Set<number>();
    for (const { message } of batch.accepted) {
      if (this.#messages.has(message.key) || fresh.has(message.key)) {
        throw storeFailure('store-conflict', `message ${message.key} is there already`);
      }
      fresh.add(message.key);
    }
    for (const { key } of batch.updated) {
      if (!this.#messages.has(key) && !fresh.has(key)) {
        throw storeFailure('store-conflict', 'a delivery of an unknown message');
      }
    }
  }

  /** Returns the spool files of messages that are gone. */
  #apply(batch: Batch): string[] {
    for (const { message, deliveries } of batch.accepted) {
      this.#messages.set(message.key, message);
      this.#deliveries.set(message.key, new Map());
      for (const delivery of deliveries) this.#put(delivery);
      this.#lastKey = Math.max(this.#lastKey, message.key);
    }
    for (const delivery of batch.updated) this.#put(delivery);
    for (const trace of batch.traces) {
      const records = this.#traces.get(trace.key) ?? [];
      records.push(trace);
      this.#traces.set(trace.key, records);
      this.#lastKey = Math.max(this.#lastKey, trace.key);
    }
    for (const fact of batch.facts) {
      if (!this.#facts.has(fact.hash)) this.#facts.set(fact.hash, fact);
    }
    return batch.completed.flatMap((done) => this.#complete(done));
  }

  #put(delivery: StoredDelivery): void {
    this.#deliveries.get(delivery.key)!.set(delivery.ordinal, delivery);
  }

  #complete({ key, ordinal }: DeliveryKey): string[] {
    const deliveries = this.#deliveries.get(key);
    deliveries?.delete(ordinal);
    if (deliveries === undefined || deliveries.size > 0) return [];
    const content = this.#messages.get(key)?.content;
    this.#deliveries.delete(key);
    this.#messages.delete(key);
    return content?.kind === 'spool' ? [content.path] : [];
  }

  counts(): StoreCounts {
    return { commits: this.#commits, waitingRecords: 0, waitingBytes: 0 };
  }

  *#all(): Iterable<StoredDelivery> {
    for (const deliveries of this.#deliveries.values()) yield* deliveries.values();
  }

  async listDue(
    routeKey: string,
    untilMs: number,
    limit: number,
  ): Promise<readonly StoredDelivery[]> {
    const due = [...this.#all()].filter(
      (delivery) =>
        delivery.state === 'queued' &&
        delivery.routeKey === routeKey &&
        delivery.dueAtMs <= untilMs,
    );
    due.sort((a, b) => a.dueAtMs - b.dueAtMs || byKey(a, b));
    return due.slice(0, limit);
  }

  async nextDueAtMs(routeKey: string, afterMs: number): Promise<number | null> {
    let next: number | null = null;
    for (const { state, dueAtMs, routeKey: route } of this.#all()) {
      if (state !== 'queued' || route !== routeKey || dueAtMs <= afterMs) continue;
      next = next === null ? dueAtMs : Math.min(next, dueAtMs);
    }
    return next;
  }

  async summarize(): Promise<QueueSummary> {
    const routes = new Map<string, number>();
    let [queued, held] = [0, 0];
    for (const { state, routeKey, dueAtMs } of this.#all()) {
      if (state === 'held') {
        held += 1;
        continue;
      }
      queued += 1;
      routes.set(routeKey, Math.min(dueAtMs, routes.get(routeKey) ?? Infinity));
    }
    return {
      queued,
      held,
      routes: Array.from(routes, ([routeKey, dueAtMs]) => ({ routeKey, dueAtMs })),
    };
  }

  async readMessage(key: number): Promise<StoredMessage | null> {
    return this.#messages.get(key) ?? null;
  }

  async nextOrdinal(key: number): Promise<number> {
    return Math.max(-1, ...(this.#deliveries.get(key)?.keys() ?? [])) + 1;
  }

  async shiftTimes(byMs: number): Promise<void> {
    for (const delivery of Array.from(this.#all())) this.#put(shiftDelivery(delivery, byMs));
  }

  async capDueTimes(atMs: number): Promise<number> {
    const late = [...this.#all()].filter(
      ({ state, dueAtMs }) => state === 'queued' && dueAtMs > atMs,
    );
    for (const delivery of late) this.#put({ ...delivery, dueAtMs: atMs });
    return late.length;
  }

  async probe(): Promise<void> {}

  async lastKey(): Promise<number> {
    return this.#lastKey;
  }

  async listQueue(filter: QueueFilter): Promise<readonly QueueRow[]> {
    const { after } = filter;
    const rows = this.#rows().filter(
      (row) => matchesQueue(row, filter) && (after === undefined || byKey(row.delivery, after) > 0),
    );
    return rows.slice(0, filter.limit);
  }

  async pageQueue(match: QueueMatch, { after, looks }: QueueStep): Promise<QueuePage> {
    const rows = this.#rows().filter(
      ({ delivery }) =>
        (after === null || byKey(delivery, after) > 0) &&
        (match.key === undefined || delivery.key === match.key),
    );
    const seen = rows.slice(0, looks);
    const last = seen.length < looks ? undefined : seen.at(-1)?.delivery;
    return {
      rows: seen.filter((row) => matchesQueue(row, match)),
      next: last === undefined ? null : { key: last.key, ordinal: last.ordinal },
    };
  }

  #rows(): QueueRow[] {
    return [...this.#all()].sort(byKey).map((delivery) => {
      const { content, ...message } = this.#messages.get(delivery.key)!;
      return { message: { ...message, sizeBytes: sizeOf(content) }, delivery };
    });
  }

  async readTrace(key: number): ReturnType<Store['readTrace']> {
    const records = (this.#traces.get(key) ?? []).map(({ atMs, kind, json }) => {
      return { key, atMs, kind, json };
    });
    records.sort((a, b) => a.atMs - b.atMs);
    const hashes = new Set(records.flatMap(({ json }) => citedHashes(json)));
    const facts = Array.from(hashes, (hash) => this.#facts.get(hash));
    return { records, facts: facts.filter((fact) => fact !== undefined) };
  }

  async scanTraces({ fromKey, toKey, limit, lengthMax }: TraceScanStep): Promise<TraceScan> {
    const keys = [...this.#traces.keys()].filter((key) => key >= toKey && key <= fromKey);
    const traces: TraceScan['traces'][number][] = [];
    const facts = new Map<string, Fact>();
    let length = 0;
    for (const key of keys.sort((a, b) => b - a)) {
      if (traces.length === limit || length >= lengthMax) return scanned(traces, facts, key);
      const found = await this.readTrace(key);
      traces.push({ key, records: found.records });
      for (const fact of found.facts) {
        if (!facts.has(fact.hash)) length += fact.json.length;
        facts.set(fact.hash, fact);
      }
      length += found.records.reduce((sum, { json }) => sum + json.length, 0);
    }
    return scanned(traces, facts, null);
  }

  async searchTraces(match: TraceMatch, step: TraceStep): Promise<TracePage> {
    const { fromKey, toKey, limit, looks } = step;
    const keys = [...this.#traces.keys()].filter((key) => key >= toKey && key <= fromKey);
    const seen = keys.sort((a, b) => b - a).slice(0, looks);
    const found = seen.filter((key) => this.#isWanted(key, match)).slice(0, limit);
    const last = found.length === limit ? found.at(-1) : seen.at(looks - 1);
    return { found, nextKey: last === undefined ? null : last - 1 };
  }

  #isWanted(key: number, { sender, recipient, only }: TraceMatch): boolean {
    const records = this.#traces.get(key) ?? [];
    const first = records.find(({ index }) => index !== undefined);
    if (first?.index === undefined) return false;
    const has = (addresses: readonly string[], wanted: AddressMatch | undefined): boolean =>
      wanted === undefined || formatIndex(addresses).includes(wantedText(wanted));
    if (!has([first.index.sender], sender) || !has(first.index.recipients, recipient)) return false;
    if (only === undefined) return true;
    switch (only) {
      case 'refused':
        return first.kind === 'refused';
      case 'accepted':
        return first.kind !== 'refused';
      case 'waiting':
        return this.#messages.has(key);
      case 'bounced':
        return records.some(({ hasBounced }) => hasBounced === true);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  /** As a new process finds it after a crash: the same contents, open again. */
  reopen(): void {
    this.#isClosed = false;
  }
}

function scanned(
  traces: TraceScan['traces'],
  facts: ReadonlyMap<string, Fact>,
  nextKey: number | null,
): TraceScan {
  return { traces, facts: [...facts.values()], nextKey };
}

function byKey(a: DeliveryKey, b: DeliveryKey): number {
  return a.key - b.key || a.ordinal - b.ordinal;
}
