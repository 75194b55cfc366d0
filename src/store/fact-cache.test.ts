/** Which facts are not sent again. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FactCache } from './fact-cache.ts';

it('knows what was added, until the refresh interval is over', () => {
  const cache = new FactCache(10, 1000);
  assert.ok(!cache.has('a', 0));
  cache.add('a', 0);
  assert.ok(cache.has('a', 999));
  assert.ok(!cache.has('a', 1000));
  cache.add('a', 1000);
  assert.ok(cache.has('a', 1999));
  assert.ok(!cache.has('a', -1), 'a clock that was set back');
});

it('forgets the least recently used beyond its bound', () => {
  const cache = new FactCache(2, 1000);
  cache.add('a', 0);
  cache.add('b', 0);
  assert.ok(cache.has('a', 1));
  cache.add('c', 1);
  assert.deepEqual(
    ['a', 'b', 'c'].map((hash) => cache.has(hash, 2)),
    [true, false, true],
  );
});
