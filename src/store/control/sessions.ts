/** Sessions in the control file, each by the digest of its secret. */
import type { DatabaseSync } from 'node:sqlite';
import type { ControlRow } from './control-rows.ts';
import { changeRows, readRow, readRows, textOrNull } from './control-rows.ts';

/** `id` names it in the audit log; it is no secret. */
export interface StoredSession {
  readonly id: string;
  /** The id of whose it is. */
  readonly person: string;
  readonly signedInAtMs: number;
  readonly lastSeenAtMs: number;
  readonly address: string | null;
}

export class Sessions {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  byDigest(digest: string): StoredSession | null {
    const row = readRow(this.#db, 'SELECT * FROM session WHERE digest = ?', digest);
    return row === null ? null : toSession(row);
  }

  /** Oldest first. */
  listOf(person: string): readonly StoredSession[] {
    const sql = 'SELECT * FROM session WHERE person = ? ORDER BY signed_in_at_ms, id';
    return readRows(this.#db, sql, person).map(toSession);
  }

  add(session: StoredSession, digest: string): void {
    const { id, person, signedInAtMs, lastSeenAtMs, address } = session;
    const sql = 'INSERT INTO session VALUES (?, ?, ?, ?, ?, ?)';
    changeRows(this.#db, sql, id, digest, person, signedInAtMs, lastSeenAtMs, address);
  }

  noteSeen(id: string, atMs: number): void {
    changeRows(this.#db, 'UPDATE session SET last_seen_at_ms = ? WHERE id = ?', atMs, id);
  }

  remove(id: string): void {
    changeRows(this.#db, 'DELETE FROM session WHERE id = ?', id);
  }

  /** How many there were. */
  removeOf(person: string): number {
    return changeRows(this.#db, 'DELETE FROM session WHERE person = ?', person);
  }

  /** Forgets those that nobody can use any more. */
  removeOver(limits: { readonly signedInBeforeMs: number; readonly seenBeforeMs: number }): void {
    const sql = 'DELETE FROM session WHERE signed_in_at_ms < ? OR last_seen_at_ms < ?';
    changeRows(this.#db, sql, limits.signedInBeforeMs, limits.seenBeforeMs);
  }
}

function toSession(row: ControlRow): StoredSession {
  return {
    id: String(row['id']),
    person: String(row['person']),
    signedInAtMs: Number(row['signed_in_at_ms']),
    lastSeenAtMs: Number(row['last_seen_at_ms']),
    address: textOrNull(row['address']),
  };
}
