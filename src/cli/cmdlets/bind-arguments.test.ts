import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Failure } from '../../mail/failure.ts';
import { Arguments } from './arguments.ts';
import { splitLine } from './cmdlet-line.ts';
import { cmdlets } from './cmdlets.ts';
import type { ParameterSet } from './parameter.ts';
import { policyParameters } from './policy-parameters.ts';

const set = policyParameters('Set', 'outbound-connector');

function valuesOf(words: readonly string[], among: ParameterSet = set): Record<string, unknown> {
  const given = new Arguments(words, among);
  return Object.fromEntries(given.names.map((name) => [name, given.value(name)]));
}

const list = (...values: string[]) => ({ kind: 'list', values });
const text = (value: string) => ({ kind: 'text', value });
const flag = (value: boolean) => ({ kind: 'flag', value });

test('names are found in any case, and as short as Exchange knows no other', () => {
  assert.deepEqual(valuesOf(['-identity', 'a', '-RECIPIENTDOMAINS', 'b.c']), {
    Identity: text('a'),
    RecipientDomains: list('b.c'),
  });
  assert.deepEqual(valuesOf(['-Id', 'a', '-Smart', 'x', '-Comm', 'y', '-Conf:$false']), {
    Identity: text('a'),
    SmartHosts: list('x'),
    Comment: text('y'),
    Confirm: flag(false),
  });
  assert.throws(() => valuesOf(['a', '-Tls', 'x']), /-Tls may be -TlsSettings, -TlsDomain; write/);
  // -MinVersion is ours, and no parameter of Exchange begins so.
  assert.deepEqual(valuesOf(['a', '-Min', 'TLSv1.3'])['MinVersion'], text('TLSv1.3'));
  // -Mode is ours and gives way to no other, -M is Exchange's alone.
  assert.deepEqual(valuesOf(['a', '-M', 'None'])['MtaStsMode'], text('None'));
});

test('a wrong name is answered with the nearest right one', () => {
  assert.throws(
    () => valuesOf(['a', '-TlsSetings', 'x']),
    /no parameter -TlsSetings; did you mean -TlsSettings\?/,
  );
  assert.throws(() => valuesOf(['a', '-TlsDomains', 'x']), /did you mean -TlsDomain\?/);
  assert.throws(
    () => valuesOf(['a', '-Comment=x']),
    /a blank or a colon stands behind -Comment, no =/,
  );
});

test('a reserved parameter is refused with the reason, in full and abbreviated', () => {
  assert.throws(
    () => valuesOf(['a', '-LinkForModifiedConnector', 'x']),
    /is reserved by Microsoft/,
  );
  assert.throws(() => valuesOf(['a', '-Link', 'x']), /-LinkForModifiedConnector is reserved/);
  const inbound = policyParameters('New', 'inbound-connector');
  for (const name of [
    'EFSkipMailGateway',
    'EFTestMode',
    'ScanAndDropRecipients',
    'ClientHostNames',
  ]) {
    assert.throws(() => valuesOf(['a', `-${name}`, 'x'], inbound), /is reserved by Microsoft/);
  }
  assert.throws(() => valuesOf(['a', '-OutVariable', 'x']), /there are none here/);
});

test('lists are read as each shell leaves them', () => {
  for (const words of [
    ['a', '-RecipientDomains', 'b.c,*.d.e'],
    ['a', '-RecipientDomains', 'b.c,', '*.d.e'],
    ['a', '-RecipientDomains', 'b.c', ',*.d.e'],
    ['a', '-RecipientDomains', 'b.c', ',', '*.d.e'],
    ['a', '-RecipientDomains', '"b.c","*.d.e"'],
    ['a', '-RecipientDomains', "'b.c', '*.d.e'"],
    ['a', '-RecipientDomains', '@("b.c","*.d.e")'],
    ['a', '-RecipientDomains', '@(b.c,', '*.d.e)'],
    ['a', '-RecipientDomains:b.c,*.d.e'],
    // As PowerShell hands b.c,*.d.e to a program.
    ['a', '-RecipientDomains', 'b.c', '*.d.e'],
    ['-RecipientDomains', 'b.c', '*.d.e', '-Identity', 'a'],
  ]) {
    assert.deepEqual(valuesOf(words)['RecipientDomains'], list('b.c', '*.d.e'), words.join(' '));
    assert.deepEqual(valuesOf(words)['Identity'], text('a'));
  }
});

