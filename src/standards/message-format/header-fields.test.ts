/** Header blocks: fields are found as every reader may see them, defects are told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { headerFieldsMax, isNamed, scanHeaderFields, unfoldValue } from './header-fields.ts';

function read(text: string): { fields: string[][]; problems: readonly string[] } {
  const { fields, problems } = scanHeaderFields(text);
  return { fields: fields.map((field) => [field.name, unfoldValue(text, field)]), problems };
}

test('reads folded fields and stops at the empty line', () => {
  const text = 'From: a@b\r\nSubject: one\r\n two\r\n\t three\r\nX:\r\n\r\nFrom: not@header\r\n';
  assert.deepEqual(read(text), {
    fields: [
      ['From', 'a@b'],
      ['Subject', 'one two\t three'],
      ['X', ''],
    ],
    problems: [],
  });
});

test('sees a field with white space before the colon', () => {
  assert.deepEqual(read('From \t: a@b\r\n').fields, [['From', 'a@b']]);
});

test('goes on after a line that is no field, and tells of it', () => {
  const { fields, problems } = read('From a@b Mon Jan\r\nFrom: a@b\r\n(x: y\r\n');
  assert.deepEqual(fields, [
    ['From', 'a@b'],
    ['(x', 'y'],
  ]);
  assert.deepEqual(problems, ['line-without-name']);
});

const defects: readonly (readonly [string, string])[] = [
  ['continuation-first', ' From: a@b\r\n'],
  ['line-without-name', 'no colon here\r\n'],
  ['line-without-name', ': nameless\r\n'],
  ['line-without-name', 'Fr\u00f6m: a@b\r\n'],
  ['bare-line-end', 'Subject: x\nFrom: a@b\r\n'],
  ['bare-line-end', 'Subject: x\rFrom: a@b\r\n'],
  ['bare-line-end', '\nFrom: a@b\r\n'],
  ['null-byte', 'Subject: \0\r\n'],
  ['unterminated', 'Subject: x'],
];
for (const [problem, text] of defects) {
  test(`reports ${problem} in ${JSON.stringify(text)}`, () => {
    assert.ok(read(text).problems.includes(problem), read(text).problems.join());
  });
}

test('stops after the bound of fields and tells of it', () => {
  const { fields, problems } = read('a: b\r\n'.repeat(headerFieldsMax + 1));
  assert.equal(fields.length, headerFieldsMax);
  assert.deepEqual(problems, ['too-many-fields']);
});

test('counts malformed lines against the same bound', () => {
  const { fields, problems } = read(`${'a\r\n'.repeat(headerFieldsMax)}From: a@b\r\n`);
  assert.deepEqual(fields, []);
  assert.deepEqual(problems, ['line-without-name', 'too-many-fields']);
});

test('compares names without regard to case', () => {
  const [field] = scanHeaderFields('FrOm: x\r\n').fields;
  assert.ok(isNamed(field!, 'from'));
  assert.ok(!isNamed(field!, 'form'));
});

test('covers every octet of a block by its fields when nothing is wrong', () => {
  const word = fc.stringMatching(/^[ -~]{0,20}$/);
  const field = fc.tuple(fc.stringMatching(/^[!-9;-~]{1,10}$/), fc.array(word, { minLength: 1 }));
  fc.assert(
    fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
      const text = fields.map(([name, lines]) => `${name}:${lines.join('\r\n ')}\r\n`).join('');
      const scan = scanHeaderFields(text);
      assert.deepEqual(scan.problems, []);
      assert.equal(scan.fields.map(({ start, end }) => text.slice(start, end)).join(''), text);
    }),
  );
});

test('never throws on arbitrary octets', () => {
  const octets = fc.string({
    unit: fc.constantFrom('a', ':', ' ', '\t', '\r', '\n', '\0', '\xff'),
  });
  fc.assert(
    fc.property(octets, (text) => {
      for (const field of scanHeaderFields(text).fields) {
        assert.ok(field.start < field.valueStart && field.valueStart <= field.end);
      }
    }),
    { numRuns: 2000 },
  );
});
