/**
 * People in the control file: who they are, what they may do, and what they sign in with.
 *
 * Roles are words here; what they mean is known elsewhere.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { ControlRow } from './control-rows.ts';
import {
  bytesOrNull,
  changeRows,
  inTransaction,
  numberOrNull,
  readRow,
  readRows,
  textOrNull,
} from './control-rows.ts';

/** `organization` null: for the whole gateway. */
export interface StoredGrant {
  readonly role: string;
  readonly organization: string | null;
}

/** The identity of a person at a provider of OpenID Connect. */
export interface StoredSubject {
  readonly issuer: string;
  readonly subject: string;
}

/** `name` is what is signed in with, in lower case. Boxes are encrypted authenticator secrets. */
export interface StoredPerson {
  readonly id: string;
  readonly name: string;
  readonly displayName: string | null;
  readonly isEnabled: boolean;
  readonly passwordHash: string | null;
  readonly totpBox: Uint8Array | null;
  /** Shown, and not yet confirmed by a code. */
  readonly totpPendingBox: Uint8Array | null;
  /** The newest step whose code was used. */
  readonly totpLastStep: number | null;
  readonly oidc: StoredSubject | null;
  readonly createdAt: string;
  readonly lastSignedInAt: string | null;
  /** In order of role and organization. */
  readonly grants: readonly StoredGrant[];
}

/** What of a person may be changed by itself. */
export type PersonChange = Partial<Omit<StoredPerson, 'id' | 'createdAt' | 'grants'>>;

/** Every method throws a Failure of the store. */
export class People {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  count(): number {
    return Number(readRow(this.#db, 'SELECT count(*) AS n FROM person')?.['n']);
  }

  /** By name. */
  list(): readonly StoredPerson[] {
    return readRows(this.#db, 'SELECT * FROM person ORDER BY name').map((row) => this.#whole(row));
  }

  byId(id: string): StoredPerson | null {
    return this.#find('SELECT * FROM person WHERE id = ?', id);
  }

  byName(name: string): StoredPerson | null {
    return this.#find('SELECT * FROM person WHERE name = ?', name);
  }

  bySubject({ issuer, subject }: StoredSubject): StoredPerson | null {
    const sql = 'SELECT * FROM person WHERE oidc_issuer = ? AND oidc_subject = ?';
    return this.#find(sql, issuer, subject);
  }

  /** Throws `store-conflict` where the name or the subject is taken. */
  add(person: StoredPerson): void {
    inTransaction(this.#db, () => {
      const { oidc } = person;
      changeRows(
        this.#db,
        'INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        person.id,
        person.name,
        person.displayName,
        person.isEnabled ? 1 : 0,
        person.passwordHash,
        person.totpBox,
        person.totpPendingBox,
        person.totpLastStep,
        oidc?.issuer ?? null,
        oidc?.subject ?? null,
        person.createdAt,
        person.lastSignedInAt,
      );
      this.setGrants(person.id, person.grants);
    });
  }

  /** What is absent stays. */
  change(id: string, change: PersonChange): void {
    inTransaction(this.#db, () => {
      for (const [column, value] of columnsOf(change)) {
        changeRows(this.#db, `UPDATE person SET ${column} = ? WHERE id = ?`, value, id);
      }
      if (change.oidc === undefined) return;
      const { issuer = null, subject = null } = change.oidc ?? {};
      const sql = 'UPDATE person SET oidc_issuer = ?, oidc_subject = ? WHERE id = ?';
      changeRows(this.#db, sql, issuer, subject, id);
    });
  }

  /** In the place of those before. */
  setGrants(id: string, grants: readonly StoredGrant[]): void {
    inTransaction(this.#db, () => {
      changeRows(this.#db, 'DELETE FROM person_grant WHERE person = ?', id);
      for (const { role, organization } of grants) {
        const sql = 'INSERT INTO person_grant VALUES (?, ?, ?)';
        changeRows(this.#db, sql, id, role, organization ?? '');
      }
    });
  }

  /** With sessions, tokens, links and codes. */
  remove(id: string): void {
    changeRows(this.#db, 'DELETE FROM person WHERE id = ?', id);
  }

  /** In the place of those before. */
  setRecoveryCodes(id: string, digests: readonly string[]): void {
    inTransaction(this.#db, () => {
      changeRows(this.#db, 'DELETE FROM recovery_code WHERE person = ?', id);
      for (const digest of digests) {
        changeRows(this.#db, 'INSERT INTO recovery_code VALUES (?, ?)', id, digest);
      }
    });
  }

  countRecoveryCodes(id: string): number {
    const sql = 'SELECT count(*) AS n FROM recovery_code WHERE person = ?';
    return Number(readRow(this.#db, sql, id)?.['n']);
  }

  /** Whether there was such a code; there is none any more. */
  useRecoveryCode(id: string, digest: string): boolean {
    const sql = 'DELETE FROM recovery_code WHERE person = ? AND digest = ?';
    return changeRows(this.#db, sql, id, digest) === 1;
  }

  #find(sql: string, ...values: string[]): StoredPerson | null {
    const row = readRow(this.#db, sql, ...values);
    return row === null ? null : this.#whole(row);
  }

  #whole(row: ControlRow): StoredPerson {
    const sql = `SELECT role, organization FROM person_grant WHERE person = ?
      ORDER BY role, organization`;
    const grants = readRows(this.#db, sql, String(row['id'])).map(toGrant);
    return { ...toPerson(row), grants };
  }
}

function columnsOf(change: PersonChange): [string, string | number | Uint8Array | null][] {
  const { isEnabled } = change;
  const columns: [string, string | number | Uint8Array | null | undefined][] = [
    ['name', change.name],
    ['display_name', change.displayName],
    ['is_enabled', isEnabled === undefined ? undefined : Number(isEnabled)],
    ['password_hash', change.passwordHash],
    ['totp_box', change.totpBox],
    ['totp_pending_box', change.totpPendingBox],
    ['totp_last_step', change.totpLastStep],
    ['last_signed_in_at', change.lastSignedInAt],
  ];
  return columns.flatMap(([column, value]) => (value === undefined ? [] : [[column, value]]));
}

function toGrant(row: ControlRow): StoredGrant {
  const organization = String(row['organization']);
  return { role: String(row['role']), organization: organization === '' ? null : organization };
}

function toPerson(row: ControlRow): Omit<StoredPerson, 'grants'> {
  const [issuer, subject] = [textOrNull(row['oidc_issuer']), textOrNull(row['oidc_subject'])];
  return {
    id: String(row['id']),
    name: String(row['name']),
    displayName: textOrNull(row['display_name']),
    isEnabled: row['is_enabled'] === 1,
    passwordHash: textOrNull(row['password_hash']),
    totpBox: bytesOrNull(row['totp_box']),
    totpPendingBox: bytesOrNull(row['totp_pending_box']),
    totpLastStep: numberOrNull(row['totp_last_step']),
    oidc: issuer === null || subject === null ? null : { issuer, subject },
    createdAt: String(row['created_at']),
    lastSignedInAt: textOrNull(row['last_signed_in_at']),
  };
}
