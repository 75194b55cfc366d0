/** LMTP as client: LHLO, one reply per accepted recipient, and the question about a recipient. */
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
import type { Setup } from '../../test/support/client-peer.ts';
import { Permit } from '../mail/permit.ts';
import { askAboutRecipient, beginTransaction } from './client-transaction.ts';

function permit(): Permit {
  return new Permit('c1', []);
}

function readyLmtp(...keywords: string[]): Promise<Setup> {
  return ready(keywords, connect({ protocol: 'lmtp' }));
}

/** Begins a transaction to `names` and answers everything up to the content. */
async function upToContent(setup: Setup, rcptReplies: readonly string[], body = memory('x\r\n')) {
  const { session, peer } = setup;
  const names = rcptReplies.map((_, i) => `r${i}`);
  const result = beginTransaction(session, permit(), envelope(...names), body);
  await peer.heard('DATA\r\n');
  peer.forget();
  peer.say(`250 ok\r\n${rcptReplies.join('\r\n')}\r\n354 go\r\n`);
  return result;
}

test('greets with LHLO, and never falls back to HELO', async () => {
  const { session, peer } = connect({ protocol: 'lmtp' });
  const hello = session.hello();
  await peer.heard('LHLO us.example\r\n');
  peer.say('500 5.5.1 what\r\n');
  assert.equal((await hello).kind, 'refused');
  assert.equal(peer.text, 'LHLO us.example\r\n');
  assert.equal(session.mayBegin, false);
  session.destroy('end');
});

test('waits for one reply per accepted recipient, and gives each its own', async () => {
  const setup = await readyLmtp('PIPELINING');
  const { session, peer } = setup;
  const begun = upToContent(setup, ['250 ok', '550 5.1.1 no', '250 ok', '250 ok']);
  await peer.heard('.\r\n');
  assert.equal(peer.text, 'x\r\n.\r\n');
  let isDone = false;
  void begun.then(() => (isDone = true));
  peer.say('250 2.0.0 kept\r\n452 4.2.2 full\r\n');
  await new Promise(setImmediate);
  assert.equal(isDone, false);
  peer.say('554 5.2.1 closed\r\n');
  const { recipients } = await begun;
  assert.deepEqual(kinds({ recipients }), [
    'accepted',
    'refused rcpt',
    'refused content',
    'refused content',
  ]);
  const codes = recipients.map((each) => ('reply' in each ? each.reply.code : 0));
  assert.deepEqual(codes, [250, 550, 452, 554]);
  assert.equal(session.mayBegin, true);
  session.destroy('end');
});

test('the replies of two transactions in flight are kept apart', async () => {
  const setup = await readyLmtp('PIPELINING');
  const { session, peer } = setup;
  const first = upToContent(setup, ['250 ok', '250 ok']);
  await peer.heard('.\r\n');
  peer.forget();
  assert.equal(session.mayBegin, true);
  const second = beginTransaction(session, permit(), envelope('z'), memory('y\r\n'));
  await peer.heard('DATA\r\n');
  peer.say('250 ok\r\n554 5.2.1 closed\r\n');
  assert.deepEqual(kinds(await first), ['accepted', 'refused content']);
  peer.say('250 ok\r\n250 ok\r\n354 go\r\n');
  await peer.heard('y\r\n.\r\n');
  peer.say('250 ok\r\n');
  assert.deepEqual(kinds(await second), ['accepted']);
  session.destroy('end');
});

test('gives recipients whose reply never came up as lost, and keeps what others got', async () => {
  const setup = await readyLmtp();
  const { session, peer } = setup;
  const begun = beginTransaction(session, permit(), envelope('a', 'b'), memory('x\r\n'));
  for (const [command, reply] of [
    ['MAIL', '250 ok'],
    ['RCPT TO:<a', '250 ok'],
    ['RCPT TO:<b', '250 ok'],
    ['DATA', '354 go'],
    ['.\r\n', '250 2.0.0 kept'],
  ] as const) {
    await peer.heard(command);
    peer.say(`${reply}\r\n`);
  }
  await new Promise(setImmediate);
  peer.drop();
  const { recipients } = await begun;
  assert.equal(recipients[0]!.kind, 'accepted');
  assert.ok(recipients[1]?.kind === 'lost' && recipients[1].mayHaveArrived);
});

test('streamed content is answered per recipient too', async () => {
  const setup = await readyLmtp('PIPELINING');
  const body = streamed('.dots\r\nand more lines\r\n');
  const begun = upToContent(setup, ['250 ok', '250 ok', '550 no'], body);
  await setup.peer.heard('\r\n.\r\n');
  assert.equal(setup.peer.text, '..dots\r\nand more lines\r\n.\r\n');
  setup.peer.say('250 ok\r\n450 4.2.0 later\r\n');
  assert.deepEqual(kinds(await begun), ['accepted', 'refused content', 'refused rcpt']);
  setup.session.destroy('end');
});

