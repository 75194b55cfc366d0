import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAddress } from '../mail/address.ts';
import { readHeaderRecipients } from './header-recipients.ts';

const read = (header: string): string[] =>
  readHeaderRecipients(Buffer.from(`${header}\r\nSubject: x\r\n\r\nTo: body@b.test\r\n`)).map(
    formatAddress,
  );

test('To, Cc and Bcc name recipients, folded and with names; the body does not', () => {
  const header = 'To: "A, B" <a@b.test>,\r\n c@d.test\r\nCC: e@f.test\r\nbcc: g@h.test';
  assert.deepEqual(read(header), ['a@b.test', 'c@d.test', 'e@f.test', 'g@h.test']);
  assert.deepEqual(read('From: a@b.test'), []);
});

test('a message that is sent again goes to whom it is sent again', () => {
  assert.deepEqual(read('To: a@b.test\r\nResent-To: x@y.test'), ['x@y.test']);
});

test('a field that cannot be read refuses the message', () => {
  assert.throws(() => read('To: a@b.test\r\nCc: root'), { code: 'submission-refused' });
});
