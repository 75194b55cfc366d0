import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeWords, formatWords } from './encoded-words.ts';
import { readRuleHeader } from './read-rule-header.ts';

const read = (text: string) =>
  readRuleHeader(Buffer.from(text, 'latin1'), { kind: 'none' }, 'mx.test');

test('fields are by lower-case name, unfolded and decoded', () => {
  const { fields } = read(
    'Subject: =?utf-8?B?R3LDtsOf?=\r\n =?utf-8?Q?e_x?= end\r\nX-A : b\r\n\r\n',
  );
  assert.deepEqual(fields, [
    { name: 'subject', value: 'Größe x end' },
    { name: 'x-a', value: 'b' },
  ]);
});

test('passes are the loop fields of this gateway', () => {
  const header =
    'X-Postern-Rules-Loop: MX.test\r\nx-postern-rules-loop: other.test\r\nX-Postern-Rules-Loop: mx.test\r\n\r\n';
  assert.equal(read(header).passes, 2);
});

test('encoded words in every form, and what only looks like one', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['=?iso-8859-1?q?Gr=F6=DFe?=', 'Größe'],
    ['=?ISO-8859-1*de?Q?Gr=F6=DFe?=', 'Größe'],
    ['=?utf-8?q?a=C3?= =?utf-8?q?=A4b?=', 'aäb'],
    ['a =?utf-8?q?b?= c', 'a b c'],
    ['=?utf-8?q?b', '=?utf-8?q?b'],
    ['=?utf-8?x?b?=', '=?utf-8?x?b?='],
    ['=? =?utf-8?q?b?=', '=? b'],
  ];
  for (const [written, shown] of cases) assert.equal(decodeWords(written).text, shown, written);
  assert.equal(decodeWords('=?x-odd?q?=FF?=').isSure, false);
});

test('what is written as encoded words reads the same, in words of at most 75 characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
      const written = formatWords(text);
      assert.equal(decodeWords(written).text, text);
      assert.match(written, /^[\x20-\x7e]*$/);
      if (written !== text) assert.ok(written.split(' ').every((word) => word.length <= 75));
    }),
  );
});

test('decoding is linear', () => {
  for (const text of ['=?'.repeat(100_000), '=?a?q?'.repeat(50_000), '=?a?q?=?'.repeat(50_000)]) {
    const before = process.cpuUsage();
    decodeWords(text);
    assert.ok(process.cpuUsage(before).user < 1_000_000, text.slice(0, 10));
  }
});
