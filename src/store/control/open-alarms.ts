/** The alarms that are open: one for each code and object, cleared by recovery. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Alarm, AlarmChange, AlarmCode } from '../../policy/validation/alarms-after.ts';
import { toFailure } from '../sqlite-failure.ts';

type Row = Record<string, SQLOutputValue>;

/** Synchronous; every method throws a Failure of the store. */
export class OpenAlarms {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Oldest first; of one organization, or of all where it is null. */
  list(organization: string | null): readonly Alarm[] {
    const sql = `SELECT * FROM open_alarm WHERE ? IS NULL OR organization = ?
      ORDER BY since, code, object`;
    return attempt(() => this.#db.prepare(sql).all(organization, organization)).map(toAlarm);
  }

  /** Whether anything that people are told has changed. One that is open keeps its `since`. */
  apply(organization: string, change: AlarmChange): boolean {
    return attempt(() => {
      if (change.kind === 'clear') return this.#clear(change.code, organization, change.object);
      const { code, object, since, text, whatToDo } = change.alarm;
      const update = this.#db.prepare(`UPDATE open_alarm SET text = ?, what_to_do = ?
        WHERE code = ? AND organization = ? AND object = ?`);
      const { changes } = update.run(text, whatToDo, code, organization, object);
      if (changes > 0 || change.kind === 'update') return false;
      const insert = this.#db.prepare('INSERT INTO open_alarm VALUES (?, ?, ?, ?, ?, ?)');
      insert.run(code, organization, object, since, text, whatToDo);
      return true;
    });
  }

  #clear(code: string, organization: string, object: string): boolean {
    const sql = 'DELETE FROM open_alarm WHERE code = ? AND organization = ? AND object = ?';
    return this.#db.prepare(sql).run(code, organization, object).changes > 0;
  }
}

function attempt<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw toFailure(error);
  }
}

function toAlarm(row: Row): Alarm {
  return {
    code: String(row['code']) as AlarmCode,
    organization: String(row['organization']),
    object: String(row['object']),
    since: String(row['since']),
    text: String(row['text']),
    whatToDo: String(row['what_to_do']),
  };
}
