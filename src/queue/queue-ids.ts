/** The ids of one shard's messages: new ones, each above the last, and the keys that they stand for. */
import assert from 'node:assert/strict';
import { formatQueueId, nextQueueKey, parseQueueId } from '../mail/queue-id.ts';

export class QueueIds {
  readonly #shard: number;
  readonly #now: () => number;
  #lastKey: number | null = null;

  constructor(shard: number, now: () => number) {
    this.#shard = shard;
    this.#now = now;
  }

  /** `lastKey` is the highest that was ever given; 0 for none. */
  begin(lastKey: number): void {
    this.#lastKey = lastKey;
  }

  newId(): string {
    assert(this.#lastKey !== null, 'start the queue first: keys must be above the last one');
    this.#lastKey = nextQueueKey(this.#now(), this.#lastKey);
    return this.idOf(this.#lastKey);
  }

  idOf(key: number): string {
    return formatQueueId({ key, shard: this.#shard });
  }

  /** The id must be one of this shard. */
  keyOf(id: string): number {
    const parsed = parseQueueId(id);
    const isOurs = parsed !== null && parsed.shard === this.#shard;
    assert(isOurs, `not an id of shard ${this.#shard}: ${id}`);
    return parsed.key;
  }
}
