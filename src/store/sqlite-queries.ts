/** What is read from a shard file: shared by the store thread and by readers in other processes. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Fact, TraceRecord } from '../report/record.ts';
import type { DeliveryRow, MessageRow } from './read-rows.ts';
import { toContent, toDelivery, toMessage, toQueueRow } from './read-rows.ts';
import { citedHashes, wantedText } from './rows.ts';
import { matchesQueue } from './queue-match.ts';
import type {
  DeliveryKey,
  QueueFilter,
  QueueMatch,
  QueuePage,
  QueueRow,
  QueueStep,
  QueueSummary,
  StoredDelivery,
  StoredMessage,
  TraceMatch,
  TracePage,
  TraceScan,
  TraceScanStep,
  TraceStep,
} from './store.ts';

const deliveryColumns =
  'd.key, d.ordinal, d.is_held, d.due_at_ms, d.attempts, d.route_key, d.detail';
const messageColumns =
  'm.key, m.organization, m.received_at_ms, m.size_bytes, m.spool_path, m.spool_offset, ' +
  'm.detail AS message_detail';

/** Rows of `listQueue`, and deliveries that one step looks at, at most. */
const rowsMax = 10_000;
const looksMax = 1000;
/** Traces that one search finds, and looks at, at most. */
const foundMax = 1000;
const traceLooksMax = 200_000;

/** Traces that one step of a scan gives at most. */
const scannedMax = 5000;

type TraceRow = Omit<TraceRecord, 'atMs'> & { readonly at_ms: number };

/** Prepared once per connection. */
export class ShardQueries {
  readonly #db: DatabaseSync;
  readonly #spoolFolder: string;
  readonly #listDue: StatementSync;
  readonly #nextDue: StatementSync;
  readonly #message: StatementSync;
  readonly #nextOrdinal: StatementSync;
  readonly #trace: StatementSync;
  readonly #scan: StatementSync;
  readonly #fact: StatementSync;

