import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateTable } from './rate-table.ts';

test('lets a burst through, then one for each interval, and says how long to wait', () => {
  let nowMs = 0;
  const table = new RateTable({ perSecond: 0.5, burst: 3 }, () => nowMs);
  assert.deepEqual(
    [1, 2, 3].map(() => table.take('a')),
    [0, 0, 0],
  );
  assert.equal(table.take('a'), 2);
  nowMs = 1500;
  assert.equal(table.take('a'), 1);
  nowMs = 2000;
  assert.equal(table.take('a'), 0);
  assert.equal(table.take('a'), 2);
});

test('one key takes nothing from another', () => {
  const table = new RateTable({ perSecond: 1, burst: 1 }, () => 0);
  assert.deepEqual([table.take('a'), table.take('b'), table.take('a')], [0, 0, 1]);
});

test('remembers a bounded number of keys, those that asked last', () => {
  const table = new RateTable({ perSecond: 1, burst: 1 }, () => 0);
  for (let i = 0; i < 10_000; i++) table.take(`k${i}`);
  table.take('k0');
  for (let i = 0; i < 5000; i++) table.take(`other${i}`);
  assert.equal(table.size, 10_000);
  assert.notEqual(table.take('k0'), 0);
});