test('a reply too many ends the connection', async () => {
  const setup = await readyLmtp('PIPELINING');
  const begun = upToContent(setup, ['250 ok']);
  await setup.peer.heard('.\r\n');
  setup.peer.say('250 ok\r\n250 ok\r\n');
  assert.deepEqual(kinds(await begun), ['accepted']);
  assert.equal(setup.session.core.loss?.code, 'UNSOLICITED_REPLY');
});

test('never uses BDAT, whatever is offered', async () => {
  const setup = await readyLmtp('PIPELINING', 'CHUNKING');
  const begun = upToContent(setup, ['250 ok']);
  await setup.peer.heard('.\r\n');
  setup.peer.say('250 ok\r\n');
  assert.deepEqual(kinds(await begun), ['accepted']);
  setup.session.destroy('end');
});

test('refuses to send content that is asked for without a recipient', async () => {
  const setup = await readyLmtp('PIPELINING');
  const begun = upToContent(setup, ['550 5.1.1 no', '550 5.1.1 no']);
  assert.deepEqual(kinds(await begun), ['refused rcpt', 'refused rcpt']);
  assert.equal(setup.peer.text, '');
  assert.equal(setup.session.isClosed, true);
});

test('DATA refused once is refused for every accepted recipient', async () => {
  const { session, peer } = await readyLmtp('PIPELINING');
  const begun = beginTransaction(session, permit(), envelope('a', 'b'), memory('x\r\n'));
  await peer.heard('DATA\r\n');
  peer.say('250 ok\r\n250 ok\r\n550 no\r\n452 4.3.1 no room\r\n');
  assert.deepEqual(kinds(await begun), ['refused data', 'refused rcpt']);
  session.destroy('end');
});

test('each reply to the content has its own time', async () => {
  const timeouts = { ...quickTimeouts, dataTerminationMs: 20 };
  const setup = await ready(['PIPELINING'], connect({ protocol: 'lmtp', timeouts }));
  const begun = upToContent(setup, ['250 ok', '250 ok']);
  await setup.peer.heard('.\r\n');
  setup.peer.say('250 ok\r\n');
  const { recipients } = await begun;
  assert.equal(recipients[0]!.kind, 'accepted');
  assert.ok(recipients[1]?.kind === 'lost' && recipients[1].loss.cause === 'timeout');
});

for (const protocol of ['smtp', 'lmtp'] as const) {
  for (const keywords of [['PIPELINING', 'CHUNKING', 'SIZE 5'], []]) {
    const how = keywords.length > 0 ? 'in one flight' : 'step by step';
    test(`asks about a recipient by ${protocol} ${how}, and sends no mail`, async () => {
      const { session, peer } = await ready(keywords, connect({ protocol }));
      const to = { localPart: 'ann', domain: 'them.example' };
      const asked = askAboutRecipient(session, permit(), to);
      await peer.heard('MAIL FROM:<>\r\n');
      peer.say('250 ok\r\n');
      await peer.heard('RCPT TO:<ann@them.example>\r\n');
      peer.say('252 2.1.5 perhaps\r\n');
      const { recipients } = await asked;
      assert.ok(recipients[0]?.kind === 'accepted' && recipients[0].reply.code === 252);
      assert.equal(peer.text, 'MAIL FROM:<>\r\nRCPT TO:<ann@them.example>\r\n');
      peer.forget();
      // What the question left open is reset before anything else is said.
      const next = askAboutRecipient(session, permit(), to);
      await peer.heard('RSET\r\n');
      assert.ok(peer.text.startsWith('RSET\r\n'));
      peer.drop();
      assert.deepEqual(kinds(await next), ['lost']);
    });
  }
}

test('a question needs a permit of its own', async () => {
  const { session, peer } = await ready(['PIPELINING']);
  const to = { localPart: 'ann', domain: 'them.example' };
  assert.throws(() => void askAboutRecipient(session, new Permit('c2', []), to));
  const spent = permit();
  spent.spend('c1');
  assert.throws(() => void askAboutRecipient(session, spent, to));
  await new Promise(setImmediate);
  assert.equal(peer.text, '');
  session.destroy('end');
});

for (const heard of ['', '250 ok\r\n', '250 ok\r\n250 ok\r\n', '250 ok\r\n550 no\r\n']) {
  test(`a server that goes away after ${JSON.stringify(heard)} loses the transaction, not us`, async () => {
    const { session, peer } = await ready([], connect({ protocol: 'lmtp' }));
    const result = beginTransaction(session, permit(), envelope('b', 'c', 'd'), memory('x\r\n'));
    await peer.heard('MAIL FROM');
    peer.say(heard);
    await new Promise(setImmediate);
    peer.drop();
    const { recipients } = await result;
    assert.equal(recipients.length, 3);
    assert.equal(recipients.at(-1)!.kind, 'lost');
  });
}