  constructor(db: DatabaseSync, spoolFolder: string) {
    this.#db = db;
    this.#spoolFolder = spoolFolder;
    this.#listDue = db.prepare(
      `SELECT ${deliveryColumns} FROM delivery AS d
       WHERE d.is_held = 0 AND d.route_key = ? AND d.due_at_ms <= ?
       ORDER BY d.due_at_ms, d.key, d.ordinal LIMIT ?`,
    );
    this.#nextDue = db.prepare(
      `SELECT min(due_at_ms) AS due_at_ms FROM delivery
       WHERE is_held = 0 AND route_key = ? AND due_at_ms > ?`,
    );
    this.#message = db.prepare(`SELECT ${messageColumns}, m.body FROM message AS m WHERE key = ?`);
    this.#nextOrdinal = db.prepare(
      'SELECT ifnull(max(ordinal), -1) + 1 AS ordinal FROM delivery WHERE key = ?',
    );
    this.#trace = db.prepare(
      'SELECT key, at_ms, kind, json FROM trace WHERE key = ? ORDER BY at_ms, id',
    );
    this.#scan = db.prepare(
      `SELECT key, at_ms, kind, json FROM trace WHERE key BETWEEN ? AND ?
       ORDER BY key DESC, at_ms, id`,
    );
    this.#fact = db.prepare('SELECT hash, kind, json FROM fact WHERE hash = ?');
  }

  listDue(routeKey: string, untilMs: number, limit: number): StoredDelivery[] {
    const rows = this.#listDue.all(routeKey, untilMs, limit) as unknown as DeliveryRow[];
    return rows.map(toDelivery);
  }

  nextDueAtMs(routeKey: string, afterMs: number): number | null {
    const row = this.#nextDue.get(routeKey, afterMs) as { due_at_ms: number | null };
    return row.due_at_ms;
  }

  readMessage(key: number): StoredMessage | null {
    const row = this.#message.get(key) as unknown as MessageRow | undefined;
    if (row === undefined) return null;
    return { ...toMessage(row), content: toContent(row, this.#spoolFolder) };
  }

  nextOrdinal(key: number): number {
    return (this.#nextOrdinal.get(key) as { ordinal: number }).ordinal;
  }

  lastKey(): number {
    return (this.#db.prepare('SELECT key FROM last_key').get() as { key: number }).key;
  }

  summarize(): QueueSummary {
    const count = this.#db.prepare(
      'SELECT count(*) AS every, ifnull(sum(is_held), 0) AS held FROM delivery',
    );
    const { every, held } = count.get() as { every: number; held: number };
    const routes = this.#db.prepare(
      `SELECT route_key AS routeKey, min(due_at_ms) AS dueAtMs FROM delivery
       WHERE is_held = 0 GROUP BY route_key`,
    );
    return {
      queued: every - held,
      held,
      routes: routes.all() as unknown as QueueSummary['routes'],
    };
  }

  listQueue(filter: QueueFilter): QueueRow[] {
    const limit = clamp(filter.limit, rowsMax);
    const rows: QueueRow[] = [];
    for (const row of this.#walk(filter, filter.after ?? null, -1)) {
      if (matchesQueue(row, filter)) rows.push(row);
      if (rows.length === limit) break;
    }
    return rows;
  }

  pageQueue(match: QueueMatch, { after, looks }: QueueStep): QueuePage {
    const limit = clamp(looks, looksMax);
    // Every delivery counts as looked at, so that a step is bounded whatever is meant.
    const seen = [...this.#walk({ ...match, state: undefined }, after, limit)];
    const last = seen.at(-1)?.delivery;
    const isEnd = last === undefined || seen.length < limit;
    return {
      rows: seen.filter((row) => matchesQueue(row, match)),
      next: isEnd ? null : { key: last.key, ordinal: last.ordinal },
    };
  }

  /**
   * Deliveries in order, of one message or of all, in one state or in any; `limit` -1 for no bound.
   * Rows that SQL leaves out cost little; each that it gives is read whole.
   */
  *#walk(
    { key, state }: { readonly key?: number; readonly state?: QueueMatch['state'] | undefined },
    after: DeliveryKey | null,
    limit: number,
  ): Iterable<QueueRow> {
    const statement = this.#db.prepare(
      `SELECT ${deliveryColumns}, ${messageColumns}
       FROM delivery AS d JOIN message AS m ON m.key = d.key
       WHERE (d.key, d.ordinal) > (?, ?) ${key === undefined ? '' : 'AND d.key = ?'}
         ${state === undefined ? '' : 'AND d.is_held = ?'}
       ORDER BY d.key, d.ordinal LIMIT ?`,
    );
    const wanted = [
      ...(key === undefined ? [] : [key]),
      ...(state === undefined ? [] : [state === 'held' ? 1 : 0]),
    ];
    const from = [after?.key ?? 0, after?.ordinal ?? -1];
    for (const each of statement.iterate(...from, ...wanted, limit)) {
      yield toQueueRow(each as unknown as DeliveryRow & MessageRow);
    }
  }

  searchTraces(match: TraceMatch, step: TraceStep): TracePage {
    const { fromKey, toKey } = step;
    const [looks, limit] = [clamp(step.looks, traceLooksMax), clamp(step.limit, foundMax)];
    const bounds = [toKey, fromKey, looks];
    const { conditions, values } = traceConditions(match);
    const found = this.#db
      .prepare(
        `SELECT key FROM (SELECT * FROM traced WHERE key BETWEEN ? AND ? ORDER BY key DESC LIMIT ?) AS traced_row
         WHERE ${['1', ...conditions].join(' AND ')} ORDER BY key DESC LIMIT ?`,
      )
      .all(...bounds, ...values, limit)
      .map((row) => (row as { key: number }).key);
    if (found.length === limit) return { found, nextKey: found.at(-1)! - 1 };
    const last = this.#db
      .prepare(
        'SELECT key FROM traced WHERE key BETWEEN ? AND ? ORDER BY key DESC LIMIT 1 OFFSET ?',
      )
      .get(toKey, fromKey, looks - 1) as { key: number } | undefined;
    return { found, nextKey: last === undefined ? null : last.key - 1 };
  }

  /** Walks the index of keys: what has no row to be searched by is found too. */
  scanTraces({ fromKey, toKey, limit, lengthMax }: TraceScanStep): TraceScan {
    const tracesMax = clamp(limit, scannedMax);
    const traces: { key: number; records: TraceRecord[] }[] = [];
    const facts = new Map<string, Fact>();
    let length = 0;
    for (const each of this.#scan.iterate(toKey, fromKey)) {
      const { at_ms: atMs, key, kind, json } = each as unknown as TraceRow;
      let trace = traces.at(-1);
      if (trace?.key !== key) {
        const isFull = traces.length === tracesMax || length >= lengthMax;
        if (isFull) return { traces, facts: [...facts.values()], nextKey: key };
        trace = { key, records: [] };
        traces.push(trace);
      }
      trace.records.push({ key, atMs, kind, json });
      length += json.length;
      for (const hash of citedHashes(json)) {
        if (facts.has(hash)) continue;
        const fact = this.#fact.get(hash) as Fact | undefined;
        if (fact === undefined) continue;
        facts.set(hash, { ...fact });
        length += fact.json.length;
      }
    }
    return { traces, facts: [...facts.values()], nextKey: null };
  }

  readTrace(key: number): { records: TraceRecord[]; facts: Fact[] } {
    const rows = this.#trace.all(key) as unknown as TraceRow[];
    const hashes = new Set(rows.flatMap((row) => citedHashes(row.json)));
    const facts = Array.from(hashes, (hash) => this.#fact.get(hash) as Fact | undefined);
    return {
      records: rows.map(({ at_ms, ...rest }) => ({ ...rest, atMs: at_ms })),
      facts: facts.filter((fact) => fact !== undefined).map((fact) => ({ ...fact })),
    };
  }
}

function clamp(value: number, max: number): number {
  return Math.min(Math.max(value, 1), max);
}

function traceConditions({ sender, recipient, only }: TraceMatch) {
  const conditions: string[] = [];
  const values: string[] = [];
  for (const [column, wanted] of [
    ['sender', sender],
    ['recipients', recipient],
  ] as const) {
    if (wanted === undefined) continue;
    conditions.push(`instr(${column}, ?) > 0`);
    values.push(wantedText(wanted));
  }
  if (only !== undefined) conditions.push(conditionOf[only]);
  return { conditions, values };
}

const conditionOf: Readonly<Record<NonNullable<TraceMatch['only']>, string>> = {
  refused: 'is_refusal = 1',
  accepted: 'is_refusal = 0',
  waiting: 'EXISTS (SELECT 1 FROM message WHERE message.key = traced_row.key)',
  bounced: 'has_bounced = 1',
};
