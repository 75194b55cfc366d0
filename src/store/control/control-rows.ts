/** Rows of the control file: statements run as Failures of the store, whole changes or none. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { toFailure } from '../sqlite-failure.ts';

export type ControlRow = Readonly<Record<string, SQLOutputValue>>;

export function readRows(db: DatabaseSync, sql: string, ...values: SQLInputValue[]): ControlRow[] {
  return orFailure(() => db.prepare(sql).all(...values));
}

/** The first row; null where there is none. */
export function readRow(
  db: DatabaseSync,
  sql: string,
  ...values: SQLInputValue[]
): ControlRow | null {
  return orFailure(() => db.prepare(sql).get(...values)) ?? null;
}

/** How many rows it changed. */
export function changeRows(db: DatabaseSync, sql: string, ...values: SQLInputValue[]): number {
  return Number(orFailure(() => db.prepare(sql).run(...values)).changes);
}

/** All that `work` does or nothing; inside another one it is part of that. */
export function inTransaction<Result>(db: DatabaseSync, work: () => Result): Result {
  if (db.isTransaction) return work();
  return orFailure(() => {
    db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      db.exec('COMMIT');
      return result;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  });
}

function orFailure<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw toFailure(error);
  }
}

export function textOrNull(value: SQLOutputValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

export function numberOrNull(value: SQLOutputValue | undefined): number | null {
  return typeof value === 'number' ? value : null;
}

export function bytesOrNull(value: SQLOutputValue | undefined): Uint8Array | null {
  return value instanceof Uint8Array ? value : null;
}
