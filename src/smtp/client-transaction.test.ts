import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  connect,
  envelope,
  kinds,
  memory,
  quickTimeouts,
  ready,
  streamed,
} from '../../test/support/client-peer.ts';
import type { Envelope } from '../mail/envelope.ts';
import { Permit } from '../mail/permit.ts';
import type { Body } from './client-body.ts';
import { beginTransaction } from './client-transaction.ts';
import type { TransactionResult } from './client-transaction.ts';

function permit(): Permit {
  return new Permit('c1', []);
}

test('begins no transaction without a permit for its own connection', async () => {
  const { session, peer } = await ready(['PIPELINING']);
  const foreign = new Permit('c2', []);
  assert.throws(() => void beginTransaction(session, foreign, envelope('b'), memory('x\r\n')));
  const spent = permit();
  spent.spend('c1');
  assert.throws(() => void beginTransaction(session, spent, envelope('b'), memory('x\r\n')));
  await new Promise(setImmediate);
  assert.equal(peer.text, '');
  session.destroy('end');
});

test('sends one command per reply where PIPELINING is not offered', async () => {
  const { session, peer } = await ready(['SIZE 1000']);
  const result = beginTransaction(session, permit(), envelope('b', 'c'), memory('.x\r\n'));
  const dialogue: [string, string][] = [
    ['MAIL FROM:<a@us.example> SIZE=4\r\n', '250 ok\r\n'],
    ['RCPT TO:<b@them.example>\r\n', '250 ok\r\n'],
    ['RCPT TO:<c@them.example>\r\n', '550 5.1.1 no\r\n'],
    ['DATA\r\n', '354 go\r\n'],
    ['..x\r\n.\r\n', '250 2.0.0 queued\r\n'],
  ];
  for (const [command, reply] of dialogue) {
    await peer.heard(command);
    assert.equal(peer.text, command);
    peer.forget();
    peer.say(reply);
  }
  assert.deepEqual(kinds(await result), ['accepted', 'refused rcpt']);
  session.destroy('end');
});

test('sends envelope and DATA in one flight under PIPELINING, content in the next', async () => {
  const { session, peer } = await ready(['PIPELINING']);
  const result = beginTransaction(session, permit(), envelope('b'), memory('x\r\n'));
  await peer.heard('DATA\r\n');
  assert.equal(peer.text, 'MAIL FROM:<a@us.example>\r\nRCPT TO:<b@them.example>\r\nDATA\r\n');
  peer.forget();
  peer.say('250 ok\r\n250 ok\r\n354 go\r\n');
  await peer.heard('.\r\n');
  assert.equal(peer.text, 'x\r\n.\r\n');
  peer.say('250 ok\r\n');
  assert.deepEqual(kinds(await result), ['accepted']);
  session.destroy('end');
});

test('sends envelope and content in one flight where CHUNKING is offered besides', async () => {
  const { session, peer } = await ready(['PIPELINING', 'CHUNKING']);
  const result = beginTransaction(session, permit(), envelope('b'), memory('.x\r\n'));
  await peer.heard('.x\r\n');
  assert.equal(
    peer.text,
    'MAIL FROM:<a@us.example>\r\nRCPT TO:<b@them.example>\r\nBDAT 4 LAST\r\n.x\r\n',
  );
  peer.say('250 ok\r\n250 ok\r\n250 ok\r\n');
  assert.deepEqual(kinds(await result), ['accepted']);
  session.destroy('end');
});

test('matches replies that arrive one byte at a time', async () => {
  const { session, peer } = await ready(['PIPELINING']);
  const result = beginTransaction(session, permit(), envelope('b', 'c'), memory('x\r\n'));
  const say = async (text: string): Promise<void> => {
    for (const byte of text) {
      peer.say(byte);
      await new Promise(setImmediate);
    }
  };
  await say('250 ok\r\n250 ok\r\n550-5.1.1 no\r\n550 5.1.1 such user\r\n354 go\r\n');
  await say('250 2.0.0 ok\r\n');
  const { recipients } = await result;
  assert.equal(recipients[0]!.kind, 'accepted');
  assert.deepEqual(recipients[1], {
    kind: 'refused',
    stage: 'rcpt',
    reply: {
      code: 550,
      status: { class: 5, subject: 1, detail: 1 },
      lines: ['no', 'such user'],
    },
  });
  session.destroy('end');
});

