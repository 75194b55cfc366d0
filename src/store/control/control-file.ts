/**
 * The control file, `control.db`: what the control process keeps and no lane touches.
 *
 * Whoever opens it for writing holds the data folder; readers need not.
 */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { checkVersion, migrate } from '../migrate.ts';
import { namingFile } from '../sqlite-failure.ts';
import { AuditLog } from './audit.ts';
import { inTransaction } from './control-rows.ts';
import { controlMigrations, controlVersion } from './migrations.ts';
import { OpenAlarms } from './open-alarms.ts';
import { PolicyRevisions } from './policy-revisions.ts';
import { ValidationRuns } from './validation-runs.ts';
import { People } from './people.ts';
import { Sessions } from './sessions.ts';
import { Links, Tokens } from './tokens.ts';

/** Everything in it, by what it is about. */
export class ControlFile {
  readonly policy: PolicyRevisions;
  readonly validations: ValidationRuns;
  readonly alarms: OpenAlarms;
  readonly people: People;
  readonly tokens: Tokens;
  readonly links: Links;
  readonly sessions: Sessions;
  readonly audit: AuditLog;
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.policy = new PolicyRevisions(db);
    this.validations = new ValidationRuns(db);
    this.alarms = new OpenAlarms(db);
    this.people = new People(db);
    this.tokens = new Tokens(db);
    this.links = new Links(db);
    this.sessions = new Sessions(db);
    this.audit = new AuditLog(db);
  }

  /** All that `work` does or nothing; inside another one it is part of that. Nothing waits in it. */
  change<Result>(work: () => Result): Result {
    return inTransaction(this.#db, work);
  }

  close(): void {
    this.#db.close();
  }
}

/** The file is made where it is missing. Throws `store-newer`, `store-damaged`, `store-io`. */
export function openControl(file: string): ControlFile {
  return opened(file, false, (db) => {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
    checkVersion(db, file, controlVersion);
    migrate(db, controlMigrations);
  });
}

/** For reading beside a gateway that may run; null where there is no such file yet. Throws the same. */
export function openControlReader(file: string): ControlFile | null {
  if (!existsSync(file)) return null;
  return opened(file, true, (db) => checkVersion(db, file, controlVersion));
}

function opened(file: string, readOnly: boolean, prepare: (db: DatabaseSync) => void) {
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(file, { timeout: 5000, readOnly });
    prepare(db);
    return new ControlFile(db);
  } catch (error) {
    db?.close();
    throw namingFile(error, file);
  }
}
