/** Validation runs in the control file: kept whole, the newest of each connector. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { gunzipSync, gzipSync } from 'node:zlib';
import { hasCertificates } from '../../policy/validation/alarms-after.ts';
import type { RunsBefore, ValidationTrigger } from '../../policy/validation/alarms-after.ts';
import type {
  ValidationResult,
  ValidationRun,
  ValidationScope,
} from '../../policy/validation/run.ts';
import { toFailure } from '../sqlite-failure.ts';

/** Runs kept of one connector, and of all together. */
export const runsPerConnectorMax = 50;
export const runsMax = 20_000;

export interface ConnectorKey {
  readonly organization: string;
  readonly connector: string;
}

/** `way` is `wayOf` of the connector that was validated; `orderedBy` who wanted it, in words. */
export interface KeptRun {
  readonly run: ValidationRun;
  readonly way: string;
  readonly trigger: ValidationTrigger;
  readonly orderedBy: string;
}

/** A run without what is large. */
export interface RunSummary {
  readonly id: string;
  readonly isDraft: boolean;
  readonly trigger: ValidationTrigger;
  readonly orderedBy: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly policyRevision: string;
  readonly scope: ValidationScope;
  readonly recipients: readonly string[];
  readonly result: ValidationResult;
  readonly summary: string;
}

type Row = Record<string, SQLOutputValue>;

const columns = `id, is_draft, trigger, ordered_by, started_at, ended_at, policy_revision, scope,
  recipients, result, summary`;

/** Synchronous; every method throws a Failure of the store. */
export class ValidationRuns {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Keeps the run, and lets go of what is more than the bounds. */
  add({ run, way, trigger, orderedBy }: KeptRun): void {
    const { id, organization, connector, asked } = run;
    const values = [
      id,
      organization,
      connector,
      trigger,
      orderedBy,
      Number(run.isDraft),
      way,
      run.startedAt,
      run.endedAt,
      run.policyRevision,
      asked.scope,
      JSON.stringify(asked.recipients),
      run.result,
      run.summary,
      Number(hasCertificates(run)),
      gzipSync(JSON.stringify(run)),
    ];
    const places = values.map(() => '?').join(', ');
    attempt(() => {
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        this.#db.prepare(`INSERT INTO validation_run VALUES (NULL, ${places})`).run(...values);
        this.#prune({ organization, connector });
        this.#db.exec('COMMIT');
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        throw error;
      }
    });
  }

  /** Newest first; those older than the run `before`. */
  list(
    key: ConnectorKey,
    page: { readonly before: string | null; readonly limit: number },
  ): readonly RunSummary[] {
    const sql = `SELECT ${columns} FROM validation_run WHERE organization = ? AND connector = ?
      AND number < coalesce((SELECT number FROM validation_run WHERE id = ?), 9e15)
      ORDER BY number DESC LIMIT ?`;
    const { organization, connector } = key;
    return this.#all(sql, organization, connector, page.before, page.limit).map(toSummary);
  }

  /** Null where there is no such run of this connector. */
  read({ organization, connector }: ConnectorKey, id: string): ValidationRun | null {
    const sql = `SELECT run FROM validation_run
      WHERE id = ? AND organization = ? AND connector = ?`;
    return toRun(this.#all(sql, id, organization, connector)[0]);
  }

  /** What a new run is compared with; drafts do not count. */
  before({ organization, connector }: ConnectorKey): RunsBefore {
    const newest = (where: string): ValidationRun | null => {
      const sql = `SELECT run FROM validation_run WHERE organization = ? AND connector = ?
        AND is_draft = 0 ${where} ORDER BY number DESC LIMIT 1`;
      return toRun(this.#all(sql, organization, connector)[0]);
    };
    return { last: newest(''), lastWithTls: newest('AND has_certificates = 1') };
  }

  /**
   * The newest run of this very way that asked about an address, draft or not: what was tried as a draft
   * and then saved was validated. Null where nothing of it was.
   */
  newestOfWay({ organization, connector }: ConnectorKey, way: string): RunSummary | null {
    const sql = `SELECT ${columns} FROM validation_run WHERE organization = ? AND connector = ?
      AND way = ? AND scope <> 'connection' ORDER BY number DESC LIMIT 1`;
    const [row] = this.#all(sql, organization, connector, way);
    return row === undefined ? null : toSummary(row);
  }

  /** Whether the connector itself, however it was then, was ever tried with an address. */
  hasAsked({ organization, connector }: ConnectorKey): boolean {
    const sql = `SELECT 1 FROM validation_run WHERE organization = ? AND connector = ?
      AND is_draft = 0 AND scope <> 'connection' LIMIT 1`;
    return this.#all(sql, organization, connector).length > 0;
  }

  /** When it last was, drafts aside; null for never. For the schedule. */
  lastStartedAt({ organization, connector }: ConnectorKey): string | null {
    const sql = `SELECT started_at FROM validation_run WHERE organization = ? AND connector = ?
      AND is_draft = 0 ORDER BY number DESC LIMIT 1`;
    const text = this.#all(sql, organization, connector)[0]?.['started_at'];
    return typeof text === 'string' ? text : null;
  }

  #prune({ organization, connector }: ConnectorKey): void {
    const ofConnector = `DELETE FROM validation_run WHERE organization = ? AND connector = ?
      AND number NOT IN (SELECT number FROM validation_run
        WHERE organization = ? AND connector = ? ORDER BY number DESC LIMIT ?)`;
    const key = [organization, connector];
    this.#db.prepare(ofConnector).run(...key, ...key, runsPerConnectorMax);
    const ofAll = `DELETE FROM validation_run WHERE number <=
      (SELECT number FROM validation_run ORDER BY number DESC LIMIT 1 OFFSET ?)`;
    this.#db.prepare(ofAll).run(runsMax);
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

function toRun(row: Row | undefined): ValidationRun | null {
  const bytes = row?.['run'];
  if (!(bytes instanceof Uint8Array)) return null;
  return JSON.parse(gunzipSync(bytes).toString('utf8')) as ValidationRun;
}

function toSummary(row: Row): RunSummary {
  const text = (column: string): string => String(row[column]);
  return {
    id: text('id'),
    isDraft: row['is_draft'] === 1,
    trigger: text('trigger') as ValidationTrigger,
    orderedBy: text('ordered_by'),
    startedAt: text('started_at'),
    endedAt: text('ended_at'),
    policyRevision: text('policy_revision'),
    scope: text('scope') as ValidationScope,
    recipients: JSON.parse(text('recipients')) as string[],
    result: text('result') as ValidationResult,
    summary: text('summary'),
  };
}
