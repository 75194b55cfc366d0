import assert from 'node:assert/strict';
import { test } from 'node:test';
import { submittedRecipientsMax } from '../api/contract.ts';
import { formatAddress } from '../mail/address.ts';
import { readHeaderRecipients } from './header-recipients.ts';

const read = (header: string, defaultDomain: string | null = null): string[] =>
  readHeaderRecipients(
    Buffer.from(`${header}\r\nSubject: x\r\n\r\nTo: body@b.test\r\n`),
    defaultDomain,
  ).map(formatAddress);

test('To, Cc and Bcc name recipients, folded and with names; the body does not', () => {
  const header = 'To: "A, B" <a@b.test>,\r\n c@d.test\r\nCC: e@f.test\r\nbcc: g@h.test';
  assert.deepEqual(read(header), ['a@b.test', 'c@d.test', 'e@f.test', 'g@h.test']);
  assert.deepEqual(read('From: a@b.test'), []);
});

test('a message that is sent again goes to whom it is sent again', () => {
  assert.deepEqual(read('To: a@b.test\r\nResent-To: x@y.test'), ['x@y.test']);
});

test('a field that cannot be read refuses the message', () => {
  const code = 'submission-refused';
  assert.throws(() => read('To: a@b.test\r\nCc: b@@c.test', 'us.test'), { code });
  const message = /the field Cc has an address without a domain; write each address as/;
  assert.throws(() => read('To: a@b.test\r\nCc: root'), { code, message });
});

test('a field that names nobody adds nobody', () => {
  assert.deepEqual(read('To: undisclosed-recipients:;\r\nBcc: a@b.test'), ['a@b.test']);
  assert.deepEqual(read('To: (nobody)\r\nCc:\r\nBcc: a@b.test'), ['a@b.test']);
});

test('names without a domain get the one that is given, in every field', () => {
  assert.deepEqual(read('To: root\r\nCc: A <a@b.test>, ops\r\nBcc: c', 'us.test'), [
    'root@us.test',
    'a@b.test',
    'ops@us.test',
    'c@us.test',
  ]);
  assert.deepEqual(read('To: a@b.test\r\nResent-To: root', 'us.test'), ['root@us.test']);
});

test('as many recipients as a submission may have', () => {
  const names = (count: number) =>
    Array.from({ length: count }, (_, i) => `user${i}@long.example.test`);
  const thousand = names(submittedRecipientsMax);
  assert.deepEqual(read(`To: ${thousand.join(',\r\n ')}`), thousand);
  const more = `To: ${names(submittedRecipientsMax + 1).join(',\r\n ')}`;
  assert.throws(() => read(more), { code: 'submission-refused', message: /too many addresses/ });
});
