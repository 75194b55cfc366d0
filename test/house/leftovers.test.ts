/** Nothing is left behind: no reminders, no switched-off tests or checks, no SQL outside the store. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceFile } from './source.ts';
import { findLines, makeSource, readSources, roomOf, withoutComments } from './source.ts';

// The words are put together, so that this file does not break its own rules.
const word = (...parts: string[]): string => parts.join('');
const reminders = new RegExp(
  `\\b(?:${word('TO', 'DO')}|${word('FIX', 'ME')}|${word('XX', 'X')}|${word('HA', 'CK')})\\b`,
);
const looseTypes = new RegExp(
  `\\bas ${word('an', 'y')}\\b|<${word('an', 'y')}>|: ${word('an', 'y')}\\b|@ts-(?:ignore|nocheck|expect-error)`,
);
const switchedOff =
  /\b(?:test|it|describe|suite)\.(?:only|todo|skip)\b|\b(?:only|todo|skip): *true\b/;
const silenced = /(?:oxlint|eslint)-disable(?!.* -- \S)/;
/** How the work was organised, and documents that are not part of the project. */
const organisation = new RegExp(
  [
    'issue #?\\d+',
    'pull request',
    'sub-?agent',
    'chat ?bot',
    'language model',
    'as instructed',
    word('Cla', 'ude'),
    word('Anth', 'ropic'),
    word('Open', 'AI'),
    word('/wo', 'rk/'),
    word('/tmp/br', 'ief'),
    word('the br', 'ief\\b'),
    `\\b(?:${word('hou', 'se')}|${word('prod', 'uct')}|hot-path|ecosystem|peers|exchange-mail-flow)\\.md`,
  ].join('|'),
  'i',
);
const sql =
  /\b(?:SELECT\s[^]{0,80}?\sFROM|INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+(?:TABLE|INDEX|UNIQUE|VIEW|TRIGGER)|PRAGMA\s+\w+|BEGIN\s+IMMEDIATE)\b/;

const judgeText =
  (pattern: RegExp) =>
  (source: SourceFile): string[] =>
    findLines(source, source.text, pattern);

function judgeTests(source: SourceFile): string[] {
  return findLines(source, withoutComments(source.text, true), switchedOff);
}

function judgeTypes(source: SourceFile): string[] {
  const comments = findLines(source, source.text, /@ts-(?:ignore|nocheck|expect-error)/);
  return comments.length > 0
    ? comments
    : findLines(source, withoutComments(source.text, true), looseTypes);
}

function judgeSql(source: SourceFile): string[] {
  if (roomOf(source.path) === 'store' || !source.path.startsWith('src/')) return [];
  const text = withoutComments(source.text);
  const database = findLines(source, text, /'node:sqlite'/);
  return database.length > 0 ? database : findLines(source, text, sql);
}

const self = 'test/house/leftovers.test.ts';
const sources = readSources('src', 'test', 'scripts', 'benchmarks', 'examples').filter(
  ({ path }) => path !== self,
);

for (const [rule, judge] of [
  ['there are no reminders', judgeText(reminders)],
  ['types are not switched off', judgeTypes],
  ['no test is switched off; one that cannot run here says why', judgeTests],
  ['no check is switched off without a reason', judgeText(silenced)],
  ['nothing tells how the work was organised', judgeText(organisation)],
  ['there is no SQL outside the store', judgeSql],
] as const) {
  test(rule, () => assert.deepEqual(sources.flatMap(judge), []));
}

for (const [judge, line] of [
  [judgeText(reminders), `// ${word('TO', 'DO')}: later`],
  [judgeTypes, `const a = b as ${word('an', 'y')};`],
  [judgeTypes, '// @ts-ignore'],
  [judgeTests, "test.only('x', () => {});"],
  [judgeTests, "test('x', { skip: true }, () => {});"],
  [judgeText(silenced), '// oxlint-disable-next-line eslint/max-params'],
  [judgeText(organisation), '// see issue 12'],
  [judgeText(organisation), `// see ${word('hou', 'se')}.md`],
  [judgeSql, "db.exec('CREATE TABLE a (b)');"],
  [judgeSql, "db.prepare('SELECT a FROM b');"],
  [judgeSql, "import { DatabaseSync } from 'node:sqlite';"],
] as const) {
  test(`the rule sees ${line}`, () => {
    assert.equal(judge(makeSource('src/queue/x.ts', `${line}\n`)).length, 1);
  });
}

test('the rules let reasons and plain words pass', () => {
  const text =
    '// oxlint-disable-next-line eslint/max-params -- five facts of one judgement\n' +
    "test('x', { skip: 'postfix is missing' }, () => {}); // at issue\n" +
    "const a = 'select one FROM the list'; const anything = 1;\n";
  const source = makeSource('src/queue/x.test.ts', text);
  for (const judge of [
    judgeTypes,
    judgeTests,
    judgeText(silenced),
    judgeText(organisation),
    judgeSql,
  ]) {
    assert.deepEqual(judge(source), []);
  }
});
