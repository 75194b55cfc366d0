/** What MAIL and RCPT pass on, and only where the server offers it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, envelope, kinds, memory, ready } from '../../test/support/client-peer.ts';
import type { Envelope } from '../mail/envelope.ts';
import { Permit } from '../mail/permit.ts';
import type { Recipient } from '../mail/recipient.ts';
import type { ClientProtocol } from './client-session.ts';
import { askAboutRecipient, beginTransaction } from './client-transaction.ts';

/** What the client sends up to DATA, and what it says of the server. */
async function sentTo(
  keywords: readonly string[],
  part: Partial<Envelope>,
  protocol: ClientProtocol = 'smtp',
) {
  const { session, peer } = await ready(['PIPELINING', ...keywords], connect({ protocol }));
  const all = { ...envelope('b'), ...part };
  const begun = beginTransaction(session, new Permit('c1', []), all, memory('x\r\n'));
  await Promise.race([begun, peer.heard('DATA\r\n')]);
  const text = Buffer.from(peer.text, 'latin1').toString('utf8');
  session.destroy('end');
  const result = await begun;
  return { lines: text.split('\r\n').filter((line) => line !== 'DATA' && line !== ''), result };
}

const b: Recipient = { localPart: 'b', domain: 'them.example' };
const dsn = { ret: 'headers', envelopeId: 'QQ 314+159' } as const;
const asking: Recipient = {
  ...b,
  notify: ['success', 'delay'],
  originalRecipient: { type: 'rfc822', text: 'Bob+x@them.example' },
};

test('passes on what was asked of DSNs, encoded', async () => {
  const { lines, result } = await sentTo(['DSN'], {
    dsn,
    recipients: [asking, { ...b, notify: [] }],
  });
  assert.deepEqual(lines, [
    'MAIL FROM:<a@us.example> RET=HDRS ENVID=QQ+20314+2B159',
    'RCPT TO:<b@them.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob+2Bx@them.example',
    'RCPT TO:<b@them.example> NOTIFY=NEVER',
  ]);
  assert.equal(result.hasDsn, true);
});

test('sends nothing of it where DSN is not offered', async () => {
  const { lines, result } = await sentTo([], { dsn, recipients: [asking] });
  assert.deepEqual(lines, ['MAIL FROM:<a@us.example>', 'RCPT TO:<b@them.example>']);
  assert.equal(result.hasDsn, false);
});

test('sends nothing of it by LMTP, where we tell of the delivery ourselves', async () => {
  const { lines, result } = await sentTo(['DSN'], { dsn, recipients: [asking] }, 'lmtp');
  assert.deepEqual(lines, ['MAIL FROM:<a@us.example>', 'RCPT TO:<b@them.example>']);
  assert.equal(result.hasDsn, false);
});

test('adds nothing that was not asked', async () => {
  const { lines } = await sentTo(['DSN', 'SMTPUTF8', '8BITMIME'], {});
  assert.deepEqual(lines, ['MAIL FROM:<a@us.example>', 'RCPT TO:<b@them.example>']);
});

test('names the alias that led here as the original recipient, where a DSN was asked for', async () => {
  const aliasedFrom = { localPart: 'info', domain: 'us.example' };
  const recipients: Recipient[] = [
    { ...b, notify: ['failure'], aliasedFrom },
    { ...asking, aliasedFrom },
    { ...b, aliasedFrom },
    { ...b, notify: ['failure'], aliasedFrom: { ...aliasedFrom, localPart: 'bücher' } },
  ];
  const { lines } = await sentTo(['DSN'], { recipients });
  assert.deepEqual(lines.slice(1), [
    'RCPT TO:<b@them.example> NOTIFY=FAILURE ORCPT=rfc822;info@us.example',
    'RCPT TO:<b@them.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob+2Bx@them.example',
    'RCPT TO:<b@them.example>',
    'RCPT TO:<b@them.example> NOTIFY=FAILURE ORCPT=utf-8;b\\x{FC}cher@us.example',
  ]);
});

test('declares SMTPUTF8 and writes addresses as UTF-8 where it is offered', async () => {
  const recipients = [{ localPart: 'δοκιμή', domain: 'them.example' }];
  const { lines } = await sentTo(['SMTPUTF8', '8BITMIME'], {
    smtpUtf8: true,
    bodyType: '8bitmime',
    recipients,
  });
  assert.deepEqual(lines, [
    'MAIL FROM:<a@us.example> BODY=8BITMIME SMTPUTF8',
    'RCPT TO:<δοκιμή@them.example>',
  ]);
});

for (const [what, part] of [
  ['was declared', { smtpUtf8: true }],
  ['a recipient needs it', { recipients: [{ localPart: 'ü', domain: 'them.example' }] }],
  ['the sender needs it', { reversePath: { localPart: 'ü', domain: 'us.example' } }],
] as const) {
  test(`sends nothing where SMTPUTF8 is not offered and ${what}`, async () => {
    const { lines, result } = await sentTo(['8BITMIME', 'DSN'], part);
    assert.deepEqual(lines, []);
    const [first] = result.recipients;
    assert.ok(first?.kind === 'unsendable' && first.problem === 'smtputf8');
    assert.match(first.detail, /does not offer SMTPUTF8$/);
  });
}

test('a message above the announced limit is not sent, and the limit is told', async () => {
  const { session, peer } = await ready(['SIZE 10240000']);
  const body = { kind: 'memory', bytes: Buffer.alloc(10_240_001) } as const;
  const result = await beginTransaction(session, new Permit('c1', []), envelope('b'), body);
  const [first] = result.recipients;
  assert.ok(first?.kind === 'unsendable');
  assert.equal(
    first.detail,
    'the message has 10.24 MB (10240001 bytes) and the server takes at most 10.24 MB (10240000 bytes)',
  );
  assert.equal(peer.text, '');
  session.destroy('end');
});

test('a question about an address beyond ASCII is not asked without SMTPUTF8', async () => {
  const { session, peer } = await ready([]);
  const to = { localPart: 'ü', domain: 'them.example' };
  assert.deepEqual(kinds(await askAboutRecipient(session, new Permit('c1', []), to)), [
    'unsendable',
  ]);
  assert.equal(peer.text, '');
  session.destroy('end');
});
