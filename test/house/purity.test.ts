/** Pure rooms read no clock and touch nothing outside; the SMTP wire knows no sockets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceFile } from './source.ts';
import {
  findLines,
  importsOf,
  makeSource,
  readSources,
  roomOf,
  withoutComments,
} from './source.ts';

const pureRooms = ['mail', 'standards', 'policy'];

const impure =
  /\bDate\.now\b|\bnew Date\(\s*\)|(?<!new )\bDate\(|\bMath\.random\b|\b(?:process|performance|globalThis|crypto)\b[.[]|\b(?:setTimeout|setInterval|setImmediate|queueMicrotask|fetch|eval|require)\(/;

function judgePurity(source: SourceFile): string[] {
  const room = roomOf(source.path);
  if (source.isTest || room === null || !pureRooms.includes(room)) return [];
  const modules = importsOf(source)
    .filter(({ specifier }) => specifier.startsWith('node:'))
    .map(({ specifier }) => `${source.path}: ${room} is pure and may not import ${specifier}`);
  return [...modules, ...findLines(source, withoutComments(source.text, true), impure)];
}

function judgeWire(source: SourceFile): string[] {
  if (source.isTest || roomOf(source.path) !== 'smtp') return [];
  return importsOf(source)
    .filter(
      ({ specifier, isTypeOnly }) =>
        /^node:(?:tls|net|dgram|https?)$/.test(specifier) && !isTypeOnly,
    )
    .map(({ specifier }) => `${source.path}: smtp is handed its sockets, not ${specifier}`);
}

test('mail, standards and policy read no clock, no randomness and no node: module', () => {
  assert.deepEqual(readSources('src').flatMap(judgePurity), []);
});

test('smtp touches node:tls and node:net as types only', () => {
  assert.deepEqual(readSources('src').flatMap(judgeWire), []);
});

for (const code of [
  "import { hash } from 'node:crypto';",
  "import type { Socket } from 'node:net';",
  'const a = Date.now();',
  'const a = new Date();',
  'const a = Date();',
  'const a = Math.random();',
  'const a = process.env;',
  'const a = performance.now();',
  'setTimeout(f, 1);',
  'const a = `${Date.now()}`;',
]) {
  test(`the rule sees ${code}`, () => {
    assert.equal(judgePurity(makeSource('src/policy/x.ts', `${code}\n`)).length, 1);
  });
}

test('the rule lets a time that is an argument pass', () => {
  const code =
    "const a = new Date(nowMs).toISOString(); // never Date.now()\nconst b = 'Date.now()';\n";
  assert.deepEqual(judgePurity(makeSource('src/policy/x.ts', code)), []);
});

test('the rule sees a socket in smtp, and lets its type pass', () => {
  const wire = (text: string): number => judgeWire(makeSource('src/smtp/x.ts', text)).length;
  assert.equal(wire("import { connect } from 'node:tls';\n"), 1);
  assert.equal(wire("const net = await import('node:net');\n"), 1);
  assert.equal(wire("import type { Socket } from 'node:net';\n"), 0);
});
