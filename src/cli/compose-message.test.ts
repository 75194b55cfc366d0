import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { composeMessage } from './compose-message.ts';

const from = { localPart: 'user', domain: 'example.test' };
const to = [
  { localPart: 'doctor', domain: 'contoso.com' },
  { localPart: 'a b', domain: 'fabrikam.com' },
];
const base = { from, to, subject: 'Hello', body: 'Hi\n', nowMs: Date.UTC(2026, 10, 22, 10, 2, 3) };

function compose(fields: Partial<typeof base> = {}): string {
  return composeMessage({ ...base, ...fields, uniqueText: 'u-1' }).toString('latin1');
}

function decodeSubject(content: string): string {
  const raw = /^Subject: ([^]*?)\r\n(?! )/m.exec(content)?.[1] ?? '';
  if (!raw.startsWith('=?')) return raw;
  return raw
    .split('\r\n ')
    .map((word) => Buffer.from(/^=\?utf-8\?B\?(.*)\?=$/.exec(word)![1]!, 'base64').toString())
    .join('');
}

test('has every field once, in the form of RFC 5322', () => {
  assert.equal(
    compose(),
    'Date: Sun, 22 Nov 2026 10:02:03 +0000\r\n' +
      'From: user@example.test\r\n' +
      'To: doctor@contoso.com,\r\n "a b"@fabrikam.com\r\n' +
      'Subject: Hello\r\n' +
      'Message-ID: <u-1@example.test>\r\n' +
      'MIME-Version: 1.0\r\n' +
      'Content-Type: text/plain; charset=utf-8\r\n' +
      'Content-Transfer-Encoding: 7bit\r\n' +
      '\r\nHi\r\n',
  );
});

test('a subject cannot add a header field', () => {
  const content = compose({ subject: 'x\r\nBcc: evil@example.net\r\n\r\nbody' });
  assert.doesNotMatch(content, /^Bcc/m);
  assert.match(content, /^Subject: x Bcc: evil@example\.net body\r$/m);
});

test('whatever the texts, lines are ASCII, at most 998 long and end in CRLF', () => {
  const text = fc.string({ unit: 'binary', maxLength: 3000 });
  fc.assert(
    fc.property(text, text, (subject, body) => {
      const content = compose({ subject, body });
      assert.match(content, /^[\x00-\x7f]*$/);
      assert.doesNotMatch(content, /[^\r]\n|\r[^\n]/);
      assert.ok(content.endsWith('\r\n'));
      assert.ok(content.split('\r\n').every((line) => line.length <= 998));
    }),
  );
});

test('subject and body come back as they were', () => {
  const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(word, word, (subject, body) => {
      const content = compose({ subject, body });
      assert.equal(decodeSubject(content), subject.replace(/[\u0000-\u001f\u007f]+/g, ' '));
      const encoded = content.slice(content.indexOf('\r\n\r\n') + 4);
      const text = content.includes(': base64')
        ? Buffer.from(encoded, 'base64').toString()
        : encoded;
      assert.equal(text.trimEnd(), body.replace(/\r\n|\r|\n/g, '\r\n').trimEnd());
    }),
  );
});
