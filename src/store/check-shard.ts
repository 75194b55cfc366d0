/**
 * Whether a shard is whole: the file itself, each message with its content, each delivery with its
 * message. Reads only; also a shard that is in use, where what passes meanwhile is no fault.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { readNumber } from './migrate.ts';
import { storeVersion } from './migrations.ts';
import { checkSpoolHeader, spoolHeaderBytes } from './spool.ts';
import { toFailure } from './sqlite-failure.ts';

export interface ShardCounts {
  readonly messages: number;
  readonly deliveries: number;
  readonly traces: number;
  readonly spoolFiles: number;
}

/**
 * `store`: the file cannot be trusted. `message`: one message is damaged, `key` says which.
 */
export interface ShardFault {
  readonly kind: 'store' | 'message';
  readonly key: number | null;
  readonly text: string;
}

export interface CheckedShard {
  /** Null where the file cannot be read so far. */
  readonly counts: ShardCounts | null;
  readonly version: number | null;
}

const rowsPerStep = 500;
const faultsOfSqliteMax = 100;

interface MessageRow {
  readonly key: number;
  readonly size: number;
  readonly spool: string | null;
  readonly offset: number;
  readonly body: number | null;
  readonly detail: string;
  readonly deliveries: number;
}

interface DeliveryRow {
  readonly key: number;
  readonly ordinal: number;
  readonly detail: string;
  readonly owner: number;
}

/** Never rejects for what is wrong with the file: `report` is told. */
export async function checkShard(
  file: string,
  spoolFolder: string,
  report: (fault: ShardFault) => void,
): Promise<CheckedShard> {
  const storeFault = (text: string): void => report({ kind: 'store', key: null, text });
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
    const version = readNumber(db, 'user_version');
    if (version > storeVersion || version === 0) {
      storeFault(`it has version ${version}; this program knows versions 1 to ${storeVersion}`);
      return { counts: null, version };
    }
    const faults = db.prepare(`PRAGMA integrity_check(${faultsOfSqliteMax})`).all();
    const texts = faults.map((row) => String(Object.values(row)[0]));
    for (const text of texts.filter((text) => text !== 'ok')) storeFault(text);
    const counts = await checkRows(db, spoolFolder, report);
    return { counts, version };
  } catch (error) {
    storeFault(toFailure(error).message);
    return { counts: null, version: null };
  } finally {
    db?.close();
  }
}

async function checkRows(
  db: DatabaseSync,
  spoolFolder: string,
  report: (fault: ShardFault) => void,
): Promise<ShardCounts> {
  const { messages, spoolFiles } = await checkMessages(db, spoolFolder, report);
  const deliveries = await checkDeliveries(db, report);
  const { traces } = db.prepare('SELECT count(*) AS traces FROM trace').get() as { traces: number };
  return { messages, deliveries, traces, spoolFiles };
}

async function checkMessages(
  db: DatabaseSync,
  spoolFolder: string,
  report: (fault: ShardFault) => void,
): Promise<{ readonly messages: number; readonly spoolFiles: number }> {
  const page = db.prepare(
    `SELECT key, size_bytes AS size, spool_path AS spool, spool_offset AS offset,
       length(body) AS body, detail,
       (SELECT count(*) FROM delivery WHERE delivery.key = message.key) AS deliveries
     FROM message WHERE key > ? ORDER BY key LIMIT ${rowsPerStep}`,
  );
  const isThere = db.prepare('SELECT 1 FROM message WHERE key = ?');
  let messages = 0;
  let spoolFiles = 0;
  for (let last = -1; ; await sleep(0)) {
    const rows = page.all(last) as unknown as MessageRow[];
    for (const row of rows) {
      messages += 1;
      if (row.spool !== null) spoolFiles += 1;
      for (const text of faultsOf(row, spoolFolder)) {
        // In a shard that is in use it may be delivered by now, and its file is rightly gone.
        if (isThere.get(row.key) !== undefined) report({ kind: 'message', key: row.key, text });
      }
    }
    if (rows.length < rowsPerStep) return { messages, spoolFiles };
    last = rows.at(-1)!.key;
  }
}

function faultsOf(row: MessageRow, spoolFolder: string): string[] {
  const faults: string[] = [];
  if (row.deliveries === 0) faults.push('it has no delivery, so that it would never leave');
  if (!isJson(row.detail)) faults.push('its envelope cannot be read');
  const content = row.spool === null ? faultOfBody(row) : faultOfSpool(row, spoolFolder);
  return content === null ? faults : [...faults, content];
}

function faultOfBody({ body, size }: MessageRow): string | null {
  // A content of no bytes at all is kept as NULL or as an empty BLOB.
  if ((body ?? 0) === size) return null;
  return `its content has ${body ?? 0} bytes instead of ${size}`;
}

function faultOfSpool({ spool, size, offset }: MessageRow, spoolFolder: string): string | null {
  const file = path.join(spoolFolder, spool!);
  let descriptor: number | null = null;
  try {
    descriptor = openSync(file, 'r');
    const expected = offset + size;
    const actual = fstatSync(descriptor).size;
    if (actual !== expected) return `its file ${file} has ${actual} bytes instead of ${expected}`;
    const header = Buffer.alloc(spoolHeaderBytes);
    readSync(descriptor, header, 0, spoolHeaderBytes, 0);
    const problem = checkSpoolHeader(header);
    return problem === null ? null : `its file ${file} ${problem}`;
  } catch (error) {
    return `its file ${file} cannot be read: ${(error as Error).message}`;
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

async function checkDeliveries(
  db: DatabaseSync,
  report: (fault: ShardFault) => void,
): Promise<number> {
  const page = db.prepare(
    `SELECT key, ordinal, detail,
       EXISTS (SELECT 1 FROM message WHERE message.key = delivery.key) AS owner
     FROM delivery WHERE (key, ordinal) > (?, ?) ORDER BY key, ordinal LIMIT ${rowsPerStep}`,
  );
  let deliveries = 0;
  for (let [key, ordinal] = [-1, -1]; ; await sleep(0)) {
    const rows = page.all(key, ordinal) as unknown as DeliveryRow[];
    for (const row of rows) {
      deliveries += 1;
      const name = `delivery ${row.ordinal}`;
      if (row.owner === 0)
        report({ kind: 'message', key: row.key, text: `${name} has no message` });
      if (!isJson(row.detail)) {
        report({ kind: 'message', key: row.key, text: `${name} cannot be read` });
      }
    }
    if (rows.length < rowsPerStep) return deliveries;
    [key, ordinal] = [rows.at(-1)!.key, rows.at(-1)!.ordinal];
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // Told to whoever asked for the check.
    return false;
  }
}