test('sends a lone dot, not the content, where DATA is taken without a recipient', async () => {
  const { session, peer } = await ready(['PIPELINING']);
  const result = beginTransaction(session, permit(), envelope('b'), memory('secret\r\n'));
  peer.say('250 ok\r\n550 no\r\n354 go\r\n');
  await peer.heard('DATA\r\n.\r\n');
  peer.say('554 no valid recipients\r\n');
  assert.deepEqual(kinds(await result), ['refused rcpt']);
  assert(!peer.text.includes('secret'));
  session.destroy('end');
});

test('reports the refusal of MAIL for every recipient, not what followed from it', async () => {
  const { session, peer } = await ready(['PIPELINING', 'CHUNKING']);
  const result = beginTransaction(session, permit(), envelope('b', 'c'), memory('x\r\n'));
  peer.say('451 4.3.0 later\r\n503 no\r\n503 no\r\n503 no\r\n');
  assert.deepEqual(kinds(await result), ['refused mail', 'refused mail']);
  session.destroy('end');
});

test('resets before the next transaction where BDAT may have left the last one open', async () => {
  const { session, peer } = await ready(['PIPELINING', 'CHUNKING']);
  const first = beginTransaction(session, permit(), envelope('b'), memory('1\r\n'));
  const second = beginTransaction(session, permit(), envelope('c'), memory('2\r\n'));
  await peer.heard('BDAT 3 LAST\r\n2\r\n');
  assert.equal(
    peer.text,
    'MAIL FROM:<a@us.example>\r\nRCPT TO:<b@them.example>\r\nBDAT 3 LAST\r\n1\r\n' +
      'RSET\r\nMAIL FROM:<a@us.example>\r\nRCPT TO:<c@them.example>\r\nBDAT 3 LAST\r\n2\r\n',
  );
  peer.say('250 ok\r\n550 no\r\n503 no\r\n');
  peer.say('250 reset\r\n250 ok\r\n250 ok\r\n250 ok\r\n');
  assert.deepEqual(kinds(await first), ['refused rcpt']);
  assert.deepEqual(kinds(await second), ['accepted']);
  peer.forget();
  const third = beginTransaction(session, permit(), envelope('d'), memory('3\r\n'));
  await peer.heard('3\r\n');
  assert(!peer.text.includes('RSET'));
  peer.say('250 ok\r\n250 ok\r\n250 ok\r\n');
  assert.deepEqual(kinds(await third), ['accepted']);
  session.destroy('end');
});

test('resets after DATA was refused', async () => {
  const { session, peer } = await ready([]);
  const first = beginTransaction(session, permit(), envelope('b'), memory('1\r\n'));
  peer.say('250 ok\r\n');
  await peer.heard('RCPT');
  peer.say('250 ok\r\n');
  await peer.heard('DATA');
  peer.say('451 later\r\n');
  assert.deepEqual(kinds(await first), ['refused data']);
  peer.forget();
  const second = beginTransaction(session, permit(), envelope('b'), memory('1\r\n'));
  await peer.heard('RSET\r\n');
  assert.equal(peer.text, 'RSET\r\n');
  peer.say('250 ok\r\n');
  await peer.heard('MAIL FROM');
  peer.drop();
  assert.deepEqual(kinds(await second), ['lost']);
});

test('lets the next envelope leave with the end of the last content', async () => {
  const { session, peer } = await ready(['PIPELINING']);
  const first = beginTransaction(session, permit(), envelope('b'), memory('1\r\n'));
  let second: Promise<TransactionResult> | null = null;
  session.onChange = () => {
    if (second === null && session.mayBegin) {
      second = beginTransaction(session, permit(), envelope('c'), memory('2\r\n'));
    }
  };
  await peer.heard('DATA\r\n');
  peer.forget();
  peer.say('250 ok\r\n250 ok\r\n354 go\r\n');
  await peer.heard('1\r\n.\r\nMAIL FROM:<a@us.example>\r\nRCPT TO:<c@them.example>\r\nDATA\r\n');
  peer.say('250 first\r\n250 ok\r\n250 ok\r\n354 go\r\n');
  assert.deepEqual(kinds(await first), ['accepted']);
  await peer.heard('2\r\n.\r\n');
  peer.say('452 4.3.1 full\r\n');
  assert.deepEqual(kinds(await second!), ['refused content']);
  session.destroy('end');
});

