/** Facts of headers: a From that readers may see in different ways is unreadable. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatAddress } from '../mail/address.ts';
import { readHeaderFacts } from './header-facts.ts';

function fromOf(...lines: string[]): string[] | 'none' | 'unreadable' {
  const { from } = readHeaderFacts(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
  return from.kind === 'addresses' ? from.addresses.map(formatAddress) : from.kind;
}

test('counts the addresses of every From field', () => {
  const lines = ['From: alice@a.example', 'Subject: x', 'FROM : ceo@bank.example, b@b.example'];
  assert.deepEqual(fromOf(...lines), ['alice@a.example', 'ceo@bank.example', 'b@b.example']);
});

test('is unreadable as a whole when one of several From fields is', () => {
  assert.equal(fromOf('From: alice@a.example', 'From: nobody'), 'unreadable');
  assert.equal(fromOf('From: alice@a.example', 'From:'), 'unreadable');
});

test('knows a missing From from an unreadable one', () => {
  assert.equal(fromOf('Subject: x'), 'none');
  assert.equal(fromOf('From: (empty)'), 'unreadable');
  // Alone as well: there it would count as none, for which nobody is asked.
  assert.equal(fromOf('From', ' : ceo@bank.example'), 'unreadable');
});

const deceptive: Readonly<Record<string, readonly string[]>> = {
  'a From behind a bare LF': ['From: alice@a.example', 'Subject: x\nFrom: ceo@bank.example'],
  'a From behind a bare CR': ['From: alice@a.example', 'Subject: x\rFrom: ceo@bank.example'],
  'a first line that is a continuation': [' From: ceo@bank.example', 'From: alice@a.example'],
  'a null byte': ['From: alice@a.example', 'Subject: \0'],
  'a From behind more fields than are read': [
    'From: alice@a.example',
    ...Array.from({ length: 1000 }, () => 'X: y'),
    'From: ceo@bank.example',
  ],
  'a From whose name is folded': ['From: alice@a.example', 'From', ' : ceo@bank.example'],
  'a From behind a byte order mark': ['From: alice@a.example', '\ufeffFrom: ceo@bank.example'],
  'a From with a control in its name': ['From: alice@a.example', 'Fr\u0007om: ceo@bank.example'],
};
for (const [name, lines] of Object.entries(deceptive)) {
  test(`refuses to read From beside ${name}`, () => assert.equal(fromOf(...lines), 'unreadable'));
}

test('sees a From behind a line that is no field', () => {
  assert.deepEqual(fromOf('From: a@a.example', 'no field', 'From: ceo@bank.example'), [
    'a@a.example',
    'ceo@bank.example',
  ]);
});

test('bounds the length of all From fields together', () => {
  const half = `From: a@b.example${' '.repeat(9000)}`;
  assert.deepEqual(fromOf(half), ['a@b.example']);
  assert.equal(fromOf(half, half), 'unreadable');
});

test('says why From is unreadable', () => {
  const facts = readHeaderFacts(Buffer.from('From: "x\r\n\r\n'));
  assert.equal(facts.fromProblem, 'has a quoted string that does not end');
  assert.equal(readHeaderFacts(Buffer.from('From: a@b.example\r\n\r\n')).fromProblem, null);
});

test('reads a folded From', () => {
  assert.deepEqual(fromOf('From:', ' "Alice', '\tof A" <alice', ' @a.example>'), [
    'alice@a.example',
  ]);
});

test('reads the other facts, sanitized', () => {
  const facts = readHeaderFacts(
    Buffer.from(
      'Received: a\r\nreceived : b\r\nMessage-ID: <1@a>\r\nMessage-Id: <2@a>\r\nDate: now\r\n' +
        'Subject: J\u00fcrgen\u001b[31m\u202e\r\n\r\n',
    ),
  );
  assert.equal(facts.receivedCount, 2);
  assert.equal(facts.messageId, '<1@a>');
  assert.equal(facts.hasDate, true);
  assert.equal(facts.subject, 'J\u00fcrgen?[31m?');
  assert.equal(facts.isMalformed, false);
});

test('says what is absent', () => {
  const facts = readHeaderFacts(Buffer.from('Subject: \r\nnonsense\r\n'));
  assert.equal(facts.messageId, null);
  assert.equal(facts.subject, null);
  assert.equal(facts.hasDate, false);
  assert.equal(facts.receivedCount, 0);
  assert.equal(facts.isMalformed, true);
});

const quarterMegabyte = 262_144;
const hostile: Readonly<Record<string, string>> = {
  commas: `From: ${','.repeat(quarterMegabyte)}`,
  parentheses: `From: ${'('.repeat(quarterMegabyte)}`,
  quotes: `From: ${'"\\"'.repeat(quarterMegabyte / 3)}`,
  angles: `From: ${'<'.repeat(quarterMegabyte)}`,
  brackets: `From: ${'['.repeat(quarterMegabyte)}`,
  'ats and commas': `From: <${'@a,'.repeat(quarterMegabyte / 3)}`,
  folds: `From: a@b.example${'\r\n '.repeat(quarterMegabyte / 3)}`,
  'From fields': 'From: a@b.example\r\n'.repeat(quarterMegabyte / 19),
  'bare line ends': `From: ${'\n'.repeat(quarterMegabyte / 2)}${'\r'.repeat(quarterMegabyte / 2)}`,
  colons: `From: ${'a:'.repeat(quarterMegabyte / 2)}`,
  'one long name': 'a'.repeat(quarterMegabyte),
  'blanks before the colon': `From${' '.repeat(quarterMegabyte)}`,
};
for (const [name, text] of Object.entries(hostile)) {
  test(`reads 256 KB of ${name} in linear time`, () => {
    const half = Buffer.from(text.slice(0, text.length / 2), 'latin1');
    const whole = Buffer.from(text, 'latin1');
    readHeaderFacts(whole);
    const times = [half, whole].map((header) => fastest(() => readHeaderFacts(header)));
    // Quadratic work would take seconds here; the bound leaves room for a busy machine.
    assert.ok(times[1]! < 100, `${times.join(' and ')} ms`);
  });
}

function fastest(work: () => void): number {
  const times = Array.from({ length: 5 }, () => {
    const begin = performance.now();
    work();
    return performance.now() - begin;
  });
  return Math.min(...times);
}

test('never throws, and facts stay bounded, on arbitrary bytes', () => {
  const part = fc.constantFrom(
    'From',
    'Subject',
    ':',
    ' ',
    '\r\n',
    '\r',
    '\n',
    '<a@b.c>',
    '"',
    '(',
    '\xe9',
    '\0',
    ',',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
      const facts = readHeaderFacts(Buffer.from(parts.join(''), 'latin1'));
      assert.ok((facts.subject?.length ?? 0) <= 512);
      if (facts.from.kind === 'addresses') assert.ok(facts.from.addresses.length > 0);
    }),
    { numRuns: 3000 },
  );
});
