/** How long a refusal for want of TLS is remembered. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { FirstRefusals } from './first-refusals.ts';

const hour = 3600_000;

test('the first time is kept while refusals go on', () => {
  const refusals = new FirstRefusals();
  for (let at = 0; at <= 90 * hour; at += 10 * hour) refusals.remember('a', at);
  assert.equal(refusals.atMs('a', 91 * hour), 0);
});

test('an old trouble does not make a new one permanent at once', () => {
  const refusals = new FirstRefusals();
  refusals.remember('a', 0);
  assert.equal(refusals.atMs('a', 24 * hour), 0);
  assert.equal(refusals.atMs('a', 25 * hour), null);
  refusals.remember('a', 25 * hour);
  assert.equal(refusals.atMs('a', 26 * hour), 25 * hour);
});
