/**
 * One shard file as its writer sees it: applies packed commits, each group in one transaction.
 *
 * Synchronous; lives in the store thread. The order per message: bodies durable (in the
 * transaction, or a finished spool file whose directory is synced first), rows committed, then told.
 */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import path from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Retention } from './retention.ts';
import { deliveryWidth, messageWidth, traceWidth } from './rows.ts';
import type { Value } from './rows.ts';
import type { RemovedContent, SpoolRemovals } from './spool-removals.ts';
import { storeCodeOf, storeFailure } from './sqlite-failure.ts';
import type { StoreFailureCode } from './failures.ts';
import type { Section, WireBatch } from './wire-batch.ts';
import { sections } from './wire-batch.ts';

/** Where a test may stop the process. */
export type CommitPoint =
  'begun' | 'directories-synced' | 'rows-written' | 'committed' | 'files-removed';

/** What became of one commit; null is stored. */
export type CommitResult = { readonly code: StoreFailureCode; readonly text: string } | null;

/** The rows of one or more commits: from and to in each section's list. */
interface Range {
  readonly from: Readonly<Record<Section, number>>;
  readonly to: Readonly<Record<Section, number>>;
}

export class SqliteShard {
  readonly #db: DatabaseSync;
  readonly #spoolFolder: string;
  readonly #retention: Retention;
  readonly #removals: SpoolRemovals;
  readonly #reached: (point: CommitPoint) => void;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(
    db: DatabaseSync,
    spoolFolder: string,
    { retention, removals }: { readonly retention: Retention; readonly removals: SpoolRemovals },
    reached: (point: CommitPoint) => void = () => undefined,
  ) {
    this.#db = db;
    this.#spoolFolder = spoolFolder;
    this.#retention = retention;
    this.#removals = removals;
    this.#reached = reached;
    this.#statements = prepare(db);
  }

  /**
   * One result per commit. All share one transaction; where it fails they are tried apart, so that
   * one bad commit harms no other and a full disk still lets finished messages go.
   */
  apply(wire: WireBatch): CommitResult[] {
    const ranges = rangesOf(wire);
    if (ranges.length === 0) return [];
    const whole = { from: ranges[0]!.from, to: ranges.at(-1)!.to };
    const failure = this.#transact(wire, whole);
    if (failure === null) return ranges.map(() => null);
    if (ranges.length === 1) return [failure];
    if (failure.code === 'store-conflict') {
      return ranges.map((range) => this.#transact(wire, withAllFacts(range, whole)));
    }
    if (failure.code !== 'store-full') return ranges.map(() => failure);
    return ranges.map((range) =>
      range.from.messages === range.to.messages ? this.#transact(wire, range) : failure,
    );
  }

  #transact(wire: WireBatch, range: Range): CommitResult {
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      this.#reached('begun');
      this.#syncDirectories(wire, range);
      this.#reached('directories-synced');
      this.#insertAccepted(wire, range);
      this.#insertRecords(wire, range);
      const files = this.#removeCompleted(wire, range);
      this.#retention.step(this.#retention.isSweeping ? 16 + 2 * countTraces(range) : 0);
      this.#reached('rows-written');
      this.#db.exec('COMMIT');
      this.#reached('committed');
      this.#removals.remove(files);
      this.#reached('files-removed');
      return null;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      this.#retention.restart();
      const text = error instanceof Error ? error.message : String(error);
      return { code: storeCodeOf(error), text };
    }
  }

  /** A spool file is durable under its name only when its folder is; once per folder and group. */
  #syncDirectories(wire: WireBatch, { from, to }: Range): void {
    const folders = new Set<string>();
    for (let i = from.messages; i < to.messages; i += messageWidth) {
      const file = wire.messages[i + 4];
      if (typeof file === 'string') folders.add(path.dirname(path.join(this.#spoolFolder, file)));
    }
    for (const folder of folders) {
      const descriptor = openSync(folder, 'r');
      try {
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    }
  }

  #insertAccepted(wire: WireBatch, { from, to }: Range): void {
    const { insertMessage, insertDelivery, updateDelivery } = this.#statements;
    const rows = wire.messages;
    let lastKey = 0;
    for (let i = from.messages; i < to.messages; i += messageWidth) {
      const [key, size, at] = [Number(rows[i]), Number(rows[i + 3]), Number(rows[i + 7])];
      const body = at < 0 ? null : new Uint8Array(wire.bodies, at, size);
      const [organization, receivedAtMs] = [rows[i + 1]!, rows[i + 2]!];
      const [file, offset, detail] = [rows[i + 4]!, rows[i + 5]!, rows[i + 6]!];
      insertMessage.run(key, organization, receivedAtMs, size, file, offset, detail, body);
      if (key > lastKey) lastKey = key;
    }
    this.#raiseLastKey(lastKey);
    runAll(insertDelivery, wire.deliveries, from.deliveries, to.deliveries);
    for (let i = from.updated; i < to.updated; i += deliveryWidth) {
      const changes = runOne(updateDelivery, wire.updated, i);
      if (changes === 0) throw storeFailure('store-conflict', 'a delivery of an unknown message');
    }
  }

  #insertRecords(wire: WireBatch, { from, to }: Range): void {
    const { insertTrace, insertTraced, markBounced, insertFact } = this.#statements;
    const { traces, facts } = wire;
    let lastKey = 0;
    for (let i = from.traces; i < to.traces; i += traceWidth) {
      const [key, kind] = [traces[i]!, traces[i + 2]!];
      insertTrace.run(key, traces[i + 1]!, kind, traces[i + 3]!);
      const [sender, recipients] = [traces[i + 4]!, traces[i + 5]!];
      if (sender !== null) insertTraced.run(key, kind === 'refused' ? 1 : 0, sender, recipients);
      if (traces[i + 6] === 1) markBounced.run(key);
      if (Number(traces[i]) > lastKey) lastKey = Number(traces[i]);
    }
    for (let i = from.facts; i < to.facts; i += 3) {
      insertFact.run(facts[i]!, facts[i + 1]!, wire.nowMs, facts[i + 2]!);
    }
    this.#raiseLastKey(lastKey);
  }

  #raiseLastKey(key: number): void {
    if (key > 0) this.#statements.raiseLastKey.run(key, key);
  }

  /** The spool files of messages that are gone. */
  #removeCompleted(wire: WireBatch, { from, to }: Range): RemovedContent[] {
    const { deleteDelivery, deleteMessage } = this.#statements;
    const files: RemovedContent[] = [];
    for (let i = from.completed; i < to.completed; i += 2) {
      const key = wire.completed[i]!;
      deleteDelivery.run(key, wire.completed[i + 1]!);
      const gone = deleteMessage.get(key, key) as { spool_path: string | null } | undefined;
      if (gone !== undefined && gone.spool_path !== null) {
        files.push({ key: Number(key), file: gone.spool_path });
      }
    }
    return files;
  }
}

