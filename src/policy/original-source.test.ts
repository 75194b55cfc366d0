/** Skip listing: whom the mail is from, and that nobody writes himself into it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { address, inboundConnector } from '../../test/support/policy.ts';
import { filteringOf, findOriginalSource, isForRecipients } from './original-source.ts';
import type { Hop } from './original-source.ts';
import type { EnhancedFiltering } from './policy.ts';

const off: EnhancedFiltering = { skipLastIP: false, skipIPs: [], users: [] };
const last = { ...off, skipLastIP: true };
const filter = { ...off, skipIPs: ['198.51.100.0/24', '2001:db8:1::/48'] };

function hop(at: string): Hop {
  return { address: at, heloName: 'helo.test' };
}

function source(
  filtering: EnhancedFiltering,
  client: string,
  ...hops: readonly (string | null)[]
): string | null {
  const list = hops.map((at) => (at === null ? null : hop(at)));
  return findOriginalSource(list, client, filtering)?.address ?? null;
}

test('off by default, for private addresses too', () => {
  assert.equal(source(off, '10.0.0.1', '203.0.113.1'), null);
});

test('a client that is not listed is the source itself, whatever its Received fields say', () => {
  assert.equal(source(filter, '203.0.113.9', '198.51.100.7', '192.0.2.1'), null);
});

test('the walk ends at the first hop that is not listed: below it anybody may have written', () => {
  assert.equal(
    source(filter, '198.51.100.7', '203.0.113.9', '198.51.100.8', '192.0.2.1'),
    '203.0.113.9',
  );
});

test('several listed hops in a row are passed over, in both families', () => {
  assert.equal(source(filter, '2001:db8:1::5', '198.51.100.8', '203.0.113.9'), '203.0.113.9');
  assert.equal(source(filter, '::ffff:198.51.100.7', '203.0.113.9'), '203.0.113.9');
});

test('private addresses and those of one machine are passed over by themselves', () => {
  const inside = [
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '127.0.0.1',
    '::1',
    'fd00::1',
    'fe80::1',
  ];
  for (const at of inside) {
    assert.equal(source(filter, '198.51.100.7', at, '203.0.113.9'), '203.0.113.9', at);
    assert.equal(source(filter, at, '203.0.113.9'), '203.0.113.9', at);
    assert.equal(source(last, '198.51.100.7', at, '203.0.113.9'), '203.0.113.9', at);
  }
  for (const at of ['172.32.0.1', '100.64.0.1', '11.0.0.1', '2001:db8::1']) {
    assert.equal(source(filter, '198.51.100.7', at, '203.0.113.9'), at);
  }
});

test('skipLastIP passes over the connecting address, and no other public one', () => {
  assert.equal(source(last, '203.0.113.5', '203.0.113.9', '192.0.2.1'), '203.0.113.9');
  assert.equal(source(last, '10.0.0.5', '203.0.113.9', '192.0.2.1'), '203.0.113.9');
});

test('skipLastIP wins over a list beside it, as in Exchange', () => {
  assert.equal(
    source({ ...filter, skipLastIP: true }, '203.0.113.5', '198.51.100.7'),
    '198.51.100.7',
  );
});

test('a hop that names no address, or no hop at all, leaves the source unknown', () => {
  assert.equal(source(filter, '198.51.100.7', null, '203.0.113.9'), null);
  assert.equal(source(filter, '198.51.100.7'), null);
  assert.equal(source(filter, '198.51.100.7', '10.0.0.1'), null);
});

test('no endless list of hops is walked', () => {
  let read = 0;
  const endless = {
    *[Symbol.iterator]() {
      for (;;) {
        read++;
        yield hop('10.0.0.1');
      }
    },
  };
  assert.equal(findOriginalSource(endless, '10.0.0.1', filter), null);
  assert.ok(read < 200);
});

test('what a hop says counts only where every hop above it is passed over', () => {
  const any = fc.constantFrom('198.51.100.7', '10.0.0.1', '203.0.113.9', '192.0.2.1');
  fc.assert(
    fc.property(any, fc.array(any), (client, hops) => {
      const found = source(filter, client, ...hops);
      const isPublic = (at: string): boolean => at.startsWith('203.') || at.startsWith('192.0');
      const expected = isPublic(client) ? null : (hops.find(isPublic) ?? null);
      assert.equal(found, expected);
    }),
  );
});

test('a list of users means all recipients of the message, in any case of letters', () => {
  const users = [address('ann@example.test'), address('bob@example.test')];
  const all = (...texts: string[]): boolean =>
    isForRecipients({ ...last, users }, texts.map(address));
  assert.equal(all('Ann@example.test'), true);
  assert.equal(all('ann@example.test', 'bob@example.test'), true);
  assert.equal(all('ann@example.test', 'eve@example.test'), false);
  assert.equal(all(), false);
  assert.equal(isForRecipients(last, [address('eve@example.test')]), true);
});

test('of several connectors with a filtering the first by name counts, in whatever order they stand', () => {
  const connectors = [
    inboundConnector('c', { enhancedFiltering: filter }),
    inboundConnector('b', { enhancedFiltering: last }),
    inboundConnector('a'),
  ];
  assert.equal(filteringOf(connectors), last);
  assert.equal(filteringOf(connectors.toReversed()), last);
  assert.equal(filteringOf([connectors[2]!]), null);
});
