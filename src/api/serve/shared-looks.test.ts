import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedLooks } from './shared-looks.ts';

test('who asks the same in time shares a look; another question is another one', async () => {
  let [nowMs, looks] = [0, 0];
  const shared = new SharedLooks(100, () => nowMs);
  const look = async () => ++looks;
  assert.deepEqual(await Promise.all([shared.ask('a', look), shared.ask('a', look)]), [1, 1]);
  assert.equal(await shared.ask('b', look), 2);
  nowMs = 99;
  assert.equal(await shared.ask('a', look), 1);
  nowMs = 100;
  assert.equal(await shared.ask('a', look), 3);
  assert.equal(shared.size, 1);
});

test('what failed is looked at anew', async () => {
  const shared = new SharedLooks(100, () => 0);
  await assert.rejects(
    shared.ask('a', () => Promise.reject(new Error('broken'))),
    /broken/,
  );
  assert.equal(await shared.ask('a', async () => 1), 1);
});