function countTraces({ from, to }: Range): number {
  return (to.traces - from.traces) / traceWidth;
}

/** Facts are packed once for all commits: a commit tried alone brings them all. */
function withAllFacts(range: Range, whole: Range): Range {
  return {
    from: { ...range.from, facts: whole.from.facts },
    to: { ...range.to, facts: whole.to.facts },
  };
}

function rangesOf(wire: WireBatch): Range[] {
  const ranges: Range[] = [];
  let from = endsAt(wire, -1);
  for (let i = 0; i * sections.length < wire.ends.length; i++) {
    const to = endsAt(wire, i);
    ranges.push({ from, to });
    from = to;
  }
  return ranges;
}

function endsAt(wire: WireBatch, commit: number): Record<Section, number> {
  const end = (section: number): number =>
    commit < 0 ? 0 : wire.ends[commit * sections.length + section]!;
  return {
    messages: end(0),
    deliveries: end(1),
    updated: end(2),
    completed: end(3),
    traces: end(4),
    facts: end(5),
  };
}

function runAll(statement: StatementSync, rows: readonly Value[], from: number, to: number): void {
  for (let i = from; i < to; i += deliveryWidth) runOne(statement, rows, i);
}

function runOne(statement: StatementSync, r: readonly Value[], i: number): number {
  const result = statement.run(
    r[i]!,
    r[i + 1]!,
    r[i + 2]!,
    r[i + 3]!,
    r[i + 4]!,
    r[i + 5]!,
    r[i + 6]!,
  );
  return Number(result.changes);
}

function prepare(db: DatabaseSync) {
  return {
    insertMessage: db.prepare('INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    insertDelivery: db.prepare('INSERT INTO delivery VALUES (?, ?, ?, ?, ?, ?, ?)'),
    updateDelivery: db.prepare(
      `INSERT INTO delivery SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
       WHERE EXISTS (SELECT 1 FROM message WHERE message.key = ?1)
       ON CONFLICT (key, ordinal) DO UPDATE SET is_held = excluded.is_held,
         due_at_ms = excluded.due_at_ms, attempts = excluded.attempts,
         route_key = excluded.route_key, detail = excluded.detail`,
    ),
    deleteDelivery: db.prepare('DELETE FROM delivery WHERE key = ? AND ordinal = ?'),
    deleteMessage: db.prepare(
      `DELETE FROM message WHERE key = ? AND NOT EXISTS (SELECT 1 FROM delivery WHERE key = ?)
       RETURNING spool_path`,
    ),
    insertTrace: db.prepare('INSERT INTO trace (key, at_ms, kind, json) VALUES (?, ?, ?, ?)'),
    insertTraced: db.prepare(
      'INSERT INTO traced VALUES (?, ?, 0, ?, ?) ON CONFLICT (key) DO NOTHING',
    ),
    markBounced: db.prepare('UPDATE traced SET has_bounced = 1 WHERE key = ?'),
    insertFact: db.prepare(
      `INSERT INTO fact (hash, kind, seen_at_ms, json) VALUES (?, ?, ?, ?)
       ON CONFLICT (hash) DO UPDATE SET seen_at_ms = max(seen_at_ms, excluded.seen_at_ms)`,
    ),
    raiseLastKey: db.prepare('UPDATE last_key SET key = ? WHERE key < ?'),
  };
}
