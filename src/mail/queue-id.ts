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

const valueOf = new Map(
  Array.from(digits, (digit, value) => [digit.charCodeAt(0), value] as const).concat(
    Array.from(digits, (digit, value) => [digit.toLowerCase().charCodeAt(0), value] as const),
  ),
);

/** Null where the text is no queue id. Case is ignored. */
export function parseQueueId(text: string): QueueId | null {
  if (text.length !== keyLength + 1) return null;
  let key = 0;
  for (let at = 0; at < keyLength; at++) {
    const value = valueOf.get(text.charCodeAt(at));
    if (value === undefined) return null;
    key = key * 32 + value;
  }
  const shard = valueOf.get(text.charCodeAt(keyLength));
  return shard === undefined || !Number.isSafeInteger(key) ? null : { key, shard };
}

/** When a key was made, unless the clock stood behind the last one. */
export function timeOfQueueKey(key: number): number {
  return epochMs + Math.floor(key / 4096);
}

/** The next key of a shard: by the clock, and always above the last one. */
export function nextQueueKey(nowMs: number, lastKey: number): number {
  return Math.max(lastKey + 1, (nowMs - epochMs) * 4096);
}
