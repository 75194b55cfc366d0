import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { formatQueueId, nextQueueKey, parseQueueId } from './queue-id.ts';

const key = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const shard = fc.nat({ max: 31 });

describe('a queue id', () => {
  it('is read back as it was written, in either case', () => {
    fc.assert(
      fc.property(key, shard, (key, shard) => {
        const text = formatQueueId({ key, shard });
        assert.equal(text.length, 12);
        assert.deepEqual(parseQueueId(text), { key, shard });
        assert.deepEqual(parseQueueId(text.toLowerCase()), { key, shard });
      }),
    );
  });

  it('is nothing else: other lengths, other letters, keys that no number holds', () => {
    for (const text of [
      '',
      '0',
      '0SA69',
      '0SA699YZW00O',
      '0SA699YZW0IL',
      'ZZZZZZZZZZZZ',
      '0SA699YZW00é',
    ]) {
      assert.equal(parseQueueId(text), null, text);
    }
  });

  it('sorts by time within a shard and never repeats, also when the clock is set back', () => {
    const now = Date.UTC(2026, 10, 22);
    const first = nextQueueKey(now, 0);
    const second = nextQueueKey(now, first);
    const third = nextQueueKey(now - 3600_000, second);
    assert.ok(first < second && second < third);
    const texts = [first, second, third].map((key) => formatQueueId({ key, shard: 0 }));
    assert.deepEqual(texts.toSorted(), texts);
  });

  it('holds the time until 2089', () => {
    assert.ok(Number.isSafeInteger(nextQueueKey(Date.UTC(2089, 0, 1), 0)));
  });
});