test('a word behind a list is the object where it is the only one, and unclear where it is not', () => {
  assert.deepEqual(valuesOf(['-SmartHosts', 'x', 'Contoso']), {
    SmartHosts: list('x'),
    Identity: text('Contoso'),
  });
  assert.throws(
    () => valuesOf(['-SmartHosts', 'x', 'y', 'Contoso']),
    /unclear whether "Contoso" belongs to -SmartHosts: write -Identity/,
  );
  assert.throws(() => valuesOf(['a', 'b']), /"b" belongs to no parameter; a value with blanks/);
  assert.throws(() => valuesOf(['-SmartHosts', 'x']), /-Identity is needed/);
});

test('phrases keep a comma before a blank, and patterns one inside of brackets', () => {
  const rule = policyParameters('New', 'rule');
  const words = (value: string) =>
    valuesOf(['a', '-SubjectContainsWords', value], rule)['SubjectContainsWords'];
  assert.deepEqual(
    words('Press Release,Corporate Communication'),
    list('Press Release', 'Corporate Communication'),
  );
  assert.deepEqual(words('hello, world,x'), list('hello, world', 'x'));
  const patterns = (value: string) =>
    valuesOf(['a', '-SubjectMatchesPatterns', value], rule)['SubjectMatchesPatterns'];
  assert.deepEqual(patterns('^a{1,3}$,[,(],(b,c)'), list('^a{1,3}$', '[,(]', '(b,c)'));
  assert.deepEqual(patterns('a\\(b,c'), list('a\\(b', 'c'));
  assert.deepEqual(patterns('"a,b","c"'), list('a,b', 'c'));
});

test('Add and Remove are read whole, at blanks and at braces', () => {
  const edit = (add: string[], remove: string[]) => ({ kind: 'edit', add, remove });
  for (const words of [
    ['@{Add="x","y";Remove="z"}'],
    ['@{Add=x,y;Remove=z}'],
    ['@{ add = "x", "y" ; remove = "z" }'],
    ['@{Add="x","y";', 'Remove="z"}'],
    ['@{', 'Add', '=', 'x,y;', 'Remove', '=', 'z', '}'],
    ["@{Remove='z';Add='x','y'}"],
    ['@{Add=@("x","y");Remove=@("z")}'],
  ]) {
    const value = valuesOf(['a', '-SmartHosts', ...words])['SmartHosts'];
    assert.deepEqual(value, edit(['x', 'y'], ['z']), words.join(' '));
  }
  // What bash makes of @{Add="x","y"} without quotes.
  for (const words of [
    ['@Add=x', '@y'],
    ['@Add=x', '@y', '-WhatIf'],
  ]) {
    assert.deepEqual(valuesOf(['a', '-SmartHosts', ...words])['SmartHosts'], edit(['x', 'y'], []));
  }
  assert.deepEqual(valuesOf(['a', '-SmartHosts', '@Remove=x'])['SmartHosts'], edit([], ['x']));
});

test('what is no table of Add and Remove is refused in words', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['@{Add=x', /lacks its \}; put the whole of it in single quotes/],
    ['@{}', /says nothing/],
    ['@{Ad=x}', /did you mean Add\?/],
    ['@{Add}', /Add in @\{…\} has no value/],
    ['@{Add=}', /is empty/],
    ['@{Add=x;Add=y}', /stands twice/],
    ['@{Add=$null}', /has \$null among its values/],
    ['System.Collections.Hashtable', /put @\{…\} in single quotes/],
  ];
  for (const [value, text] of cases) {
    assert.throws(() => valuesOf(['a', '-SmartHosts', value]), text);
  }
  assert.throws(() => valuesOf(['a', '-Comment', '@{Add=x}']), /takes one value/);
});

test('switches stand alone, with a colon, or before true and false; flags need a value', () => {
  for (const [words, value] of [
    [['-WhatIf'], true],
    [['-WhatIf:$false'], false],
    [['-WhatIf:', '$false'], false],
    [['-WhatIf', '$true'], true],
    [['-WhatIf', 'False'], false],
    [['-wi'], true],
  ] as const) {
    assert.deepEqual(valuesOf([...words, 'a'])['WhatIf'], flag(value), words.join(' '));
  }
  for (const word of ['$true', '$True', 'true', 'True', '1', '"true"']) {
    assert.deepEqual(valuesOf(['a', '-Enabled', word])['Enabled'], flag(true), word);
  }
  // Many shells put nothing in the place of $false: what is left must not be taken for true.
  assert.throws(
    () => valuesOf(['a', '-Enabled']),
    /write true or false, or '\$true' in single quotes/,
  );
  assert.throws(() => valuesOf(['a', '-Enabled', '-WhatIf']), /-Enabled needs a value/);
  assert.throws(() => valuesOf(['a', '-Confirm:']), /-Confirm needs a value/);
  assert.throws(() => valuesOf(['a', '-Enabled', 'yes']), /not "yes"; did you mean \$true\?/);
  assert.throws(() => valuesOf(['a', '-Enabled', '$null']), /is true or false, not \$null/);
});

