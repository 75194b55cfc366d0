/** API tokens and one-time links in the control file, each by the digest of its secret. */
import type { DatabaseSync } from 'node:sqlite';
import type { ControlRow } from './control-rows.ts';
import { changeRows, numberOrNull, readRow, readRows, textOrNull } from './control-rows.ts';

/** `permissions` are words here. `organization` null: whichever its person may reach. */
export interface StoredToken {
  readonly id: string;
  /** The id of whose it is. */
  readonly person: string;
  readonly name: string;
  readonly permissions: readonly string[];
  readonly organization: string | null;
  readonly createdAt: string;
  readonly expiresAtMs: number;
  readonly lastUsedAtMs: number | null;
}

export class Tokens {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Of one person, or of all; oldest first. */
  list(person: string | null): readonly StoredToken[] {
    const sql = 'SELECT * FROM token WHERE ? IS NULL OR person = ? ORDER BY created_at, id';
    return readRows(this.#db, sql, person, person).map(toToken);
  }

  byId(id: string): StoredToken | null {
    return this.#find('SELECT * FROM token WHERE id = ?', id);
  }

  byDigest(digest: string): StoredToken | null {
    return this.#find('SELECT * FROM token WHERE digest = ?', digest);
  }

  add(token: StoredToken, digest: string): void {
    changeRows(
      this.#db,
      'INSERT INTO token VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      token.id,
      digest,
      token.person,
      token.name,
      JSON.stringify(token.permissions),
      token.organization,
      token.createdAt,
      token.expiresAtMs,
      token.lastUsedAtMs,
    );
  }

  noteUse(id: string, atMs: number): void {
    changeRows(this.#db, 'UPDATE token SET last_used_at_ms = ? WHERE id = ?', atMs, id);
  }

  remove(id: string): void {
    changeRows(this.#db, 'DELETE FROM token WHERE id = ?', id);
  }

  /** Forgets those that ended before then. */
  removeExpired(beforeMs: number): void {
    changeRows(this.#db, 'DELETE FROM token WHERE expires_at_ms < ?', beforeMs);
  }

  #find(sql: string, value: string): StoredToken | null {
    const row = readRow(this.#db, sql, value);
    return row === null ? null : toToken(row);
  }
}

function toToken(row: ControlRow): StoredToken {
  return {
    id: String(row['id']),
    person: String(row['person']),
    name: String(row['name']),
    permissions: JSON.parse(String(row['permissions'])) as readonly string[],
    organization: textOrNull(row['organization']),
    createdAt: String(row['created_at']),
    expiresAtMs: Number(row['expires_at_ms']),
    lastUsedAtMs: numberOrNull(row['last_used_at_ms']),
  };
}

/** `person` null: whoever opens it becomes the first administrator. */
export interface StoredLink {
  readonly person: string | null;
  readonly expiresAtMs: number;
}

/** One-time links: one of each person counts, the newest. */
export class Links {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** In the place of an earlier one for the same person. */
  put({ person, expiresAtMs }: StoredLink, digest: string): void {
    this.removeOf(person);
    changeRows(this.#db, 'INSERT INTO link VALUES (?, ?, ?)', digest, person, expiresAtMs);
  }

  /** The link, which is then gone; null where there is none. */
  take(digest: string): StoredLink | null {
    const sql = 'DELETE FROM link WHERE digest = ? RETURNING person, expires_at_ms';
    const row = readRow(this.#db, sql, digest);
    if (row === null) return null;
    return { person: textOrNull(row['person']), expiresAtMs: Number(row['expires_at_ms']) };
  }

  /** The link without using it up. */
  read(digest: string): StoredLink | null {
    const row = readRow(this.#db, 'SELECT * FROM link WHERE digest = ?', digest);
    if (row === null) return null;
    return { person: textOrNull(row['person']), expiresAtMs: Number(row['expires_at_ms']) };
  }

  removeOf(person: string | null): void {
    changeRows(this.#db, 'DELETE FROM link WHERE person IS ?', person);
  }
}
