import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import * as fc from 'fast-check';
import { judgeAddress } from './address-guard.ts';
import type { AddressRules } from './address-guard.ts';

const dns: AddressRules = { setBy: 'dns', allow: [], allowPorts: [], own: [] };

function isAllowed(address: string, rules: AddressRules = dns, port = 25): boolean {
  return judgeAddress(address, port, rules).kind === 'allowed';
}

const refused: readonly (readonly [string, RegExp])[] = [
  ['127.0.0.1', /a loopback address/],
  ['127.255.255.254', /a loopback address/],
  ['0.0.0.0', /the unspecified address/],
  ['0.1.2.3', /the unspecified address/],
  ['10.0.0.1', /a private address/],
  ['172.16.0.1', /a private address/],
  ['172.31.255.255', /a private address/],
  ['192.168.1.1', /a private address/],
  ['169.254.169.254', /a link-local address/],
  ['100.64.0.1', /a carrier-grade NAT address/],
  ['198.18.0.1', /a reserved address/],
  ['192.0.2.1', /a reserved address/],
  ['198.51.100.7', /a reserved address/],
  ['203.0.113.7', /a reserved address/],
  ['192.0.0.8', /a reserved address/],
  ['224.0.0.1', /a multicast address/],
  ['240.0.0.1', /a reserved address/],
  ['255.255.255.255', /the broadcast address/],
  ['::', /the unspecified address/],
  ['::1', /a loopback address/],
  ['0:0:0:0:0:0:0:1', /a loopback address/],
  ['fe80::1', /a link-local address/],
  ['fec0::1', /a site-local address/],
  ['fc00::1', /a unique-local address/],
  ['fd12:3456::1', /a unique-local address/],
  ['ff02::1', /a multicast address/],
  ['100::1', /a reserved address/],
  ['2001:db8::1', /a reserved address/],
  ['3fff::1', /a reserved address/],
  ['2001:2::1', /a benchmarking address/],
  ['4000::1', /a reserved address/],
  ['::ffff:127.0.0.1', /a loopback address/],
  ['::ffff:7f00:1', /a loopback address/],
  ['::FFFF:10.0.0.1', /a private address/],
  ['::ffff:0:10.0.0.1', /a wrapping of 10\.0\.0\.1/],
  ['::127.0.0.1', /a loopback address/],
  ['::7f00:1', /a wrapping of 127\.0\.0\.1/],
  ['64:ff9b::10.0.0.1', /a wrapping of 10\.0\.0\.1/],
  ['64:ff9b::a9fe:a9fe', /a wrapping of 169\.254\.169\.254/],
  ['64:ff9b:1::8.8.8.8', /a reserved address/],
  ['2002:7f00:1::1', /a wrapping of 127\.0\.0\.1/],
  ['2002:c0a8:101::1', /a wrapping of 192\.168\.1\.1/],
  ['2001:0:a00:1::f7f7:f7f7', /a wrapping of 10\.0\.0\.1/],
  ['2001:0:808:808::80ff:fffe', /a wrapping of 127\.0\.0\.1/],
];

for (const [address, reason] of refused) {
  void test(`refuses ${address} from DNS and from an organization`, () => {
    for (const setBy of ['dns', 'organization'] as const) {
      const verdict = judgeAddress(address, 25, { ...dns, setBy });
      assert.equal(verdict.kind, 'refused');
      assert.match(verdict.kind === 'refused' ? verdict.reason : '', reason);
    }
    assert.ok(isAllowed(address, { ...dns, setBy: 'gateway' }));
  });
}

void test('allows public addresses, also wrapped ones', () => {
  for (const address of [
    '8.8.8.8',
    '172.32.0.1',
    '100.128.0.1',
    '126.255.255.255',
    '2a00:1450:4001::1a',
    '2607:f8b0::1',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '2002:808:808::1',
    '2001:0:808:808::f7f7:f7f7',
  ]) {
    assert.ok(isAllowed(address), address);
  }
});

const malformed: readonly string[] = [
  '',
  'mx.example.com',
  'localhost',
  '127.1',
  '0177.0.0.1',
  '0x7f.0.0.1',
  '2130706433',
  '8.8.8.08',
  '8.8.8.8 ',
  '8.8.8.8\n',
  '8.8.8.8:25',
  '8.8.8.256',
  '[::1]',
  'fe80::1%eth0',
  '::1%lo',
  '::ffff:0177.0.0.1',
  '1::2::3',
  '2a00::1/64',
  '٨.8.8.8',
];

for (const text of malformed) {
  void test(`refuses the text ${JSON.stringify(text)} whoever set it`, () => {
    const allow = ['0.0.0.0/0', '::/0'];
    for (const setBy of ['dns', 'organization', 'gateway'] as const) {
      assert.ok(!isAllowed(text, { ...dns, setBy, allow }));
    }
  });
}

