/**
 * Messages and deliveries from their rows, for the shard and its readers. A row that is damaged is
 * said to be so, and hides no other.
 */
import path from 'node:path';
import { crc32 } from 'node:zlib';
import type { Content } from '../mail/content.ts';
import { status } from '../mail/enhanced-status.ts';
import type { MailParameters } from '../mail/envelope.ts';
import { Failure } from '../mail/failure.ts';
import type { Outcome } from '../policy/outcome.ts';
import { checkSpoolFile } from './spool.ts';
import { storeFailure } from './sqlite-failure.ts';
import type { QueueRow, StoredDelivery, StoredMessage } from './store.ts';

/** Columns of a message without its body; `message_detail` lets it be joined with deliveries. */
export interface MessageRow {
  readonly key: number;
  readonly organization: string;
  readonly received_at_ms: number;
  readonly size_bytes: number;
  readonly spool_path: string | null;
  readonly spool_offset: number;
  readonly message_detail: string;
  readonly body?: Uint8Array | null;
}

export interface DeliveryRow {
  readonly key: number;
  readonly ordinal: number;
  readonly is_held: number;
  readonly due_at_ms: number;
  readonly attempts: number;
  readonly route_key: string;
  readonly detail: string;
}

type MessageDetail = Pick<
  StoredMessage,
  'reversePath' | 'source' | 'ruling' | keyof MailParameters
> & {
  /** Of the content, where it is in the row. */
  readonly crc32?: number;
};
type DeliveryDetail = Pick<
  StoredDelivery,
  | 'recipients'
  | 'floor'
  | 'failedTlsAtMs'
  | 'retriesFromMs'
  | 'lastOutcome'
  | 'delayToldAtMs'
  | 'tlsDelayToldAtMs'
  | 'regularDueAtMs'
  | 'extraAttempts'
>;

/** Throws `store-damaged` where `detail` cannot be read. */
export function toMessage(row: MessageRow): Omit<StoredMessage, 'content'> {
  const { key, organization, received_at_ms: receivedAtMs } = row;
  const { crc32: _, ...detail } = readMessageDetail(row);
  return { key, organization, receivedAtMs, ...detail };
}

function readMessageDetail(row: MessageRow): MessageDetail {
  return readDetail(
    row.message_detail,
    `message ${row.key}`,
    (detail: MessageDetail) =>
      isObject(detail.source) && detail.reversePath !== undefined && detail.bodyType !== undefined,
  );
}

/**
 * A queued delivery with its message, for lists. What cannot be read is left empty, and the last
 * outcome says so: one damaged row must not hide all others.
 */
export function toQueueRow(row: DeliveryRow & MessageRow): QueueRow {
  const { key, organization, received_at_ms: receivedAtMs, size_bytes: sizeBytes } = row;
  const delivery = toDelivery(row);
  try {
    return { message: { ...toMessage(row), sizeBytes }, delivery };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const source = { kind: 'mx', inboundConnectors: [] } as const;
    const message = { key, organization, receivedAtMs, sizeBytes, source } as const;
    const lastOutcome = damagedOutcome(row, error.message);
    return {
      message: { ...message, reversePath: null, bodyType: '7bit' },
      delivery: { ...delivery, lastOutcome },
    };
  }
}

/** Throws `store-damaged` where the bytes are not those that were stored. */
export function toContent(row: MessageRow, spoolFolder: string): Content {
  if (row.spool_path === null) {
    const body = row.body ?? new Uint8Array(0);
    // Rows of an earlier program have no checksum.
    const expected = readMessageDetail(row).crc32;
    const isWhole = body.length === row.size_bytes;
    if (!isWhole || (expected !== undefined && crc32(body) !== expected)) {
      throw storeFailure(
        'store-damaged',
        `the content of message ${row.key} is not what was stored`,
      );
    }
    return { kind: 'memory', bytes: Buffer.from(body.buffer, body.byteOffset, body.byteLength) };
  }
  const file = path.join(spoolFolder, row.spool_path);
  const content = { path: file, offset: row.spool_offset, sizeBytes: row.size_bytes };
  checkSpoolFile(content);
  return { kind: 'spool', ...content };
}

/** One that cannot be read has no recipients, and keeps its row as it is. */
export function toDelivery(row: DeliveryRow): StoredDelivery {
  const known = {
    key: row.key,
    ordinal: row.ordinal,
    state: row.is_held === 1 ? 'held' : 'queued',
    dueAtMs: row.due_at_ms,
    attempts: row.attempts,
    routeKey: row.route_key,
  } as const;
  try {
    return { ...known, ...readDeliveryDetail(row) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const lists = { recipients: [], floor: [], failedTlsAtMs: [] };
    const lastOutcome = damagedOutcome(row, error.message);
    const unreadable = { detail: row.detail, reason: error.message };
    return { ...known, ...lists, retriesFromMs: row.due_at_ms, lastOutcome, unreadable };
  }
}

function readDeliveryDetail(row: DeliveryRow): DeliveryDetail {
  const what = `delivery ${row.ordinal} of message ${row.key}`;
  return readDetail(
    row.detail,
    what,
    (detail: DeliveryDetail) =>
      Array.isArray(detail.recipients) &&
      detail.recipients.length > 0 &&
      Array.isArray(detail.floor) &&
      Array.isArray(detail.failedTlsAtMs) &&
      Number.isFinite(detail.retriesFromMs),
  );
}

/** `isWhole` is asked only about an object; what it says is all that is checked. */
function readDetail<T>(text: string, what: string, isWhole: (detail: T) => boolean): T {
  try {
    const detail = JSON.parse(text) as T;
    if (isObject(detail) && isWhole(detail)) return detail;
  } catch (cause) {
    throw storeFailure('store-damaged', `${what} cannot be read: ${String(cause)}`, cause);
  }
  throw storeFailure('store-damaged', `${what} cannot be read: a part of it is missing`);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function damagedOutcome(row: DeliveryRow, reason: string): Outcome {
  return {
    kind: 'held',
    cause: 'damaged',
    status: status('4.3.0'),
    reason,
    reply: null,
    remoteMta: null,
    at: new Date(row.due_at_ms).toISOString(),
  };
}
