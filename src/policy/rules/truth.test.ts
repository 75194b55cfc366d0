import assert from 'node:assert/strict';
import { test } from 'node:test';
import { and, not, or } from './truth.ts';

const open = { unknown: 'it is too large' };

test('false with unknown is false, true with unknown is unknown, in either order', () => {
  assert.equal(and(false, open), false);
  assert.equal(and(open, false), false);
  assert.equal(and(true, open), open);
  assert.equal(and(open, true), open);
  assert.equal(and(open, open), open);
  assert.equal(and(true, true), true);
});

test('true or unknown is true, false or unknown is unknown, in either order', () => {
  assert.equal(or(true, open), true);
  assert.equal(or(open, true), true);
  assert.equal(or(false, open), open);
  assert.equal(or(open, false), open);
  assert.equal(or(false, false), false);
});

test('not unknown is unknown', () => {
  assert.equal(not(open), open);
  assert.deepEqual([not(true), not(false)], [false, true]);
});