test('holds at most as many transactions in flight as it may', async () => {
  const { session, peer } = await ready(
    ['PIPELINING', 'CHUNKING'],
    connect({ transactionsInFlightMax: 3 }),
  );
  const results = [1, 2, 3].map(() =>
    beginTransaction(session, permit(), envelope('b'), memory('1\r\n')),
  );
  assert.equal(session.mayBegin, false);
  assert.throws(() => void beginTransaction(session, permit(), envelope('b'), memory('1\r\n')));
  peer.drop();
  for (const result of results) assert.deepEqual(kinds(await result), ['lost']);
});

for (const [where, replies, mayHaveArrived] of [
  ['before any reply', '', false],
  ['before 354', '250 ok\r\n250 ok\r\n', false],
  ['after the final dot', '250 ok\r\n250 ok\r\n354 go\r\n', true],
] as const) {
  test(`is lost, never delivered, where the connection ends ${where}`, async () => {
    const { session, peer } = await ready(['PIPELINING']);
    const result = beginTransaction(session, permit(), envelope('b'), memory('x\r\n'));
    await peer.heard('DATA\r\n');
    peer.say(replies);
    if (mayHaveArrived) await peer.heard('\r\n.\r\n');
    peer.drop();
    const { recipients, hasReplies } = await result;
    const [recipient] = recipients;
    assert(recipient?.kind === 'lost');
    assert.equal(recipient.mayHaveArrived, mayHaveArrived);
    assert.equal(hasReplies, replies !== '');
    assert(session.isClosed);
  });
}

test('takes 421 as the answer to all that the server leaves unanswered', async () => {
  const { session, peer } = await ready(['PIPELINING']);
  const result = beginTransaction(session, permit(), envelope('b', 'c'), memory('x\r\n'));
  peer.say('250 ok\r\n421 4.3.2 shutting down\r\n');
  await new Promise(setImmediate);
  peer.drop();
  assert.deepEqual(kinds(await result), ['refused rcpt', 'refused rcpt']);
});

test('streams content with dot-stuffing at every break of chunks', async () => {
  const text = 'a\r\n.b\r\n..\r\n.\r\nc\r\n.d\r\n'.repeat(3);
  const { session, peer } = await ready(['PIPELINING']);
  const result = beginTransaction(session, permit(), envelope('b'), streamed(text));
  peer.say('250 ok\r\n250 ok\r\n354 go\r\n');
  const stuffed = text.replace(/^\./gm, '..');
  await peer.heard(`DATA\r\n${stuffed}.\r\n`);
  peer.say('250 ok\r\n');
  assert.deepEqual(kinds(await result), ['accepted']);
  session.destroy('end');
});

test('streams content by BDAT only after a recipient was accepted', async () => {
  const { session, peer } = await ready(['PIPELINING', 'CHUNKING']);
  const result = beginTransaction(session, permit(), envelope('b'), streamed('.x\r\n'));
  await peer.heard('RCPT TO:<b@them.example>\r\n');
  assert(!peer.text.includes('BDAT'));
  peer.say('250 ok\r\n250 ok\r\n');
  await peer.heard('BDAT 4 LAST\r\n.x\r\n');
  peer.say('250 ok\r\n');
  assert.deepEqual(kinds(await result), ['accepted']);
  session.destroy('end');
});

test('never ends content that is shorter than announced or that cannot be read', async () => {
  const broken: Body = {
    kind: 'stream',
    sizeBytes: 10,
    async *open() {
      yield Buffer.from('abc');
      throw new Error('disk gone');
    },
  };
  for (const body of [streamed('abc\r\n', 10), streamed('abcdef\r\nmore', 6), broken]) {
    const { session, peer } = await ready(['PIPELINING']);
    const result = beginTransaction(session, permit(), envelope('b'), body);
    peer.say('250 ok\r\n250 ok\r\n354 go\r\n');
    const [recipient] = (await result).recipients;
    assert(recipient?.kind === 'lost');
    assert.equal(recipient.loss.cause, 'local');
    assert.equal(recipient.mayHaveArrived, false);
    assert(!peer.text.includes('\r\n.\r\n'));
    assert(session.isClosed);
  }
});

