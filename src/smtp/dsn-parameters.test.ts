import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import {
  formatEnvelopeId,
  formatNotify,
  formatOriginalRecipient,
  formatRet,
  parseEnvelopeId,
  parseNotify,
  parseOriginalRecipient,
  parseRet,
} from './dsn-parameters.ts';

const printable = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 30,
});

void test('reads back each parameter that it writes', () => {
  const words = fc.uniqueArray(fc.constantFrom('success', 'failure', 'delay'));
  fc.assert(
    fc.property(words, printable, (notify, text) => {
      assert.deepEqual(parseNotify(formatNotify(notify)), notify);
      assert.equal(parseEnvelopeId(formatEnvelopeId(text)), text);
      const rfc822 = { type: 'rfc822', text };
      assert.deepEqual(parseOriginalRecipient(formatOriginalRecipient(rfc822)), rfc822);
      const utf8 = { type: 'utf-8', text: `${text}ü\u{1f4e7}\\+=` };
      const written = formatOriginalRecipient(utf8);
      assert.match(written, /^[\x21-\x7e]+$/);
      assert.deepEqual(parseOriginalRecipient(written), utf8);
    }),
  );
  for (const ret of ['full', 'headers'] as const) assert.equal(parseRet(formatRet(ret)), ret);
});

for (const value of ['', 'NEVER,SUCCESS', 'never,never', 'SUCCESS,SUCCESS', 'SUCCESS,', 'ALWAYS']) {
  void test(`refuses NOTIFY=${value}`, () => assert.equal(parseNotify(value), null));
}

for (const value of ['', 'a b', 'a=b', 'a+4', 'a+4g', 'a+4a', 'a+0D+0A', 'a+FF', 'x'.repeat(101)]) {
  void test(`refuses ENVID=${value}`, () => assert.equal(parseEnvelopeId(value), null));
}

const badRecipients = [
  '',
  'a@b.test',
  'rfc822;',
  ';a@b.test',
  'rfc822;a b',
  'rfc822;a+0D',
  'r c;x',
];
badRecipients.push(
  'rfc822;ü@b.test',
  'utf-8;a+b',
  'utf-8;\\x{110000}',
  'utf-8;\\x{0D}',
  'utf-8;\\x',
);
badRecipients.push('utf-8;\\x{D800}', 'utf-8;a\u202eb', `rfc822;${'x'.repeat(494)}`);
for (const value of badRecipients) {
  void test(`refuses ORCPT=${value}`, () => assert.equal(parseOriginalRecipient(value), null));
}

void test('takes ORCPT up to its length, raw UTF-8 where its type is utf-8', () => {
  assert.ok(parseOriginalRecipient(`rfc822;${'x'.repeat(493)}`) !== null);
  const text = 'ü@b.test';
  assert.deepEqual(parseOriginalRecipient('UTF-8;ü@b.test'), { type: 'utf-8', text });
  assert.deepEqual(parseOriginalRecipient('utf-8;\\x{FC}@b.test'), { type: 'utf-8', text });
});

void test('reads an address beyond ASCII that Postfix 3.7 writes as octets under rfc822', () => {
  assert.deepEqual(parseOriginalRecipient('rfc822;+E7+94+A8+E6+88+B7@relay.test'), {
    type: 'utf-8',
    text: '用户@relay.test',
  });
  for (const broken of ['rfc822;+FF@relay.test', 'rfc822;+E2+80+AE@relay.test', 'x400;+C3+BC']) {
    assert.equal(parseOriginalRecipient(broken), null);
  }
});
