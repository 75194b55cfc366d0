/** From parsing: what is ambiguous is refused, what is well formed is read as the RFC says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatAddress } from '../../mail/address.ts';
import { addressListLengthMax, addressesMax, parseAddressList } from './address-list.ts';

function read(text: string): string[] | 'unparsable' {
  const list = parseAddressList(text);
  return list.kind === 'unparsable' ? 'unparsable' : list.addresses.map(formatAddress);
}

const ambiguous: Readonly<Record<string, string>> = {
  'an empty value': '',
  'blanks and comments only': ' (nobody) ',
  'an empty angle': 'Alice <>',
  'two addresses without a comma': 'alice@a.example bob@b.example',
  'two angles': '<alice@a.example><bob@b.example>',
  'text after the angle': '<alice@a.example> Alice',
  'an unquoted address as display name of another': 'ceo@bank.example <bob@b.example>',
  'an angle that is not closed': 'Alice <alice@a.example',
  'an angle that was not opened': 'alice@a.example>',
  'an angle inside an angle': '<alice@a.example <bob@b.example>>',
  'a comment that is not closed': 'alice@a.example (.b.example',
  'a comment that was not opened': 'alice@a.example )',
  'a comment nested too deep': `alice@a.example ${'('.repeat(17)}${')'.repeat(17)}`,
  'a quote that is not closed': '"Alice <alice@a.example>',
  'a comment inside the domain': 'alice@a.(x)example',
  'blanks inside the domain': 'alice@a. example',
  'blanks inside the local-part': 'al ice@a.example',
  'two at signs': 'alice@a.example@b.example',
  'an encoded word as address': '=?utf-8?B?YWxpY2VAYS5leGFtcGxl?=',
  'an encoded word as local-part': '=?utf-8?Q?alice?=@a.example',
  'an encoded word as domain': 'alice@=?utf-8?Q?a.example?=',
  'octets beyond ASCII in the domain': 'alice@b\u00c3\u00bccher.example',
  'octets beyond ASCII in the local-part': 'al\u00c3\u00adce@a.example',
  'a null byte': 'alice@a.example\0',
  'a bare CR': 'alice@a.example\r',
  'a bare LF in a display name': 'Alice\nBob <alice@a.example>',
  'a control in a comment': '(\x1b) alice@a.example',
  'a backslash outside quotes': 'al\\ice@a.example',
  'a semicolon between addresses': 'alice@a.example; bob@b.example',
  'a group without a name': ': alice@a.example;',
  'a group that does not end': 'Staff: alice@a.example',
  'a group inside a group': 'Staff: Board: alice@a.example;;',
  'a group without members': 'undisclosed-recipients:;',
  'a route without its colon': '<@relay.example,alice@a.example>',
  'a route only': '<@relay.example:>',
  'a local-part with a dot at its end': 'alice.@a.example',
  'a local-part with two dots': 'al..ice@a.example',
  'a domain of digits': 'alice@127.0.0.1',
  'no domain': 'alice',
  'no local-part': '@a.example',
  'text glued to a quoted local-part': '"alice"b@a.example',
  'text glued to a literal': 'alice@[192.0.2.1]x',
};

for (const [name, text] of Object.entries(ambiguous)) {
  test(`refuses ${name}`, () => assert.equal(read(text), 'unparsable'));
}

const wellFormed: readonly (readonly [string, readonly string[]])[] = [
  ['alice@a.example', ['alice@a.example']],
  ['Alice <alice@A.Example>', ['alice@a.example']],
  ['"Alice, of A" <alice@a.example>', ['alice@a.example']],
  ['"ceo@bank.example" <bob@b.example>', ['bob@b.example']],
  ['"\\"" <alice@a.example>', ['alice@a.example']],
  ['(a \\( b (c)) alice@a.example (Alice)', ['alice@a.example']],
  ['alice (A) @ (B) a.example', ['alice@a.example']],
  ['John Q. Public <john@a.example>', ['john@a.example']],
  ['=?utf-8?Q?J=C3=BCrgen?= <j@a.example>', ['j@a.example']],
  ['J\u00c3\u00bcrgen <j@a.example>', ['j@a.example']],
  ['alice@a.example, Bob <bob@b.example>', ['alice@a.example', 'bob@b.example']],
  [', alice@a.example, , bob@b.example,', ['alice@a.example', 'bob@b.example']],
  [
    'Staff: alice@a.example, <bob@b.example>; , c@c.example',
    ['alice@a.example', 'bob@b.example', 'c@c.example'],
  ],
  ['<@relay.example,@other.example:alice@a.example>', ['alice@a.example']],
  ['"a b"@a.example', ['"a b"@a.example']],
  ['"bob@b.example"@a.example', ['"bob@b.example"@a.example']],
  ['alice@[192.0.2.1]', ['alice@[192.0.2.1]']],
  ['alice@a.example <alice@a.example>', ['alice@a.example']],
];

for (const [text, addresses] of wellFormed) {
  test(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(read(text), addresses));
}

test('refuses more addresses than it would keep', () => {
  const many = Array.from({ length: addressesMax + 1 }, (_, i) => `a${i}@a.example`).join(',');
  assert.equal(read(many), 'unparsable');
});

test('refuses a list longer than the bound', () => {
  assert.equal(read(`${' '.repeat(addressListLengthMax)}a@a.example`), 'unparsable');
});

const atom = fc.stringMatching(/^[a-z0-9!#$%&'*+/^_`{|}~-]{1,12}$/);
const address = fc.record({
  localPart: fc.oneof(atom, fc.stringMatching(/^[ -~]{1,20}$/)),
  domain: fc.stringMatching(/^[a-z]{1,10}\.[a-z]{2,5}$/),
});
const displayName = fc.oneof(
  fc.constant(''),
  atom.map((word) => `${word} `),
  fc.stringMatching(/^[ !#-[\]-~]{0,20}$/).map((text) => `"${text}" `),
  fc.stringMatching(/^[ !-'*-[\]-~]{0,20}$/).map((text) => `(${text}) `),
);

test('reads every list that is written by the grammar', () => {
  const mailbox = fc.tuple(displayName, address);
  fc.assert(
    fc.property(fc.array(mailbox, { minLength: 1, maxLength: 6 }), (mailboxes) => {
      const isPlain = mailboxes.every(([, { localPart }]) => !localPart.includes('=?'));
      fc.pre(isPlain);
      const text = mailboxes.map(([name, one]) => `${name}<${formatAddress(one)}>`).join(', ');
      assert.deepEqual(
        read(text),
        mailboxes.map(([, one]) => formatAddress(one)),
      );
    }),
  );
});

test('names without a domain get the one that is given, and are refused without', () => {
  const bounds = { lengthMax: 1000, addressesMax: 10, defaultDomain: 'us.test' };
  const complete = (text: string): string => {
    const list = parseAddressList(text, bounds);
    return list.kind === 'unparsable' ? list.reason : list.addresses.map(formatAddress).join();
  };
  assert.equal(complete('root'), 'root@us.test');
  assert.equal(
    complete('root, A <b.c>, staff: ann, bob;'),
    'root@us.test,b.c@us.test,ann@us.test,bob@us.test',
  );
  assert.equal(complete('root (Cron Daemon), a@b.test'), 'root@us.test,a@b.test');
  const unclear = 'has an address that can be read in several ways or none';
  // A display name that lacks its address must not become one.
  for (const text of [
    'Ann Smith',
    '"Ann Smith"',
    'a@',
    '@b.test',
    'A <>',
    '=?utf-8?q?a?=',
    'a..b',
    '\xe9',
  ]) {
    assert.equal(complete(text), unclear, text);
  }
  for (const text of ['root', 'a@b.test, root', 'A <root>']) {
    const list = parseAddressList(text);
    assert.deepEqual(list, { kind: 'unparsable', reason: 'has an address without a domain' });
  }
});

test('never throws, and never returns an address that is not in the text', () => {
  const hostile = fc.array(
    fc.constantFrom(
      'a',
      'b.c',
      '@',
      '<',
      '>',
      ',',
      ':',
      ';',
      '"',
      '(',
      ')',
      '\\',
      '[',
      ']',
      ' ',
      '\r',
      '\xff',
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(hostile, (parts) => {
      const text = parts.join('');
      const list = parseAddressList(text);
      const bounds = { lengthMax: 1000, addressesMax: 100, defaultDomain: 'us.test' };
      const completed = parseAddressList(text, bounds);
      if (list.kind === 'unparsable') {
        if (completed.kind === 'unparsable') return;
        assert.ok(completed.addresses.some(({ domain }) => domain === 'us.test'));
        return;
      }
      // A domain to complete with changes nothing of what is read without it.
      assert.deepEqual(completed, list);
      for (const { domain } of list.addresses) assert.ok(text.includes(domain));
    }),
    { numRuns: 5000 },
  );
});