test('variables and what PowerShell would work out are refused', () => {
  assert.throws(
    () => valuesOf(['a', '-Comment', '$domain']),
    /there are no variables here: "\$domain"/,
  );
  assert.throws(() => valuesOf(['a', '-Comment', '$env:USER']), /no variables/);
  assert.throws(() => valuesOf(['a', '-Comment', '$(date)']), /no variables/);
  assert.deepEqual(valuesOf(['a', '-Comment', '$100'])['Comment'], text('$100'));
  assert.deepEqual(valuesOf(['a', '-Comment', '"$domain"'])['Comment'], text('$domain'));
  assert.deepEqual(valuesOf(['a', '-TlsSettings', '$null'])['TlsSettings'], { kind: 'null' });
});

test('a parameter is given once, with a value', () => {
  assert.throws(() => valuesOf(['a', '-Comment', 'x', '-comment', 'y']), /-Comment is given twice/);
  assert.throws(
    () => valuesOf(['a', '-Comment']),
    /-Comment needs a value; an empty one is written ''/,
  );
  assert.throws(() => valuesOf(['a', '-SmartHosts', '']), /is empty; '\$null'/);
  assert.throws(() => valuesOf(['a', '-SmartHosts', 'x,,y']), /an empty value beside a comma/);
  assert.deepEqual(valuesOf(['a', '-Comment', ''])['Comment'], text(''));
});

test('words of the schema are taken in any case', () => {
  assert.deepEqual(
    valuesOf(['a', '-TlsSettings', 'domainvalidation'])['TlsSettings'],
    text('DomainValidation'),
  );
});

test('a whole line is taken apart as PowerShell would', () => {
  assert.deepEqual(
    splitLine(`Set-X "a b" -L "c, d",'e''f' -M @{Add = "x;y"; Remove='z'} -S:$false`),
    ['Set-X', '"a b"', '-L', `"c, d",'e''f'`, '-M', `@{Add = "x;y"; Remove='z'}`, '-S:$false'],
  );
  assert.deepEqual(splitLine('Get-X `\n  -A b | ft Name, Enabled'), [
    'Get-X',
    '-A',
    'b',
    '-Format',
    'table',
    '-Property',
    'Name,Enabled',
  ]);
  assert.throws(() => splitLine('Get-X | Format-Lst'), /did you mean Format-List\?/);
  assert.throws(() => splitLine('Get-X | fl -Force'), /takes properties, not -Force/);
});

const word = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(
    '-',
    '--',
    '-Name',
    '-name:',
    '-Id',
    '@{',
    '}',
    '@{Add=',
    '@Add=x',
    '@y',
    ',',
    'a,',
  ),
  fc.constantFrom(
    '$null',
    '$true',
    '-WhatIf',
    '-Confirm:$false',
    '"',
    "'",
    '@(',
    ')',
    '-SmartHosts',
  ),
  fc.constantFrom(...cmdlets.flatMap(({ set }) => set.parameters.map(({ name }) => `-${name}`))),
);

test('whatever is written, nothing but a usage failure is thrown', () => {
  fc.assert(
    fc.property(fc.constantFrom(...cmdlets), fc.array(word, { maxLength: 8 }), (cmdlet, words) => {
      try {
        const given = new Arguments(words, cmdlet.set);
        for (const name of given.names) assert.ok(given.value(name) !== undefined);
      } catch (error) {
        assert.ok(error instanceof Failure && error.code === 'cmdlet-wrong', String(error));
      }
    }),
    { numRuns: 3000 },
  );
});

test('whatever line is written, nothing but a usage failure is thrown', () => {
  const piece = fc.constantFrom(
    'Get-X',
    ' ',
    '|',
    '"',
    "'",
    '`',
    '`\n',
    '{',
    '}',
    '(',
    'fl',
    ',',
    '$a',
  );
  const line = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(line, (text) => {
      try {
        for (const each of splitLine(text)) assert.ok(each !== '');
      } catch (error) {
        assert.ok(error instanceof Failure && error.code === 'cmdlet-wrong', String(error));
      }
    }),
    { numRuns: 3000 },
  );
});
