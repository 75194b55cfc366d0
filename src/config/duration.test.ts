import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatDuration, parseDuration } from './duration.ts';

test('formats and parses as inverses', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (ms) => {
      assert.equal(parseDuration(formatDuration(ms)), ms);
    }),
  );
});

test('never throws, and what it parses is a whole number of milliseconds', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const ms = parseDuration(text);
      assert.ok(ms === null || (Number.isSafeInteger(ms) && ms >= 0));
    }),
  );
});

test('reads durations as people write them', () => {
  const table = { '0': 0, '500ms': 500, '30s': 30_000, '15m': 900_000, '1h30m': 5_400_000 };
  for (const [text, ms] of Object.entries(table)) assert.equal(parseDuration(text), ms, text);
  assert.equal(parseDuration('24h'), parseDuration('1d'));
});

for (const text of [
  '',
  '15',
  '1.5h',
  '-1m',
  '1h 30m',
  '30m1h',
  '1H',
  '1m1m',
  'm',
  '9007199254740993ms',
  '99999999999999d',
]) {
  test(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseDuration(text), null));
}
