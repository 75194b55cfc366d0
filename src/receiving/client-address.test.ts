import assert from 'node:assert/strict';
import test from 'node:test';
import { addressKey } from './client-address.ts';

const keys: readonly (readonly [address: string, key: string])[] = [
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['2001:db8:1:2::', '2001:db8:1:2::/64'],
  ['1::2:3:4:5:6', '1:0:0:2::/64'],
];

for (const [address, key] of keys) {
  void test(`counts ${address} as ${key}`, () => assert.equal(addressKey(address), key));
}
