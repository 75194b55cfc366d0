/** Brings a SQLite file to the version that this program writes; `user_version` is its format version. */
import type { DatabaseSync } from 'node:sqlite';
import type { Failure } from '../mail/failure.ts';
import { storeFailure } from './sqlite-failure.ts';

/** Throws `store-newer` where a later version of the program has written the file. */
export function checkVersion(db: DatabaseSync, file: string, known: number): void {
  const version = readNumber(db, 'user_version');
  if (version > known) throw newerStore(file, version, known);
}

export function newerStore(file: string, version: number, known: number): Failure {
  const text = `${file} was written by a newer Postern: its format is ${version}, this program knows up to ${known}`;
  return storeFailure('store-newer', text);
}

/** Each migration in one transaction with the step of `user_version`. */
export function migrate(db: DatabaseSync, migrations: readonly string[]): void {
  for (let version = readNumber(db, 'user_version'); version < migrations.length; version++) {
    db.exec(`BEGIN; ${migrations[version]!}; PRAGMA user_version = ${version + 1}; COMMIT;`);
  }
}

/** The value of a pragma that is one number. */
export function readNumber(db: DatabaseSync, pragma: string): number {
  const row = db.prepare(`PRAGMA ${pragma}`).get() ?? {};
  return Number(Object.values(row)[0]);
}
