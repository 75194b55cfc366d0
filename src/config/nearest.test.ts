import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { distanceBetween, findNearest } from './nearest.ts';

const keys = ['tlsSettings', 'tlsDomain', 'smartHosts', 'pins'];

test('finds the key behind a typing mistake', () => {
  assert.equal(findNearest('tlsSetings', keys), 'tlsSettings');
  assert.equal(findNearest('TlsSettings', keys), 'tlsSettings');
  assert.equal(findNearest('smrtahosts', keys), 'smartHosts');
  assert.equal(findNearest('pin', keys), 'pins');
});

test('suggests nothing for a word that is not near', () => {
  assert.equal(findNearest('hostName', keys), null);
  assert.equal(findNearest('', keys), null);
  assert.equal(findNearest('x'.repeat(10_000), keys), null);
});

test('the distance is symmetric, zero for equal words only, and at most the longer length', () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(distanceBetween(a, b), distanceBetween(b, a));
      assert.equal(distanceBetween(a, b) === 0, a === b);
      assert.ok(distanceBetween(a, b) <= Math.max(a.length, b.length, 0.5));
    }),
  );
});
