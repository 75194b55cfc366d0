/** Which mail is never answered, since no person waits for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { whyAutomatic } from './automatic-mail.ts';

const why = (...lines: string[]): string | null =>
  whyAutomatic(Buffer.from(`${lines.map((line) => `${line}\r\n`).join('')}\r\n`));

test('mail of a person may be answered', () => {
  assert.equal(why('From: a@b.test', 'Subject: Auto-Submitted: auto-replied'), null);
  assert.equal(why('Auto-Submitted: no'), null);
  assert.equal(why('Auto-Submitted: No (really)'), null);
  assert.equal(why('Precedence: first-class'), null);
  assert.equal(why('X-Auto-Response-Suppress: None'), null);
  assert.equal(whyAutomatic(Buffer.alloc(0)), null);
  assert.equal(whyAutomatic(Buffer.from('\r\n')), null);
});

test('mail that says otherwise may not, however it is written', () => {
  for (const line of [
    'Auto-Submitted: auto-generated',
    'AUTO-SUBMITTED:auto-replied; owner-email="a@b.test"',
    'Auto-Submitted:\r\n\tauto-notified',
    'Auto-Submitted :auto-replied',
    'Auto-Submitted:',
    'Auto-Submitted: nobody',
    'Precedence: BULK',
    'precedence: list ',
    'List-Id: x <l.b.test>',
    'List-Unsubscribe: <https://b.test>',
    'X-Auto-Response-Suppress: OOF, AutoReply',
    'X-Auto-Response-Suppress: All',
  ]) {
    assert.notEqual(why('From: a@b.test', line), null, line);
  }
});

test('one field that says so is enough, beside another that says no', () => {
  assert.notEqual(why('Auto-Submitted: no', 'Auto-Submitted: auto-replied'), null);
});

test('a header that readers may read in two ways is not answered', () => {
  for (const text of [
    'From: a@b.test\nAuto-Submitted: auto-replied\r\n\r\n',
    ' Auto-Submitted: auto-replied\r\nFrom: a@b.test\r\n\r\n',
    'no field at all\r\nFrom: a@b.test\r\n\r\n',
    'From: a\0@b.test\r\n\r\n',
  ]) {
    assert.equal(whyAutomatic(Buffer.from(text)), 'its header is malformed', JSON.stringify(text));
  }
});

test('whatever comes, it answers', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
      const reason = whyAutomatic(Buffer.from(bytes));
      assert.ok(reason === null || reason.length > 0);
    }),
  );
});