void test('the static file opens what it lists, and only that', () => {
  const rules = { ...dns, allow: ['10.1.0.0/16', '::1/128', 'nonsense', '300.0.0.0/8'] };
  assert.ok(isAllowed('10.1.2.3', rules));
  assert.ok(isAllowed('::ffff:10.1.2.3', rules));
  assert.ok(isAllowed('::1', rules));
  assert.ok(!isAllowed('10.2.0.1', rules));
  assert.ok(!isAllowed('127.0.0.1', rules));
  assert.ok(!isAllowed('127.0.0.1', { ...dns, allow: ['::/0'] }));
  assert.ok(!isAllowed('fd00::1', { ...dns, allow: ['0.0.0.0/0'] }));
});

void test('refuses other ports than those of mail unless the static file lists them', () => {
  for (const port of [24, 25, 465, 587]) assert.ok(isAllowed('8.8.8.8', dns, port));
  for (const port of [22, 80, 443, 2525, 6379]) assert.ok(!isAllowed('8.8.8.8', dns, port));
  assert.ok(isAllowed('8.8.8.8', { ...dns, allowPorts: [2525] }, 2525));
  assert.ok(isAllowed('8.8.8.8', { ...dns, setBy: 'gateway' }, 10025));
  for (const port of [0, -1, 65536, 2.5, Number.NaN]) {
    assert.ok(!isAllowed('8.8.8.8', { ...dns, setBy: 'gateway', allowPorts: [port] }, port));
  }
});

void test('refuses our own listeners in every spelling, even when they are allowed', () => {
  const rules: AddressRules = {
    setBy: 'gateway',
    allow: ['0.0.0.0/0', '::/0'],
    allowPorts: [2525],
    own: [
      { address: '127.0.0.1', port: 2525 },
      { address: '2a00:1::5', port: 25 },
    ],
  };
  for (const setBy of ['dns', 'organization', 'gateway'] as const) {
    for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1', '0.0.0.0', '::']) {
      const verdict = judgeAddress(address, 2525, { ...rules, setBy });
      assert.match(verdict.kind === 'refused' ? verdict.reason : '', /this server itself/, address);
    }
    assert.ok(!isAllowed('2a00:0001:0:0::5', { ...rules, setBy }));
    assert.ok(isAllowed('127.0.0.1', { ...rules, setBy }, 25));
    assert.ok(isAllowed('127.0.0.2', { ...rules, setBy }, 2525));
  }
});

void test('a listener on every address is also one on each loopback address', () => {
  const own = [{ address: '0.0.0.0', port: 25 }];
  const rules: AddressRules = { ...dns, allow: ['127.0.0.0/8', '::1/128'], own };
  for (const address of ['127.0.0.1', '127.8.8.8', '::1', '0.0.0.0']) {
    assert.ok(!isAllowed(address, rules), address);
  }
  assert.ok(isAllowed('8.8.8.8', rules));
});

const oracle = new net.BlockList();
for (const [address, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  oracle.addSubnet(address, bits);
}

const anyV4 = fc.oneof(
  fc.ipV4(),
  fc
    .tuple(
      fc.constantFrom(10, 100, 127, 169, 172, 192, 198, 203, 224, 255),
      fc.constantFrom(0, 16, 18, 31, 51, 64, 127, 168, 254),
      fc.constantFrom(0, 2, 100, 113),
      fc.nat({ max: 255 }),
    )
    .map((octets) => octets.join('.')),
);

void test('refuses every IPv4 address that a separate list calls special, bare and wrapped', () => {
  fc.assert(
    fc.property(anyV4, (address) => {
      const hex = address
        .split('.')
        .map((octet) => Number(octet).toString(16).padStart(2, '0'))
        .join('');
      const words = `${hex.slice(0, 4)}:${hex.slice(4)}`;
      const forms = [address, `::ffff:${address}`, `64:ff9b::${words}`, `2002:${words}::1`];
      if (!oracle.check(address)) return;
      for (const form of forms) assert.ok(!isAllowed(form), form);
    }),
    { numRuns: 1000 },
  );
});

void test('allows no text that the socket would look up as a name', () => {
  const piece = fc.constantFrom(
    '0',
    '1',
    '127',
    '0x7f',
    '010',
    '.',
    ':',
    '::',
    'ffff',
    '%',
    '/',
    ' ',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 12 }).map((p) => p.join('')),
  );
  fc.assert(
    fc.property(text, (address) => {
      const rules: AddressRules = { ...dns, setBy: 'gateway' };
      if (isAllowed(address, rules)) assert.notEqual(net.isIP(address), 0, address);
    }),
    { numRuns: 2000 },
  );
});

void test('for any IPv6 address outside global unicast: refused', () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const first = Number.parseInt(address.split(':')[0] || '0', 16);
      const isGlobal = (first & 0xe000) === 0x2000;
      const mayEmbed = first === 0 || first === 0x64;
      if (!isGlobal && !mayEmbed) assert.ok(!isAllowed(address), address);
    }),
    { numRuns: 1000 },
  );
});
