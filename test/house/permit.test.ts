/** Forced TLS: one place makes permits, one place writes MAIL FROM, nobody trusts `authorized`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceFile } from './source.ts';
import { findLines, makeSource, readSources, withoutComments } from './source.ts';

/** The verdict alone makes permits; the tests try what spending one does. */
const permitMakers = [
  'src/policy/tls-verdict.ts',
  'src/mail/permit.test.ts',
  'src/smtp/client-transaction.test.ts',
  'src/smtp/client-lmtp.test.ts',
  'src/smtp/client-parameters.test.ts',
];
/** The transaction under a permit writes it; the codec's writer is for tests. */
const mailFromWriters = ['src/smtp/client-transaction.ts', 'src/smtp/command.ts'];

function judgePermit(source: SourceFile): string[] {
  if (permitMakers.includes(source.path)) return [];
  const code = withoutComments(source.text, true);
  return findLines(
    source,
    code,
    /\bnew\s+Permit\s*\(|\bextends\s+Permit\b|\bas\s+Permit\b|Permit\.prototype/,
  );
}

function judgeAuthorized(source: SourceFile): string[] {
  if (source.path.startsWith('src/tls/') || !source.path.startsWith('src/')) return [];
  return findLines(source, withoutComments(source.text, true), /\.authoriz(?:ed|ationError)\b/);
}

function judgeMailFrom(source: SourceFile): string[] {
  // The room `testing` plays the other side, and no room that carries mail may import it.
  if (source.path.startsWith('src/testing/')) return [];
  if (source.isTest || mailFromWriters.includes(source.path)) return [];
  return findLines(source, withoutComments(source.text), /MAIL FROM:/i);
}

/** `formatCommand` can write MAIL FROM without a permit, so no code but tests may call it. */
function judgeFormatCommand(source: SourceFile): string[] {
  if (source.isTest || source.path === 'src/smtp/command.ts') return [];
  return findLines(source, withoutComments(source.text, true), /\bformatCommand\b/);
}

const sources = readSources('src');

test('only the verdict makes permits', () => {
  const everywhere = readSources('src', 'test', 'scripts', 'benchmarks', 'examples');
  assert.deepEqual(everywhere.flatMap(judgePermit), []);
});

test('the verdict does make them, once', () => {
  const verdict = sources.find(({ path }) => path === 'src/policy/tls-verdict.ts')!;
  assert.equal(withoutComments(verdict.text, true).match(/\bnew Permit\(/g)?.length, 1);
});

test('what OpenSSL authorized is read in tls only', () => {
  assert.deepEqual(sources.flatMap(judgeAuthorized), []);
});

test('MAIL FROM is written by the transaction under a permit only', () => {
  assert.deepEqual(sources.flatMap(judgeMailFrom), []);
  assert.deepEqual(sources.flatMap(judgeFormatCommand), []);
});

for (const [judge, text] of [
  [judgePermit, 'const p = new Permit(id, []);'],
  [judgePermit, 'class Mine extends Permit {}'],
  [judgePermit, 'const p = {} as Permit;'],
  [judgeAuthorized, 'if (socket.authorized) send();'],
  [judgeMailFrom, 'socket.write(`MAIL FROM:<${a}>\\r\\n`);'],
  [judgeFormatCommand, 'socket.write(formatCommand(mail));'],
] as const) {
  test(`the rule sees ${text}`, () => {
    assert.equal(judge(makeSource('src/delivery/x.ts', text)).length, 1);
  });
}