test('never takes a success for content that it has not sent whole', async () => {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const body: Body = {
    kind: 'stream',
    sizeBytes: 6,
    async *open() {
      yield Buffer.from('abc');
      await gate;
      yield Buffer.from('def');
    },
  };
  const { session, peer } = await ready(['PIPELINING']);
  const result = beginTransaction(session, permit(), envelope('b'), body);
  peer.say('250 ok\r\n250 ok\r\n354 go\r\n250 thanks\r\n');
  assert.deepEqual(kinds(await result), ['lost']);
  release();
  assert(session.isClosed);
});

test('gives up a server that does not take the content', async () => {
  const { session, peer } = await ready(
    ['PIPELINING'],
    connect({ timeouts: { ...quickTimeouts, dataBlockMs: 20 } }),
  );
  const big = 'x'.repeat(400_000);
  const body: Body = {
    kind: 'stream',
    sizeBytes: big.length,
    async *open() {
      for (let at = 0; at < big.length; at += 50_000) yield Buffer.from(big.slice(at, at + 50_000));
    },
  };
  const result = beginTransaction(session, permit(), envelope('b'), body);
  await peer.heard('DATA');
  peer.pause();
  peer.say('250 ok\r\n250 ok\r\n354 go\r\n');
  const [recipient] = (await result).recipients;
  assert(recipient?.kind === 'lost');
  assert.equal(recipient.loss.cause, 'timeout');
});

test('refuses locally what the server would not take', async () => {
  const { session, peer } = await ready(['SIZE 10', 'PIPELINING']);
  const big = await beginTransaction(session, permit(), envelope('b'), memory('x'.repeat(11)));
  assert(big.recipients[0]?.kind === 'unsendable');
  assert.equal(big.recipients[0].problem, 'size');
  const eight: Envelope = { ...envelope('b'), bodyType: '8bitmime' };
  const result = await beginTransaction(session, permit(), eight, memory('é'));
  assert(result.recipients[0]?.kind === 'unsendable');
  assert.equal(result.recipients[0].problem, '8bitmime');
  assert.equal(peer.text, '');
  session.destroy('end');
});

test('declares 8-bit content where the server offers 8BITMIME', async () => {
  const { session, peer } = await ready(['8BITMIME', 'PIPELINING']);
  const eight: Envelope = { ...envelope('b'), reversePath: null, bodyType: '8bitmime' };
  const result = beginTransaction(session, permit(), eight, memory('é'));
  await peer.heard('MAIL FROM:<> BODY=8BITMIME\r\n');
  peer.drop();
  await result;
});

test('sends no address beyond ASCII where SMTPUTF8 is not offered, and declares it where it is', async () => {
  const utf8: Envelope = {
    ...envelope('b'),
    recipients: [{ localPart: 'Łukasz', domain: 'b.example' }],
    smtpUtf8: true,
  };
  const without = await ready(['PIPELINING']);
  const refused = await beginTransaction(without.session, permit(), utf8, memory('x'));
  assert(refused.recipients[0]?.kind === 'unsendable');
  assert.equal(refused.recipients[0].problem, 'smtputf8');
  assert.equal(without.peer.text, '');
  without.session.destroy('end');
  const { session, peer } = await ready(['SMTPUTF8', 'PIPELINING']);
  const result = beginTransaction(session, permit(), utf8, memory('x'));
  // What the peer heard is shown as latin1.
  await peer.heard(Buffer.from('RCPT TO:<Łukasz@b.example>\r\n').toString('latin1'));
  assert.match(peer.text, /^MAIL FROM:\S+ SMTPUTF8\r\n/);
  peer.drop();
  await result;
});

test('waits no longer than it may for each reply', async () => {
  const { session, peer } = await ready(
    ['PIPELINING'],
    connect({ timeouts: { ...quickTimeouts, dataTerminationMs: 20 } }),
  );
  const result = beginTransaction(session, permit(), envelope('b'), memory('x\r\n'));
  peer.say('250 ok\r\n250 ok\r\n354 go\r\n');
  const [recipient] = (await result).recipients;
  assert(recipient?.kind === 'lost');
  assert.equal(recipient.loss.cause, 'timeout');
  assert.equal(recipient.mayHaveArrived, true);
});
