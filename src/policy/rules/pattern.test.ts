import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { compilePattern } from './pattern.ts';

function matches(pattern: string, text: string): boolean {
  const result = compilePattern(pattern);
  assert.equal(result.kind, 'compiled', JSON.stringify(result));
  return result.kind === 'compiled' && result.pattern.matches(text);
}

function refusalOf(pattern: string): string | null {
  const result = compilePattern(pattern);
  return result.kind === 'refused' ? result.reason : null;
}

test('reads what Exchange documents, case ignored', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['ab*c', 'xACx', true],
    ['ab*c', 'abbbbc', true],
    ['a(bc)*$', 'abcbc', true],
    ['a(bc)*$', 'abcb', false],
    ['^contoso', 'contoso.com', true],
    ['^contoso', 'a contoso', false],
    ['contoso$', 'a contoso', true],
    ['a|b', 'b', true],
    ['\\(525\\)', 'x(525)', true],
    ['\\(525\\)', '525', false],
    ['\\d\\d\\d-\\d\\d', '123-45', true],
    ['\\D', '123', false],
    ['^\\S+$', 'a b', false],
    ['a\\sb', 'a\u00a0b', true],
    ['@domain\\.com$', 'a@DOMAIN.com', true],
    ['@domain\\.com$', 'a@domainxcom', false],
  ];
  for (const [pattern, text, expected] of cases) {
    assert.equal(matches(pattern, text), expected, `${pattern} on ${text}`);
  }
});

test('classes are those of Unicode, also between brackets', () => {
  assert.equal(matches('^\\w+$', 'Übung_٣'), true);
  assert.equal(matches('^\\d$', '٣'), true);
  assert.equal(matches('^[\\w.-]+$', 'Übung.x-y'), true);
  assert.equal(matches('^[^\\s]$', '\u2003'), false);
  assert.equal(matches('^\\W$', 'é'), false);
  assert.equal(matches('^[\\D]$', '٣'), false);
  assert.equal(matches('^a[\\s\\S]*b$', 'a\n\nb'), true);
});

test('brackets as .NET reads them', () => {
  assert.equal(matches('[]x]', ']'), true);
  assert.equal(matches('[^]x]', ']'), false);
  assert.equal(matches('[[]', '['), true);
  assert.equal(matches('\\u00e9\\x41', 'ÉA'), true);
});

test('what would need back-tracking is refused with the reason', () => {
  for (const pattern of ['a(?=b)', 'a(?!b)', '(?<=a)b', '(?<!a)b', '(?>a)', '(?(a)b|c)']) {
    assert.match(refusalOf(pattern)!, /look-around and conditions need back-tracking/, pattern);
  }
  for (const pattern of ['(a)\\1', '(?<n>a)\\k<n>']) {
    assert.match(refusalOf(pattern)!, /refers back to a group/, pattern);
  }
});

test('what would mean something else here is refused, not misread', () => {
  assert.match(refusalOf('[a-z-[aeiou]]')!, /one set of characters from another/);
  assert.match(refusalOf('[\\W_]')!, /between brackets/);
  assert.match(refusalOf('\\bécole\\b')!, /not ASCII/);
  assert.match(refusalOf('\\Qa.b\\E')!, /no pattern of Exchange/);
  assert.match(refusalOf('(')!, /is no pattern/);
  assert.match(refusalOf('a'.repeat(1025))!, /longer than 1024/);
  assert.match(refusalOf('(?:a{1,99}b{1,99}c{1,99}){1,9}'.repeat(4))!, /too many steps/);
});

test('never throws, and never runs away', () => {
  const piece = fc.constantFrom(
    '(',
    ')',
    '[',
    ']',
    '*',
    '+',
    '?',
    '|',
    '\\',
    '^',
    '$',
    '.',
    'a',
    'é',
    '{1,9}',
    '\\w',
    '-',
    '(?',
    ':',
    '😀',
    '\ud800',
  );
  const pattern = fc.array(piece, { maxLength: 20 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(pattern, fc.string({ maxLength: 200 }), (text, subject) => {
      const result = compilePattern(text);
      if (result.kind === 'compiled') result.pattern.matches(subject);
    }),
    { numRuns: 2000 },
  );
  const compiled = compilePattern('^(a+)+(a+)+(a+)+$');
  assert.ok(compiled.kind === 'compiled');
  const before = process.cpuUsage();
  assert.equal(compiled.pattern.matches(`${'a'.repeat(50_000)}b`), false);
  assert.ok(process.cpuUsage(before).user < 2_000_000);
});
