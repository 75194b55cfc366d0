import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatSize, parseSize } from './size.ts';

test('formats and parses as inverses', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (bytes) => {
      assert.equal(parseSize(formatSize(bytes)), bytes);
    }),
  );
});

test('tells powers of 1000 from powers of 1024', () => {
  assert.equal(parseSize('50MB'), 50_000_000);
  assert.equal(parseSize('256KiB'), 262_144);
  assert.equal(parseSize('1 GiB'), 2 ** 30);
  assert.equal(formatSize(50_000_000), '50MB');
  assert.equal(formatSize(262_144), '256KiB');
});

for (const text of [
  '',
  '50',
  '50mb',
  '50Mb',
  '1.5MB',
  '-1B',
  'MB',
  '50 MB ',
  '9999999999999999TiB',
]) {
  test(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseSize(text), null));
}
