/** date-time: written in UTC, read with any numeric zone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatDateTime, parseDateTime } from './date-time.ts';

test('writes UTC with a numeric zone', () => {
  assert.equal(
    formatDateTime(Date.UTC(2026, 10, 1, 3, 5, 9, 999)),
    'Sun, 01 Nov 2026 03:05:09 +0000',
  );
});

test('reads what it writes, in whole seconds', () => {
  const seconds = fc.integer({
    min: Date.UTC(1900, 0, 1) / 1000,
    max: Date.UTC(9999, 11, 31) / 1000,
  });
  fc.assert(
    fc.property(seconds, (s) => assert.equal(parseDateTime(formatDateTime(s * 1000)), s * 1000)),
  );
});

test('reads other zones and forms without day or seconds', () => {
  const ms = Date.UTC(2026, 10, 22, 3, 53, 0);
  assert.equal(parseDateTime('Sun, 22 Nov 2026 04:53:00 +0100'), ms);
  assert.equal(parseDateTime('21 Nov 2026 22:23 -0530'), ms);
});

for (const text of [
  '',
  'now',
  'Sun, 31 Feb 2026 00:00:00 +0000',
  '1 Foo 2026 00:00:00 +0000',
  '1 Jan 2026 24:00:00 +0000',
  '1 Jan 2026 00:60:00 +0000',
  '1 Jan 2026 00:00:00 GMT',
  '1 Jan 2026 00:00:00 +0160',
  '1 Jan 1900 00:00:00 +0001',
  '31 Dec 9999 23:59:59 -0001',
  `1 Jan 2026 00:00:00 +0000${' '.repeat(64)}`,
]) {
  test(`refuses ${JSON.stringify(text.slice(0, 40))}`, () =>
    assert.equal(parseDateTime(text), null));
}
