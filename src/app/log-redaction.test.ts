import assert from 'node:assert/strict';
import { test } from 'node:test';
import pino from 'pino';
import { maskAddresses, maskFields, redacted, redactedPaths } from './log-redaction.ts';

test('secrets are left out, whoever logs them', () => {
  const lines: string[] = [];
  const redact = { paths: [...redactedPaths], censor: redacted };
  const logger = pino({ redact }, { write: (line: string) => void lines.push(line) });
  logger.info({ password: 'open sesame', passwordHash: '$argon2id$x', name: 'ann' });
  assert.equal(lines.length, 1);
  assert.doesNotMatch(lines[0]!, /sesame|argon2id/);
  assert.match(lines[0]!, /"name":"ann"/);
});

for (const [text, masked] of [
  ['ann@a.test', 'a…@a.test'],
  ['to <ann.lee+news@a.test>, bob@b.test', 'to <a…@a.test>, b…@b.test'],
  ['no mailbox ann@[192.0.2.1] here', 'no mailbox a…@[192.0.2.1] here'],
  ['TLSv1.3 at mx.a.test, 14:05', 'TLSv1.3 at mx.a.test, 14:05'],
  ['x@a.test', 'x…@a.test'],
  ['müller@a.test', 'm…@a.test'],
] as const) {
  test(`masks the local-parts of ${text}`, () => assert.equal(maskAddresses(text), masked));
}

test('texts are masked wherever they stand in the fields', () => {
  const error = new Error('no room for ann@a.test');
  const masked = maskFields({ from: 'ann@a.test', list: ['bob@b.test'], n: 5, err: error });
  const text = JSON.stringify(masked);
  assert.doesNotMatch(text, /ann@|bob@/);
  assert.match(text, /a…@a\.test/);
  assert.match(text, /"n":5/);
});

test('what is nested too deep is left out', () => {
  const deep = { a: { b: { c: { d: { e: 'ann@a.test' } } } } };
  assert.doesNotMatch(JSON.stringify(maskFields(deep)), /ann/);
});
