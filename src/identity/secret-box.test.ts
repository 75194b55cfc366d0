import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { openBox, sealBox } from './secret-box.ts';

const key = randomBytes(32);
const secret = Buffer.from('a secret of twenty b');
const unreadable = { code: 'secret-unreadable' };

test('a box opens with its key and purpose only', () => {
  const box = sealBox(key, secret, 'ada');
  assert.throws(() => openBox(randomBytes(32), box, 'ada'), unreadable);
  assert.throws(() => openBox(key, box, 'bob'), unreadable);
  assert.deepEqual(openBox(key, box, 'ada'), secret);
});

test('a box that was changed at any byte, or cut, does not open', () => {
  const box = sealBox(key, secret, 'ada');
  for (let place = 0; place < box.length; place++) {
    const changed = Buffer.from(box);
    changed[place]! ^= 1;
    assert.throws(() => openBox(key, changed, 'ada'), unreadable, String(place));
    assert.throws(() => openBox(key, box.subarray(0, place), 'ada'), unreadable);
  }
});

test('equal secrets have unequal boxes that do not show them', () => {
  const box = sealBox(key, secret, 'ada');
  assert.notDeepEqual(sealBox(key, secret, 'ada'), box);
  assert.ok(!box.includes(secret));
});
