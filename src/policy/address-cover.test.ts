import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { addedRanges, AddressParts } from './address-cover.ts';
import { isInRanges } from './ip-match.ts';

test('ranges that lie in others together are not added', () => {
  assert.deepEqual(addedRanges(['192.0.2.0/25', '192.0.2.128/25'], ['192.0.2.0/24']), []);
  assert.deepEqual(addedRanges(['192.0.2.0/25'], ['192.0.2.0/24', '192.0.2.1/32']), [
    '192.0.2.0/24',
  ]);
  assert.deepEqual(addedRanges(['0.0.0.0/0'], ['::/0', '2001:db8::/32']), [
    '::/0',
    '2001:db8::/32',
  ]);
  assert.deepEqual(addedRanges([], ['192.0.2.1/32']), ['192.0.2.1/32']);
});

test('outside of all ranges, or nowhere', () => {
  assert.deepEqual(new AddressParts([]).outside, ['0.0.0.0', '::']);
  assert.deepEqual(new AddressParts(['0.0.0.0/0']).outside, ['::']);
  assert.deepEqual(new AddressParts(['0.0.0.0/8', '1.0.0.0/8', '::/0']).outside, ['2.0.0.0']);
});

/** Of a small network, so that ranges meet. */
const range = fc
  .record({ value: fc.integer({ min: 0, max: 255 }), bits: fc.integer({ min: 24, max: 32 }) })
  .map(({ value, bits }) => `192.0.2.${value & (0xff << (32 - bits))}/${bits}`);
const ranges = fc.array(range, { maxLength: 5 });

test('whatever ranges decide about an address they decide about one that stands for it', () => {
  fc.assert(
    fc.property(ranges, ranges, fc.integer({ min: 0, max: 255 }), (within, others, value) => {
      const decided = (address: string): string =>
        [...within, ...others].map((each) => isInRanges(address, [each])).join();
      const address = `192.0.2.${value}`;
      if (!isInRanges(address, within)) return;
      const samples = new AddressParts([...within, ...others]).within(within);
      assert.ok(samples.every((sample) => isInRanges(sample, within)));
      assert.ok(samples.some((sample) => decided(sample) === decided(address)));
    }),
  );
});
