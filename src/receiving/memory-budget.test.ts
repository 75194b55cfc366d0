import assert from 'node:assert/strict';
import test from 'node:test';
import { FirstRefusals } from './first-refusals.ts';
import { MemoryBudget } from './memory-budget.ts';

void test('never grants more than its bound', () => {
  const budget = new MemoryBudget(10);
  assert.equal(budget.tryReserve(6), true);
  assert.equal(budget.tryReserve(5), false);
  assert.equal(budget.tryReserve(4), true);
  assert.equal(budget.usedBytes, 10);
});

void test('serves who waits in order, and lets nobody overtake', async () => {
  const budget = new MemoryBudget(10);
  budget.tryReserve(8);
  const granted: string[] = [];
  const large = budget.reserve(9, 5000).then((is) => granted.push(`large ${is}`));
  const small = budget.reserve(1, 5000).then((is) => granted.push(`small ${is}`));
  assert.equal(budget.tryReserve(1), false);
  budget.release(8);
  await Promise.all([large, small]);
  assert.deepEqual(granted, ['large true', 'small true']);
  assert.equal(budget.usedBytes, 10);
});

void test('gives up waiting in time, and lets the next one pass', async () => {
  const budget = new MemoryBudget(10);
  budget.tryReserve(8);
  const late = budget.reserve(5, 20);
  const next = budget.reserve(2, 5000);
  assert.equal(await late, false);
  assert.equal(await next, true);
  assert.equal(await budget.reserve(11, 5000), false);
  assert.equal(budget.usedBytes, 10);
});

void test('remembers the first time of a refusal, of so many keys used last', () => {
  const refusals = new FirstRefusals(2);
  refusals.remember('a', 1);
  refusals.remember('b', 2);
  refusals.remember('a', 3);
  refusals.remember('c', 4);
  const firstTimes = ['a', 'b', 'c'].map((key) => refusals.atMs(key, 4));
  assert.deepEqual(firstTimes, [1, null, 4]);
  assert.equal(refusals.size, 2);
});
