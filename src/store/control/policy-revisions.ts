/**
 * The policy in the control file: objects, their versions, and the revisions that made them.
 *
 * What an object means is not known here: `kind` and `name` are words, a value is JSON.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { toFailure } from '../sqlite-failure.ts';

/** What names an object; `organization` null for what belongs to the gateway. */
export interface StoredKey {
  readonly kind: string;
  readonly organization: string | null;
  readonly name: string;
}

/** `position` orders the objects of a kind within their organization. */
export interface StoredObject extends StoredKey {
  readonly position: number;
  /** The revision that wrote this version. */
  readonly revision: number;
  readonly value: unknown;
  readonly setBy: 'gateway' | 'organization';
}

/** A version to be written; `value` null removes the object. */
export interface ObjectWrite extends StoredKey {
  readonly position: number;
  readonly value: unknown;
  readonly setBy: 'gateway' | 'organization';
}

/** One change of the policy. */
export interface StoredRevision {
  /** From 1, without gaps. */
  readonly number: number;
  /** RFC 3339, UTC. */
  readonly at: string;
  /** Who made it, in words. */
  readonly author: string;
  /** How: `file`, `change`, `rollback`. */
  readonly origin: string;
  readonly reason: string | null;
  /** Of the file's part that it took over; null where it took none. */
  readonly fileDigest: string | null;
}

/** Since `since`, RFC 3339, decisions name `policyRevision`, which is the policy of `revision`. */
export interface InForceNote {
  readonly since: string;
  readonly policyRevision: string;
  readonly revision: number;
}

/** What a revision did to one object; null where it was not there. */
export interface StoredChange extends StoredKey {
  readonly before: StoredVersion | null;
  readonly after: StoredVersion | null;
}

export interface StoredVersion {
  readonly revision: number;
  readonly position: number;
  readonly value: unknown;
}

type Row = Record<string, SQLOutputValue>;

/** Reads and writes synchronously; every method throws a Failure of the store. */
export class PolicyRevisions {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Null before the first one. */
  newest(): StoredRevision | null {
    return this.#one('SELECT * FROM revision ORDER BY number DESC LIMIT 1');
  }

  /** The newest one that took over what stood in the file. */
  lastImport(): StoredRevision | null {
    return this.#one(
      'SELECT * FROM revision WHERE file_digest IS NOT NULL ORDER BY number DESC LIMIT 1',
    );
  }

  read(number: number): StoredRevision | null {
    return this.#one('SELECT * FROM revision WHERE number = ?', number);
  }

  /** Newest first; those before `before`. */
  list(before: number | null, limit: number): readonly StoredRevision[] {
    const sql = 'SELECT * FROM revision WHERE number < ? ORDER BY number DESC LIMIT ?';
    return this.#all(sql, before ?? Number.MAX_SAFE_INTEGER, limit).map(toRevision);
  }

  /** Another policy is in force: that of this revision, under the name that decision records use. */
  noteInForce(note: InForceNote): void {
    const insert = 'INSERT INTO in_force VALUES (?, ?, ?)';
    attempt(() => {
      this.#db.prepare(insert).run(note.since, note.policyRevision, note.revision);
    });
  }

  /** Of which revisions a policy was that decision records name, and since when, newest first. */
  whenInForce(policyRevision: string, limit: number): readonly InForceNote[] {
    const sql = 'SELECT * FROM in_force WHERE policy_revision = ? ORDER BY since DESC LIMIT ?';
    return this.#all(sql, policyRevision, limit).map((row) => ({
      since: String(row['since']),
      policyRevision: String(row['policy_revision']),
      revision: Number(row['revision']),
    }));
  }

  /** Everything as of a revision, in order of kind, organization and position. */
  objectsAt(revision: number): readonly StoredObject[] {
    const sql = `SELECT kind, organization, name, position, max(revision) AS revision, value, set_by
      FROM object_version WHERE revision <= ?
      GROUP BY kind, organization, name HAVING value IS NOT NULL
      ORDER BY kind, organization, position, name`;
    return this.#all(sql, revision).map(toObject);
  }

  /** What one revision did, object by object. */
  changesOf(number: number): readonly StoredChange[] {
    const written = this.#all('SELECT * FROM object_version WHERE revision = ?', number);
    const before = `SELECT revision, position, value FROM object_version
      WHERE kind = ? AND organization = ? AND name = ? AND revision < ?
      ORDER BY revision DESC LIMIT 1`;
    return written.map((row) => {
      const key = toKey(row);
      const [old] = this.#all(before, ...wordsOf(key), number);
      return { ...key, before: versionOrNull(old), after: versionOrNull(row) };
    });
  }

  /**
   * One revision with all its versions, or nothing at all. `also` runs in the same transaction, for
   * what must be on record together with it.
   */
  write(revision: StoredRevision, writes: readonly ObjectWrite[], also?: () => void): void {
    attempt(() => {
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        this.#insert(revision, writes);
        also?.();
        this.#db.exec('COMMIT');
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        throw error;
      }
    });
  }

  #insert(revision: StoredRevision, writes: readonly ObjectWrite[]): void {
    const { number, at, author, origin, reason, fileDigest } = revision;
    this.#db
      .prepare('INSERT INTO revision VALUES (?, ?, ?, ?, ?, ?)')
      .run(number, at, author, origin, reason, fileDigest);
    const insert = this.#db.prepare('INSERT INTO object_version VALUES (?, ?, ?, ?, ?, ?, ?)');
    for (const { position, value, setBy, ...key } of writes) {
      const text = value === null ? null : JSON.stringify(value);
      insert.run(...wordsOf(key), number, position, text, setBy);
    }
  }

  #one(sql: string, ...values: (string | number)[]): StoredRevision | null {
    const [row] = this.#all(sql, ...values);
    return row === undefined ? null : toRevision(row);
  }

  #all(sql: string, ...values: (string | number | null)[]): Row[] {
    return attempt(() => this.#db.prepare(sql).all(...values));
  }
}

function attempt<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw toFailure(error);
  }
}

function wordsOf({ kind, organization, name }: StoredKey): [string, string, string] {
  return [kind, organization ?? '', name];
}

function toKey(row: Row): StoredKey {
  const organization = String(row['organization']);
  return {
    kind: String(row['kind']),
    organization: organization === '' ? null : organization,
    name: String(row['name']),
  };
}

function toObject(row: Row): StoredObject {
  const setBy = row['set_by'] === 'gateway' ? 'gateway' : 'organization';
  return { ...toKey(row), ...toVersion(row), setBy };
}

function toVersion(row: Row): StoredVersion {
  const text = row['value'];
  return {
    revision: Number(row['revision']),
    position: Number(row['position']),
    value: typeof text === 'string' ? (JSON.parse(text) as unknown) : null,
  };
}

function versionOrNull(row: Row | undefined): StoredVersion | null {
  return row === undefined || row['value'] === null ? null : toVersion(row);
}

function toRevision(row: Row): StoredRevision {
  const text = (column: string): string | null =>
    row[column] === null ? null : String(row[column]);
  return {
    number: Number(row['number']),
    at: String(row['at']),
    author: String(row['author']),
    origin: String(row['origin']),
    reason: text('reason'),
    fileDigest: text('file_digest'),
  };
}
