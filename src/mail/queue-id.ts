/**
 * Queue ids: the name by which an administrator finds a message in logs, replies, `queue list` and
 * `trace`; 12 characters, sortable by time within a shard.
 */

/**
 * `key` is a positive integer below 2^53, unique and rising within a shard: milliseconds since
 * 2020-01-01 times 4096 plus a counter. `shard` is 0..31.
 */
export interface QueueId {
  readonly key: number;
  readonly shard: number;
}

const epochMs = Date.UTC(2020, 0, 1);
const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const keyLength = 11;
/** The number of shards that an id can name. */
export const shardsMax = 32;

export function formatQueueId(id: QueueId): string {
  let rest = id.key;
  let text = '';
  for (let i = 0; i < keyLength; i++) {
    text = digits[rest % 32]! + text;
    rest = Math.floor(rest / 32);
  }
  return text + digits[id.shard]!;
}

/** Null where the text is no queue id. Case is ignored. */
export function parseQueueId(text: string): QueueId | null {
  if (text.length !== keyLength + 1) return null;
  const values = Array.from(text.toUpperCase(), (digit) => digits.indexOf(digit));
  if (values.includes(-1)) return null;
  const shard = values.pop()!;
  const key = values.reduce((sum, value) => sum * 32 + value, 0);
  return Number.isSafeInteger(key) ? { key, shard } : null;
}

/** The next key of a shard: by the clock, and always above the last one. */
export function nextQueueKey(nowMs: number, lastKey: number): number {
  return Math.max(lastKey + 1, (nowMs - epochMs) * 4096);
}
