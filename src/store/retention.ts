/**
 * What is forgotten, and when: traces older than the retention time unless their message is still
 * queued, then facts that no trace left cites. In small steps, and free pages are given back slowly.
 *
 * A fact's time of last citation is true to the refresh interval of the client's cache, so a fact
 * outlives every trace that cites it by at least that. Traces of queued messages keep theirs fresh.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { readNumber } from './migrate.ts';
import { citedHashes } from './rows.ts';

export interface RetentionSettings {
  readonly traceRetentionMs: number;
  /** How exact `seen_at_ms` is. */
  readonly factRefreshMs: number;
}

interface OldTrace {
  readonly id: number;
  readonly key: number;
  readonly kind: string;
  readonly at_ms: number;
  readonly is_queued: number;
}

/** Free pages that are always kept, and the share of the file above which they are given back. */
const freePagesKept = 2048;
const freeShareMax = 0.5;
const vacuumPages = 256;

export class Retention {
  readonly #db: DatabaseSync;
  readonly #settings: RetentionSettings;
  readonly #now: () => number;
  readonly #statements: ReturnType<typeof prepare>;
  #phase: 'idle' | 'traces' | 'facts' = 'idle';
  #afterId = 0;
  #beforeMs = 0;

  constructor(db: DatabaseSync, settings: RetentionSettings, now: () => number) {
    this.#db = db;
    this.#settings = settings;
    this.#now = now;
    this.#statements = prepare(db);
  }

  get isSweeping(): boolean {
    return this.#phase !== 'idle';
  }

  /** Begins a sweep from the oldest trace, unless one is under way. */
  start(): void {
    if (this.isSweeping) return;
    this.restart();
    this.#phase = 'traces';
  }

  /** After a rolled-back step: what it removed is there again. */
  restart(): void {
    this.#afterId = 0;
    this.#beforeMs = this.#now() - this.#settings.traceRetentionMs;
    if (this.#phase === 'facts') this.#phase = 'traces';
  }

  /** Looks at up to `limit` rows, inside the caller's transaction. */
  step(limit: number): void {
    if (limit === 0) return;
    if (this.#phase === 'traces') this.#stepTraces(limit);
    else if (this.#phase === 'facts') this.#stepFacts(limit);
  }

  #stepTraces(limit: number): void {
    const rows = this.#statements.oldest.all(this.#afterId, limit) as unknown as OldTrace[];
    for (const row of rows) {
      if (row.at_ms >= this.#beforeMs) {
        this.#phase = 'facts';
        return;
      }
      if (row.is_queued === 1) this.#refreshFacts(row.id);
      else this.#forget(row);
      this.#afterId = row.id;
    }
    if (rows.length < limit) this.#phase = 'facts';
  }

  /** With the first record of a message goes what it is searched by. */
  #forget({ id, key, kind }: OldTrace): void {
    this.#statements.deleteTrace.run(id);
    if (kind === 'received' || kind === 'refused') this.#statements.deleteTraced.run(key);
  }

  #refreshFacts(id: number): void {
    const { json } = this.#statements.traceJson.get(id) as { json: string };
    for (const hash of citedHashes(json)) this.#statements.touchFact.run(this.#now(), hash);
  }

  #stepFacts(limit: number): void {
    const seenBeforeMs = this.#beforeMs - 2 * this.#settings.factRefreshMs;
    const { changes } = this.#statements.deleteFacts.run(seenBeforeMs, limit);
    if (Number(changes) < limit) this.#phase = 'idle';
  }

  /** Gives a few free pages back where far more are free than the queue needs. */
  vacuum(): void {
    const free = readNumber(this.#db, 'freelist_count');
    if (free <= freePagesKept || free < freeShareMax * readNumber(this.#db, 'page_count')) return;
    this.#db.exec(`PRAGMA incremental_vacuum(${vacuumPages})`);
  }
}

function prepare(db: DatabaseSync): Record<string, StatementSync> & {
  [
    name in 'oldest' | 'traceJson' | 'deleteTrace' | 'deleteTraced' | 'touchFact' | 'deleteFacts'
  ]: StatementSync;
} {
  return {
    oldest: db.prepare(
      `SELECT id, key, kind, at_ms, EXISTS (SELECT 1 FROM message WHERE message.key = trace.key) AS is_queued
       FROM trace WHERE id > ? ORDER BY id LIMIT ?`,
    ),
    traceJson: db.prepare('SELECT json FROM trace WHERE id = ?'),
    deleteTrace: db.prepare('DELETE FROM trace WHERE id = ?'),
    deleteTraced: db.prepare('DELETE FROM traced WHERE key = ?'),
    touchFact: db.prepare('UPDATE fact SET seen_at_ms = ? WHERE hash = ?'),
    deleteFacts: db.prepare(
      'DELETE FROM fact WHERE id IN (SELECT id FROM fact WHERE seen_at_ms < ? LIMIT ?)',
    ),
  };
}
