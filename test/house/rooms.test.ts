/** Rooms and files: each says what it is, and has a name of its own. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SourceFile } from './source.ts';
import { listFiles, makeSource, readSources, roomOf, root } from './source.ts';

const readmeLinesMax = 15;
/** Names that say that a room has no name yet. */
const nameless = /^(?:utils?|helpers?|common|lib|shared|misc|types)(?:\.(?:test\.)?tsx?)?$/;
const kebabCase = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

function judgeNames(path: string): string[] {
  const parts = path.split('/');
  const file = parts.at(-1)!;
  const stem = file.replace(/(?:\.test)?\.[a-z]+$/, '');
  const problems = parts.filter((part) => nameless.test(part));
  if (!kebabCase.test(stem) && file !== 'README.md') problems.push(file);
  for (const folder of parts.slice(0, -1)) if (!kebabCase.test(folder)) problems.push(folder);
  return problems.map((part) => `${path}: ${part} is no name for it`);
}

/** A test beside its code is named after it and needs no more. */
function judgeOpening(source: SourceFile): string[] {
  if (source.isTest) return [];
  const text = source.text.replace(/^#!.*\n/, '');
  const comment = /^\/\*\*([^]*?)\*\//.exec(text)?.[1] ?? '';
  return comment.replace(/[\s*]/g, '').length < 10
    ? [`${source.path}: does not open with a comment that says what it is`]
    : [];
}

function judgeReadme(room: string, text: string | null): string[] {
  if (text === null) return [`src/${room} has no README.md`];
  const problems: string[] = [];
  const lines = text.trimEnd().split('\n');
  if (lines.length > readmeLinesMax) problems.push(`src/${room}/README.md is too long`);
  if (lines[0] !== `# ${room}`) problems.push(`src/${room}/README.md does not begin with its name`);
  if (lines.length < 3) problems.push(`src/${room}/README.md says nothing`);
  return problems;
}

const files = listFiles('src');
const rooms = [...new Set(files.map(roomOf).filter((room) => room !== null))];

test('every room has a README of at most 15 lines', () => {
  const problems = rooms.flatMap((room) => {
    const path = `src/${room}/README.md`;
    return judgeReadme(room, files.includes(path) ? readFileSync(join(root, path), 'utf8') : null);
  });
  assert.deepEqual(problems, []);
});

test('files are kebab-case, and nothing is called utils, helpers, common, lib, shared or types', () => {
  const code = [...listFiles('test'), ...listFiles('scripts')].filter((path) =>
    /\.tsx?$/.test(path),
  );
  assert.deepEqual([...files, ...code].flatMap(judgeNames), []);
});

test('every file but a test opens with a comment that says what it is', () => {
  assert.deepEqual(readSources('src', 'test', 'scripts', 'benchmarks').flatMap(judgeOpening), []);
});

test('the rules see bad names', () => {
  assert.equal(judgeNames('src/smtp/helpers.ts').length, 1);
  assert.equal(judgeNames('src/utils/x.ts').length, 1);
  assert.equal(judgeNames('src/policy/types.ts').length, 1);
  assert.equal(judgeNames('src/smtp/dotStuffing.ts').length, 1);
  assert.equal(judgeNames('src/smtp/dot-stuffing.test.ts').length, 0);
});

test('the rule sees a file without an opening comment', () => {
  assert.equal(judgeOpening(makeSource('src/x/x.ts', "import 'y';\n/** Late. */\n")).length, 1);
  assert.equal(judgeOpening(makeSource('src/x/x.ts', '/** */\nexport const a = 1;\n')).length, 1);
  assert.equal(
    judgeOpening(makeSource('src/x/x.ts', '#!/usr/bin/env node\n/** Starts Postern. */\n')).length,
    0,
  );
});

test('the rule sees a missing, a nameless, an empty and a long README', () => {
  assert.equal(judgeReadme('dns', null).length, 1);
  assert.equal(judgeReadme('dns', '# smtp\n\ntext\n').length, 1);
  assert.equal(judgeReadme('dns', '# dns\n').length, 1);
  assert.equal(judgeReadme('dns', `# dns\n${'x\n'.repeat(15)}`).length, 1);
});
