/** Failure codes: code, tables and docs/errors.md say the same. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readFailureTables, renderErrorDocs } from '../../scripts/write-error-docs.ts';
import { exitCode, exitCodeMeanings } from '../../src/cli/exit-code.ts';
import type { SourceFile } from './source.ts';
import { makeSource, readSources, root, withoutComments } from './source.ts';

const tables = await readFailureTables();
const codes = [...tables.values()].flatMap((table) => Object.keys(table));

/** Codes that the source gives to a Failure; a code that is no literal is handed on from one. */
function codesUsed(source: SourceFile): string[] {
  const text = withoutComments(source.text);
  return [...text.matchAll(/\bnew\s+Failure\(\s*(['"`])([^'"`]*)\1/g)].map((match) => match[2]!);
}

function judgeCodes(source: SourceFile): string[] {
  return codesUsed(source)
    .filter((code) => !codes.includes(code))
    .map((code) => `${source.path}: ${code} stands in no table`);
}

test('every Failure has a code of a table', () => {
  const sources = readSources('src').filter(({ isTest }) => !isTest);
  assert.deepEqual(sources.flatMap(judgeCodes), []);
});

test('no code stands in two tables', () => {
  assert.deepEqual(
    codes.filter((code, index) => codes.indexOf(code) !== index),
    [],
  );
});

test('codes are kebab-case, with an HTTP status, an exit code and a sentence on what to do', () => {
  for (const table of tables.values()) {
    for (const [code, meaning] of Object.entries(table)) {
      assert.match(code, /^[a-z0-9]+(?:-[a-z0-9]+)+$/);
      assert.ok(meaning.httpStatus >= 400 && meaning.httpStatus <= 599, code);
      assert.ok(meaning.exitCode >= 1 && meaning.exitCode <= 78, code);
      assert.match(meaning.whatToDo, /^[A-Z`].*\.$/, code);
    }
  }
});

test('docs/cli.md explains every exit code that there is, and no other', () => {
  const failures = [...tables.values()].flatMap((table) => Object.values(table));
  const used = new Set([...failures.map((each) => each.exitCode), ...Object.values(exitCode)]);
  const explained = exitCodeMeanings.map(([code]) => code);
  assert.deepEqual(
    [...used].sort((a, b) => a - b),
    explained,
  );
});

test('docs/errors.md lists each code once, and no other', () => {
  const documented = readFileSync(join(root, 'docs/errors.md'), 'utf8');
  const listed = [...documented.matchAll(/^\| `([a-z0-9-]+)`/gm)].map((match) => match[1]!);
  assert.deepEqual(listed.sort(), [...codes].sort());
});

test('docs/errors.md is what `node scripts/write-error-docs.ts` writes', () => {
  const documented = readFileSync(join(root, 'docs/errors.md'), 'utf8');
  assert.equal(documented, renderErrorDocs(tables));
});

test('the rule sees an unknown code', () => {
  const code = "throw new Failure(\n  'no-such-code',\n  'text',\n);\n";
  assert.equal(judgeCodes(makeSource('src/x/x.ts', code)).length, 1);
});
