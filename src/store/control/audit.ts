/** The audit log in the control file: appended to, searched, never changed. */
import type { DatabaseSync } from 'node:sqlite';
import type { AuditEvent, AuditLink } from '../../report/audit-chain.ts';
import { linkAuditEvent } from '../../report/audit-chain.ts';
import type { ControlRow } from './control-rows.ts';
import { changeRows, inTransaction, readRow, readRows } from './control-rows.ts';

/** Every field that is there must hold. `organizations`: of one of these; absent: of all, and of none. */
export interface AuditMatch {
  readonly since?: string;
  readonly until?: string;
  /** Beginning with this; `sign-in` finds `sign-in.failed`. */
  readonly action?: string;
  readonly person?: string;
  readonly organizations?: readonly string[];
  readonly objectKind?: string;
  readonly objectName?: string;
}

export class AuditLog {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Inside a transaction it is part of that, so that no change is without its entry. */
  append(event: AuditEvent): AuditLink {
    return inTransaction(this.#db, () => {
      const last = readRow(this.#db, 'SELECT * FROM audit ORDER BY number DESC LIMIT 1');
      const link = linkAuditEvent(event, last === null ? null : toLink(last));
      changeRows(
        this.#db,
        'INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        link.number,
        link.hash,
        link.json,
        event.at,
        event.action,
        event.actor.person,
        event.organization,
        event.object?.kind ?? null,
        event.object?.name ?? null,
      );
      return link;
    });
  }

  /** Newest first; those before `before`. */
  search(
    match: AuditMatch,
    page: { readonly before: number | null; readonly limit: number },
  ): readonly AuditLink[] {
    const { since, until, action, person, organizations, objectKind, objectName } = match;
    const conditions = ['number < ?'];
    const values: (string | number)[] = [page.before ?? Number.MAX_SAFE_INTEGER];
    const ask = (condition: string, ...asked: (string | number | undefined)[]): void => {
      if (asked[0] === undefined) return;
      conditions.push(condition);
      values.push(...asked.filter((value) => value !== undefined));
    };
    ask('at >= ?', since);
    ask('at < ?', until);
    ask('substr(action, 1, length(?)) = ?', action, action);
    ask('person = ?', person);
    ask('object_kind = ?', objectKind);
    ask('object_name = ?', objectName);
    if (organizations !== undefined) {
      conditions.push(`organization IN (${organizations.map(() => '?').join(', ')})`);
      values.push(...organizations);
    }
    const sql = `SELECT * FROM audit WHERE ${conditions.join(' AND ')}
      ORDER BY number DESC LIMIT ?`;
    return readRows(this.#db, sql, ...values, page.limit).map(toLink);
  }

  /** Oldest first, those behind `after`: to export and to verify. */
  read(after: number, limit: number): readonly AuditLink[] {
    const sql = 'SELECT * FROM audit WHERE number > ? ORDER BY number LIMIT ?';
    return readRows(this.#db, sql, after, limit).map(toLink);
  }
}

function toLink(row: ControlRow): AuditLink {
  return {
    number: Number(row['number']),
    hash: String(row['hash']),
    json: String(row['json']),
  };
}
