import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import {
  addressesOf,
  expandRange,
  overlaps,
  overlapsPrivate,
  parseSpan,
  spanOfCidr,
} from './address-span.ts';

const v4 = (value: number): string =>
  [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');

test('CIDR ranges of a span are its addresses, all of them, in order, and as few as can be', () => {
  const ends = fc.tuple(
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    fc.integer({ min: 0, max: 5000 }),
  );
  fc.assert(
    fc.property(ends, ([first, length]) => {
      const last = Math.min(first + length, 2 ** 32 - 1);
      const spans = expandRange(parseSpan(`${v4(first)}-${v4(last)}`)!).map(spanOfCidr);
      assert.equal(spans[0]!.first, BigInt(first));
      assert.equal(spans.at(-1)!.last, BigInt(last));
      spans.slice(1).forEach((span, place) => assert.equal(span.first, spans[place]!.last + 1n));
      assert.ok(spans.length <= 2 * 32);
    }),
  );
});

test('the whole of each family is one range', () => {
  assert.deepEqual(expandRange(parseSpan('0.0.0.0-255.255.255.255')!), ['0.0.0.0/0']);
  assert.deepEqual(expandRange(parseSpan('::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff')!), ['::/0']);
});

test('private is what ipaddr.js calls private, unique local, loopback, link-local or carrier-grade', () => {
  const kinds = ['private', 'uniqueLocal', 'loopback', 'linkLocal', 'carrierGradeNat'];
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
      const parsed = ipaddr.process(address);
      const isPrivate = kinds.includes(parsed.range());
      const bits = parsed.kind() === 'ipv4' ? 32 : 128;
      assert.equal(overlapsPrivate(`${parsed.toString()}/${bits}`), isPrivate);
    }),
  );
});

test('no text that is no span is one', () => {
  for (const text of [
    '',
    '-',
    '192.0.2.1',
    '192.0.2.1-',
    '192.0.2.2-192.0.2.1',
    '1.2.3.4-::1',
    '010.0.0.1-010.0.0.2',
    '192.0.2.1-192.0.2.2-192.0.2.3',
    'fe80::1%eth0-fe80::2',
  ]) {
    assert.equal(parseSpan(text), null, text);
  }
});

test('ranges of different families never overlap, nested ones do, neighbours do not', () => {
  const of = (a: string, b: string): boolean => overlaps(spanOfCidr(a), spanOfCidr(b));
  assert.equal(of('0.0.0.0/0', '::/0'), false);
  assert.equal(of('192.0.2.0/24', '192.0.2.128/25'), true);
  assert.equal(of('192.0.2.0/25', '192.0.2.128/25'), false);
});

test('more addresses than wanted are none', () => {
  assert.equal(addressesOf('192.0.2.0/27', 16), null);
  assert.equal(addressesOf('::/0', 16), null);
  assert.deepEqual(addressesOf('192.0.2.2/31', 16), ['192.0.2.2', '192.0.2.3']);
});
