/** Listeners in clear: policy on the wire, bounds, time, and the end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { address, inboundConnector, patterns, policy } from '../../test/support/policy.ts';
import type { RawClient } from '../testing/raw-client.ts';
import { connectRaw } from '../testing/raw-client.ts';
import { Failure } from '../mail/failure.ts';
import { reply } from '../mail/reply.ts';
import { FakeServices } from './fake-services.ts';
import type { Listener } from './listener.ts';
import { startListener } from './listener.ts';
import { MemoryBudget } from './memory-budget.ts';
import type { ListenerLimits, ListenerSettings } from './settings.ts';
import { defaultLimits } from './settings.ts';

interface Running {
  readonly services: FakeServices;
  readonly listener: Listener;
  client(options?: { localAddress?: string }): Promise<RawClient>;
}

async function start(
  t: TestContext,
  services = new FakeServices(policy()),
  limits: Partial<ListenerLimits> = {},
  part: Partial<ListenerSettings> = {},
): Promise<Running> {
  const listener = await startListener(
    {
      name: 'mx',
      host: '127.0.0.1',
      port: 0,
      kind: 'mx',
      tls: 'starttls',
      requestClientCertificate: false,
      bareLineBreaks: 'refuse',
      proxies: [],
      sharesPort: false,
      limits: { ...defaultLimits, authFailureDelayMs: 1, ...limits },
      ...part,
    },
    services,
  );
  const clients: RawClient[] = [];
  t.after(async () => {
    for (const client of clients) client.close();
    await listener.stop(0);
    assert.equal(services.contentMemory.usedBytes, 0, 'memory that nobody gave back');
  });
  return {
    services,
    listener,
    client: async (options = {}) => {
      const client = await connectRaw({ port: listener.address.port, ...options });
      clients.push(client);
      return client;
    },
  };
}

async function greeted(running: Running): Promise<RawClient> {
  const client = await running.client();
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  return client;
}

async function openTransaction(running: Running): Promise<RawClient> {
  const client = await greeted(running);
  await client.command('MAIL FROM:<a@sender.test>', 250);
  await client.command('RCPT TO:<user@example.test>', 250);
  return client;
}

const header = 'From: <a@sender.test>\r\nSubject: x\r\n\r\n';

void test('takes a message for a mailbox and answers 250 only when it is durable', async (t) => {
  const services = new FakeServices(policy());
  const order: string[] = [];
  services.onAccept = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    order.push('durable');
  };
  const client = await openTransaction(await start(t, services));
  await client.command('DATA', 354);
  await client.send(`${header}..body\r\n.\r\n`);
  const answer = await client.expect(250);
  order.push('250');
  assert.deepEqual(order, ['durable', '250']);
  assert.match(answer.text, /^250 2\.0\.0 accepted as ID1\r\n$/);
  const [message] = services.accepted;
  assert.equal(message?.id, 'ID1');
  assert.equal(message.organization, 'org');
  assert.deepEqual(message.reversePath, address('a@sender.test'));
  assert.deepEqual(message.recipients, [address('user@example.test')]);
  assert.deepEqual(message.source, { kind: 'mx', inboundConnectors: [], isForced: false });
  assert.equal(message.evidence?.encryption, 'not-used');
  const text = services.textOf(message.content).replace(/\r\n\t/g, ' ');
  assert.match(
    text,
    /^Received: from client\.test \(\[127\.0\.0\.1\]\) by mx\.example\.test \(Postern\) with ESMTP id ID1 for <user@example\.test>; .*\r\nFrom: /,
  );
  assert.ok(text.endsWith('\r\n\r\n.body\r\n'));
  const line = await services.logged('message accepted');
  assert.deepEqual(
    [line.fields['queueId'], line.fields['from'], line.fields['recipients'], line.fields['tls']],
    ['ID1', '<a@sender.test>', 1, 'clear text'],
  );
});

void test('hands on what MAIL and RCPT declared, and what came by BDAT', async (t) => {
  const running = await start(t);
  const client = await greeted(running);
  const text = `${header}body`;
  await client.send(
    'MAIL FROM:<a@sender.test> SMTPUTF8 RET=HDRS ENVID=QQ314\r\n' +
      'RCPT TO:<user@example.test> NOTIFY=DELAY ORCPT=rfc822;old@example.test\r\n' +
      `BDAT 10\r\n${text.slice(0, 10)}BDAT ${text.length - 10} LAST\r\n${text.slice(10)}`,
  );
  for (const code of [250, 250, 250]) await client.expect(code);
  assert.match((await client.expect(250)).text, /accepted as ID1/);
  const [message] = running.services.accepted;
  assert.deepEqual(message?.dsn, { ret: 'headers', envelopeId: 'QQ314' });
  assert.equal(message.smtpUtf8, true);
  assert.equal(message.bodyType, '7bit');
  assert.deepEqual(message.recipients, [
    {
      ...address('user@example.test'),
      notify: ['delay'],
      originalRecipient: { type: 'rfc822', text: 'old@example.test' },
    },
  ]);
  const stored = running.services.textOf(message.content);
  assert.match(stored, /with\s+UTF8SMTP\s+id\s+ID1/);
  assert.ok(stored.endsWith('\r\n\r\nbody\r\n'));
});

void test('gives the memory back where a content begun by BDAT is forgotten', async (t) => {
  const running = await start(t);
  const client = await openTransaction(running);
  await client.send('BDAT 4\r\nA: b');
  await client.expect(250);
  assert.ok(running.services.contentMemory.usedBytes > 0);
  await client.command('RSET', 250);
  assert.equal(running.services.contentMemory.usedBytes, 0);
  assert.equal(running.services.accepted.length, 0);
});

void test('takes a message with bare line breaks where the listener normalizes them', async (t) => {
  const running = await start(t, undefined, {}, { bareLineBreaks: 'normalize' });
  const client = await openTransaction(running);
  await client.command('DATA', 354);
  await client.send(`${header}one\n.\nMAIL FROM:<evil@sender.test>\r\n.\r\n`);
  await client.expect(250);
  const stored = running.services.textOf(running.services.accepted[0]!.content);
  assert.ok(stored.endsWith('\r\n\r\none\r\n.\r\nMAIL FROM:<evil@sender.test>\r\n'));
});

void test('takes message after message, and a whole flight in one write', async (t) => {
  const running = await start(t);
  const client = await greeted(running);
  const flight = 'MAIL FROM:<a@sender.test>\r\nRCPT TO:<user@example.test>\r\nDATA\r\n';
  await client.send(flight);
  for (let i = 0; i < 50; i++) {
    for (const code of [250, 250, 354]) await client.expect(code);
    await client.send(`${header}${i}\r\n.\r\n${i < 49 ? flight : 'QUIT\r\n'}`);
    await client.expect(250);
  }
  await client.expect(221);
  await client.ended();
  assert.equal(running.services.accepted.length, 50);
  assert.ok(running.services.textOf(running.services.accepted[31]!.content).endsWith('\r\n31\r\n'));
});

const refusals: readonly (readonly [fact: string, from: string, to: string, reply: RegExp])[] = [
  ['an unknown mailbox', 'a@sender.test', 'nobody@example.test', /^550 5\.4\.1 .* \[ID1\]\r\n/],
  ['to relay', 'a@sender.test', 'a@elsewhere.test', /^550 5\.7\.1 .* \[ID1\]\r\n/],
  ['our own domain from outside', 'user@example.test', 'user@example.test', /^550 5\.7\.68 /],
];

for (const [fact, from, to, expected] of refusals) {
  void test(`refuses ${fact} at RCPT, with an id that log and trace know`, async (t) => {
    const running = await start(t);
    const client = await greeted(running);
    await client.command(`MAIL FROM:<${from}>`, 250);
    assert.match((await client.command(`RCPT TO:<${to}>`)).text, expected);
    await client.command('DATA', 554);
    const [record] = running.services.refused;
    assert.equal(record?.id, 'ID1');
    assert.deepEqual(record.recipient, address(to));
    assert.match(record.reply.lines.at(-1)!, /\[ID1\]$/);
    const line = await running.services.logged('recipient refused');
    assert.equal(line.fields['refusalId'], 'ID1');
    assert.equal(line.fields['tls'], 'clear text');
  });
}

void test('refuses clear text where a partner connector requires TLS: 454, after an hour 550', async (t) => {
  const connector = inboundConnector('partner', {
    senderDomains: patterns('sender.test'),
    requireTls: true,
  });
  const running = await start(t, new FakeServices(policy({ inboundConnectors: [connector] })));
  const { services } = running;
  const client = await greeted(running);
  await client.command('MAIL FROM:<a@sender.test>', 250);
  const first = await client.command('RCPT TO:<user@example.test>', 454);
  assert.match(first.text, /^454 4\.7\.0 .*"partner".*\[ID1\]\r\n$/);
  services.nowMs += 3_599_999;
  await client.command('RCPT TO:<user@example.test>', 454);
  services.nowMs += 1;
  await client.command('RCPT TO:<user@example.test>', 550);
  assert.equal(services.lines.at(-1)!.fields['connector'], 'partner');
  assert.equal(services.accepted.length, 0);
});

void test('keeps the policy of MAIL FROM for the whole transaction', async (t) => {
  const running = await start(t);
  const client = await greeted(running);
  await client.command('MAIL FROM:<a@sender.test>', 250);
  running.services.currentPolicy = policy({ mailboxes: [] });
  await client.command('RCPT TO:<user@example.test>', 250);
  await client.command('RSET', 250);
  await client.command('MAIL FROM:<a@sender.test>', 250);
  await client.command('RCPT TO:<user@example.test>', 550);
});

void test('delivers once to a recipient named twice, and knows the bare Postmaster', async (t) => {
  const mailboxes = [
    {
      account: 'user',
      addresses: [address('user@example.test'), address('postmaster@example.test')],
    },
  ];
  const running = await start(t, new FakeServices(policy({ mailboxes })));
  const client = await openTransaction(running);
  await client.command('RCPT TO:<user@example.test>', 250);
  await client.command('RCPT TO:<Postmaster>', 250);
  await client.command('DATA', 354);
  await client.command(`${header}\r\n.`, 250);
  const [message] = running.services.accepted;
  assert.deepEqual(message!.recipients, mailboxes[0]!.addresses);
  assert.doesNotMatch(running.services.textOf(message!.content), / for </);
});

void test('refuses content with a bare line feed after its real end, smuggling nothing', async (t) => {
  const running = await start(t);
  const client = await openTransaction(running);
  await client.command('DATA', 354);
  await client.send(`${header}x\n.\r\nMAIL FROM:<evil@sender.test>\r\n.\r\nNOOP\r\n`);
  assert.match((await client.reply()).text, /^550 5\.6\.11 .* \[ID2\]\r\n$/);
  assert.match((await client.reply()).text, /^250 2\.0\.0 ok\r\n$/);
  assert.equal(running.services.accepted.length, 0);
  assert.equal(running.services.refused[0]?.recipient, null);
  const { organization } = running.services.refused[0].decision as { organization: unknown };
  assert.equal(organization, 'org');
});

void test('refuses a message in a loop, and a header without end', async (t) => {
  const running = await start(t);
  const client = await openTransaction(running);
  await client.command('DATA', 354);
  assert.match(
    (await client.command(`${'Received: x\r\n'.repeat(51)}\r\n.`)).text,
    /^554 5\.4\.6 /,
  );
  await client.command('MAIL FROM:<a@sender.test>', 250);
  await client.command('RCPT TO:<user@example.test>', 250);
  await client.command('DATA', 354);
  const field = `X: ${'x'.repeat(500)}\r\n`;
  assert.match((await client.command(`${field.repeat(600)}\r\n.`)).text, /^552 5\.3\.4 /);
  assert.equal(running.services.accepted.length, 0);
});

void test('restricts a bounce by the domain of its From', async (t) => {
  const connector = inboundConnector('partner', {
    senderDomains: patterns('partner.test'),
    restrictDomainsToIPAddresses: true,
    senderIPAddresses: ['192.0.2.1/32'],
  });
  const running = await start(t, new FakeServices(policy({ inboundConnectors: [connector] })));
  const client = await greeted(running);
  for (const [from, code] of [
    ['a@partner.test', 550],
    ['a@sender.test', 250],
  ] as const) {
    await client.command('MAIL FROM:<>', 250);
    await client.command('RCPT TO:<user@example.test>', 250);
    await client.command('DATA', 354);
    await client.command(`From: <${from}>\r\n\r\nx\r\n.`, code);
  }
  assert.equal(running.services.accepted.length, 1);
});

void test('streams large content into the spool, Received first, memory given back', async (t) => {
  const running = await start(t, new FakeServices(policy()), { memoryContentBytesMax: 1000 });
  const { services } = running;
  const client = await openTransaction(running);
  await client.command('DATA', 354);
  const body = `${'y'.repeat(998)}\r\n`.repeat(500);
  await client.send(`${header}${body}.\r\n`);
  await client.expect(250);
  const [message] = services.accepted;
  assert.equal(message!.content.kind, 'spool');
  const text = services.textOf(message!.content);
  assert.match(text, /^Received: /);
  assert.ok(text.endsWith(`${header}${body}`));
  assert.equal(services.files[0]!.organization, 'org');
  assert.equal(services.files[0]!.state, 'finished');
});

void test('removes the spool file of a message that is refused, lost or not taken', async (t) => {
  const running = await start(t, new FakeServices(policy()), { memoryContentBytesMax: 1000 });
  const { services } = running;
  const body = `${'y'.repeat(998)}\r\n`.repeat(20);
  let client = await openTransaction(running);
  await client.command('DATA', 354);
  await client.command(`${header}${body}bare\nline\r\n.`, 550);
  assert.equal(services.files[0]!.state, 'abandoned');
  services.onAccept = () => Promise.reject(new Failure('store-full', 'disk full'));
  await client.command('MAIL FROM:<a@sender.test>', 250);
  await client.command('RCPT TO:<user@example.test>', 250);
  await client.command('DATA', 354);
  await client.command(`${header}${body}.`, 452);
  assert.equal(services.files[1]!.state, 'abandoned');
  client = await openTransaction(running);
  await client.command('DATA', 354);
  await client.send(`${header}${body}`);
  while (services.files.length < 3) await new Promise((resolve) => setImmediate(resolve));
  client.reset();
  while (services.files[2]!.state === 'open') await new Promise((resolve) => setImmediate(resolve));
  assert.equal(services.files[2]!.state, 'abandoned');
});

for (const [fact, error, expected] of [
  [
    'a full store',
    new Failure('store-full', 'x', { wireText: 'no space' }),
    /^452 4\.3\.1 no space/,
  ],
  ['a full queue', new Failure('queue-full', 'x'), /^452 4\.3\.1 /],
  ['a broken store', new Failure('store-io', 'x'), /^451 4\.3\.0 /],
  ['anything else', new Error('secret detail'), /^451 4\.3\.0 try again later\r\n/],
] as const) {
  void test(`answers ${fact} with a transient failure`, async (t) => {
    const services = new FakeServices(policy());
    services.onAccept = () => Promise.reject(error);
    const client = await openTransaction(await start(t, services));
    await client.command('DATA', 354);
    assert.match((await client.command(`${header}\r\n.`)).text, expected);
    await client.command('NOOP', 250);
  });
}

void test('answers a failing spool with a transient failure, after the content', async (t) => {
  const services = new FakeServices(policy());
  services.onSpoolWrite = () => Promise.reject(new Failure('store-full', 'x'));
  const client = await openTransaction(await start(t, services, { memoryContentBytesMax: 10 }));
  await client.command('DATA', 354);
  await client.command(`${header}${'body\r\n'.repeat(50_000)}.`, 452);
  assert.equal(services.files[0]!.state, 'abandoned');
});

void test('passes back-pressure of the queue on at MAIL', async (t) => {
  const services = new FakeServices(policy());
  services.admission = reply(452, '4.3.1', 'queue full');
  const client = await greeted(await start(t, services));
  assert.match((await client.command('MAIL FROM:<a@sender.test>')).text, /^452 4\.3\.1 queue full/);
});

void test('answers DATA 452 when there is no memory for the content in time', async (t) => {
  const services = new FakeServices(policy());
  services.contentMemory = new MemoryBudget(100_000);
  const running = await start(t, services, { memoryContentBytesMax: 60_000, memoryWaitMs: 30 });
  const first = await openTransaction(running);
  await first.command('DATA', 354);
  const second = await openTransaction(running);
  assert.match((await second.command('DATA')).text, /^452 4\.3\.1 /);
  const waiting = second.command('DATA', 354);
  await first.command(`${header}\r\n.`, 250);
  await waiting;
  await second.command(`${header}\r\n.`, 250);
});

void test('goes to the spool when memory runs out while content arrives', async (t) => {
  const services = new FakeServices(policy());
  services.contentMemory = new MemoryBudget(20_000);
  const running = await start(t, services);
  const client = await greeted(running);
  await client.command('MAIL FROM:<a@sender.test> SIZE=1000', 250);
  await client.command('RCPT TO:<user@example.test>', 250);
  await client.command('DATA', 354);
  await client.command(`${header}${'body\r\n'.repeat(10_000)}.`, 250);
  assert.equal(services.accepted[0]!.content.kind, 'spool');
});

void test('refuses text before the greeting', async (t) => {
  const running = await start(t, new FakeServices(policy()), { greetingDelayMs: 50 });
  const client = await running.client();
  await client.send('EHLO early.test\r\n');
  assert.match((await client.reply()).text, /^554 5\.5\.1 /);
  await client.ended();
});

void test('greets nobody before the rooms behind it are open', async (t) => {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const services = Object.assign(new FakeServices(policy()), { opened });
  const running = await start(t, services, { commandTimeoutMs: 50 });
  const [client, gone] = await Promise.all([running.client(), running.client()]);
  gone.reset();
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(client.transcript, '');
  open();
  await client.expect(220);
});

void test('sends away who guesses addresses', async (t) => {
  const client = await greeted(await start(t, new FakeServices(policy()), { refusalsMax: 3 }));
  await client.command('MAIL FROM:<a@sender.test>', 250);
  await client.command('RCPT TO:<b@example.test>', 550);
  await client.command('RCPT TO:<c@example.test>', 550);
  await client.command('RCPT TO:<d@example.test>', 550);
  await client.expect(421);
  await client.ended();
});

void test('bounds sessions in all and per address', async (t) => {
  const running = await start(t, new FakeServices(policy()), {
    sessionsMax: 2,
    sessionsPerAddressMax: 1,
  });
  const first = await greeted(running);
  assert.match((await (await running.client()).reply()).text, /^421 4\.7\.0 /);
  const other = await running.client({ localAddress: '127.0.0.2' });
  await other.expect(220);
  const third = await running.client({ localAddress: '127.0.0.3' });
  assert.match((await third.reply()).text, /^421 4\.3\.2 /);
  await first.command('QUIT', 221);
  await first.ended();
  first.close();
  await other.command('NOOP', 250);
});

void test('gives a silent client up: in command, in content, and in the session as a whole', async (t) => {
  const slow = await start(t, new FakeServices(policy()), { commandTimeoutMs: 80 });
  const silent = await greeted(slow);
  const partial = await greeted(slow);
  await partial.send('NOO');
  assert.match((await silent.reply()).text, /^421 4\.4\.2 /);
  await silent.ended();
  assert.match((await partial.reply()).text, /^421 4\.4\.2 /);
  const data = await start(t, new FakeServices(policy()), { dataTimeoutMs: 80 });
  const sending = await openTransaction(data);
  await sending.command('DATA', 354);
  await sending.send('Subject: x\r\n');
  assert.match((await sending.reply()).text, /^421 4\.4\.2 /);
  const short = await start(t, new FakeServices(policy()), { sessionMs: 100 });
  const busy = await greeted(short);
  while (!busy.transcript.includes('\r\n421 4.4.2 ')) {
    await busy.send('NOOP\r\n').catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});

void test('bounds what it holds for a client that does not read its replies', async (t) => {
  const running = await start(t, new FakeServices(policy()), {
    commandTimeoutMs: 200,
    commandsMax: 1e9,
  });
  const socket = net.connect(running.listener.address.port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  await once(socket, 'data');
  socket.pause();
  const flood = Buffer.from('HELP\r\n'.repeat(10_000));
  let sent = 0;
  const timer = setInterval(() => {
    while (!socket.writableNeedDrain && !socket.destroyed && socket.writableLength < 1e6) {
      socket.write(flood);
      sent += flood.length;
    }
  }, 5);
  t.after(() => {
    clearInterval(timer);
    socket.destroy();
  });
  // It reads no replies, so it cannot see the end: a write fails once we gave it up.
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(timer);
  assert.ok(sent < 30e6, `it took ${sent} bytes`);
});

void test('stops: 421 to the idle, time for those within a transaction, then the end', async (t) => {
  const running = await start(t);
  const idle = await greeted(running);
  const busy = await openTransaction(running);
  await busy.command('DATA', 354);
  const stuck = await openTransaction(running);
  const stopped = running.listener.stop(300);
  assert.match((await idle.reply()).text, /^421 4\.3\.2 /);
  await idle.ended();
  idle.close();
  await busy.send(`${header}\r\n.\r\nMAIL FROM:<a@sender.test>\r\n`);
  await busy.expect(250);
  await busy.expect(421);
  busy.close();
  await assert.rejects(running.client());
  await stopped;
  assert.equal(running.services.accepted.length, 1);
  await stuck.ended();
});

void test('stop waits for a message that is being accepted although its client is gone', async (t) => {
  const services = new FakeServices(policy());
  let release = (): void => undefined;
  services.onAccept = () => new Promise<void>((resolve) => (release = resolve));
  const running = await start(t, services);
  const client = await openTransaction(running);
  await client.command('DATA', 354);
  await client.send(`${header}\r\n.\r\n`);
  while (services.contentMemory.usedBytes === 0) await new Promise((r) => setImmediate(r));
  await new Promise((r) => setTimeout(r, 30));
  client.reset();
  let isStopped = false;
  const stopped = running.listener.stop(10).then(() => (isStopped = true));
  await new Promise((r) => setTimeout(r, 50));
  assert.equal(isStopped, false);
  release();
  await stopped;
  assert.equal(services.accepted.length, 1);
});

void test('says which address it cannot listen on', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as net.AddressInfo;
  const settings: ListenerSettings = {
    name: 'mx',
    host: '127.0.0.1',
    port,
    kind: 'mx',
    tls: 'starttls',
    requestClientCertificate: false,
    bareLineBreaks: 'refuse',
    proxies: [],
    sharesPort: false,
    limits: defaultLimits,
  };
  await assert.rejects(startListener(settings, new FakeServices(policy())), (error) => {
    return error instanceof Failure && error.code === 'listen-failed' && /127/.test(error.message);
  });
  taken.close();
});

void test('refuses MAIL on a submission listener in clear, and offers no AUTH there', async (t) => {
  const running = await start(t, new FakeServices(policy()), {}, { kind: 'submission' });
  const client = await running.client();
  await client.expect(220);
  const hello = await client.command('EHLO client.test', 250);
  assert.doesNotMatch(hello.text, /AUTH/);
  assert.match((await client.command('AUTH PLAIN AGEAYg==')).text, /^538 5\.7\.11 /);
  assert.match((await client.command('MAIL FROM:<user@example.test>')).text, /^530 5\.7\.0 /);
});
