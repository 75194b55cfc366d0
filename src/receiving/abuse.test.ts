/** What a hostile client can do to a listener, on raw sockets: each bound with its code and count. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { RawClient } from '../testing/raw-client.ts';
import { ClientTable, defaultClientRates } from './client-table.ts';
import { FakeServices } from './fake-services.ts';
import { policy } from '../../test/support/policy.ts';
import { makeServerTls, runListener } from '../../test/support/receiving-rig.ts';
import { headerBytesMax } from './settings.ts';

const header = 'From: <a@sender.test>\r\nSubject: x\r\n\r\n';

async function openContent(client: RawClient): Promise<void> {
  await client.command('MAIL FROM:<a@sender.test>', 250);
  await client.command('RCPT TO:<user@example.test>', 250);
  await client.command('DATA', 354);
}

void test('answers who speaks before the greeting at once, although the greeting waits', async (t) => {
  const running = await runListener(t, { greetingDelayMs: 60_000 });
  const client = await running.client();
  await delay(20);
  await client.send(`EHLO client.test\r\n${'NOOP\r\n'.repeat(10_000)}`);
  assert.match((await client.expect(554)).text, /before the greeting/);
  await client.ended();
  assert.deepEqual(
    [...running.services.counts.keys()],
    ['sessionsOpened mx', 'sessionsRefused mx early-talk'],
  );
});

void test('lets a silent stranger wait for the greeting, and nobody who sent mail before', async (t) => {
  const running = await runListener(t, { greetingDelayMs: 1500 });
  const startedAt = performance.now();
  const client = await running.greeted();
  assert.ok(performance.now() - startedAt >= 1490);
  await openContent(client);
  await client.command(`${header}body\r\n.`, 250);
  const againAt = performance.now();
  await running.greeted();
  assert.ok(performance.now() - againAt < 1400);
});

void test('ends a session whose text follows STARTTLS in clear', async (t) => {
  const running = await runListener(t);
  const client = await running.greeted();
  await client.send('STARTTLS\r\nEHLO evil\r\n');
  await client.expect(554);
  await client.ended();
  assert.ok(running.services.counts.has('sessionsRefused mx text-after-starttls'));
});

void test('ends a session at a command line without end, buffering no more of it', async (t) => {
  const running = await runListener(t);
  const client = await running.greeted();
  await client.send(`NOOP ${'x'.repeat(500_000)}`).catch(() => undefined);
  await client.expect(500);
  await client.ended();
  assert.ok(running.services.counts.has('sessionsRefused mx line-too-long'));
});

void test('takes lines up to the bound and refuses longer ones, keeping the session', async (t) => {
  const running = await runListener(t, { lineBytesMax: 5000 });
  const client = await running.greeted();
  await openContent(client);
  await client.command(`${header}${'x'.repeat(4998)}\r\n.`, 250);
  await openContent(client);
  assert.match((await client.command(`${header}${'x'.repeat(4999)}\r\n.`)).text, /^550 5\.6\.0 /);
  await client.command('NOOP', 250);
  assert.equal(running.services.accepted.length, 1);
  assert.ok(running.services.counts.has('mailRefused mx 550'));
  assert.ok(running.services.counts.has('messagesAccepted mx none'));
});

void test('refuses a NUL in a command and in a content', async (t) => {
  const running = await runListener(t);
  const client = await running.greeted();
  await client.command('NOOP \0', 500);
  await openContent(client);
  assert.match((await client.command(`${header}a\0b\r\n.`)).text, /^550 5\.6\.0 /);
  assert.equal(running.services.accepted.length, 0);
});

void test('refuses a header above 256 KB and keeps nothing of it', async (t) => {
  const running = await runListener(t);
  const client = await running.greeted();
  await openContent(client);
  const line = `X-Filler: ${'x'.repeat(980)}\r\n`;
  await client.send(line.repeat(Math.ceil(headerBytesMax / line.length) + 1));
  assert.match((await client.command(`\r\nbody\r\n.`)).text, /^552 5\.3\.4 /);
  assert.equal(running.services.contentMemory.usedBytes, 0);
});

void test('passes ten thousand nested multiparts as it passes flat text', async (t) => {
  const running = await runListener(t, { messageSizeBytesMax: 4 * 1024 * 1024 });
  const client = await running.greeted();
  let nested = 'From: <a@sender.test>\r\n';
  for (let depth = 0; depth < 10_000; depth++) {
    nested += `Content-Type: multipart/mixed; boundary="b${depth}"\r\n\r\n--b${depth}\r\n`;
  }
  const flat = `${header}${`${'x'.repeat(70)}\r\n`.repeat(Math.ceil(nested.length / 72))}`;
  const took: number[] = [];
  for (const content of [flat, nested]) {
    await openContent(client);
    const startedAt = performance.now();
    await client.command(`${content}.`, 250);
    took.push(performance.now() - startedAt);
  }
  assert.ok(took[1]! < 10 * took[0]! + 500, `flat and nested took ${took.join(' and ')} ms`);
});

const slowness = { contentBytesPerSecondMin: 2000, slowAfterMs: 200, dataTimeoutMs: 400 };

for (const by of ['DATA', 'BDAT']) {
  void test(`ends a content that trickles in by ${by}`, async (t) => {
    const running = await runListener(t, slowness);
    const client = await running.greeted();
    await client.command('MAIL FROM:<a@sender.test>', 250);
    await client.command('RCPT TO:<user@example.test>', 250);
    await client.send(by === 'DATA' ? 'DATA\r\n' : 'BDAT 5000 LAST\r\n');
    if (by === 'DATA') await client.expect(354);
    const trickle = setInterval(() => void client.send('x').catch(() => undefined), 20);
    t.after(() => clearInterval(trickle));
    assert.match((await client.expect(421)).text, /^421 4\.4\.2 the content comes too slowly/);
    assert.ok(running.services.counts.has('sessionsRefused mx too-slow'));
  });
}

void test('bears pauses of a content that is fast enough on the whole', async (t) => {
  const running = await runListener(t, slowness);
  const client = await running.greeted();
  await openContent(client);
  await client.send(`${header}${`${'x'.repeat(78)}\r\n`.repeat(100)}`);
  for (let i = 0; i < 5; i++) {
    await delay(150);
    await client.send('x\r\n');
  }
  await client.command('.', 250);
});

void test('gives a command its time as a whole, however its octets trickle', async (t) => {
  const running = await runListener(t, { commandTimeoutMs: 200 });
  const client = await running.greeted();
  const trickle = setInterval(() => void client.send('N').catch(() => undefined), 20);
  t.after(() => clearInterval(trickle));
  await client.expect(421);
  assert.ok(running.services.counts.has('sessionsRefused mx timeout'));
});

void test('lets an address open so many sessions in a minute', async (t) => {
  const services = new FakeServices(policy());
  services.clients = new ClientTable({ ...defaultClientRates, sessionsPerMinuteMax: 3 });
  const running = await runListener(t, {}, {}, services);
  for (let i = 0; i < 3; i++) (await running.greeted()).close();
  const refused = await running.client();
  assert.match((await refused.expect(421)).text, /^421 4\.7\.0 too many new sessions/);
  await refused.ended();
  await running.greeted({ localAddress: '127.0.0.2' });
  assert.ok(services.counts.has('sessionsRefused mx session-rate'));
});

void test('ends a session whose address began too many handshakes, rather than leave it in clear', async (t) => {
  const services = new FakeServices(policy());
  services.clients = new ClientTable({ ...defaultClientRates, handshakesPerMinuteMax: 0 });
  const running = await runListener(t, {}, {}, services);
  const client = await running.greeted();
  assert.match((await client.command('STARTTLS', 421)).text, /^421 4\.7\.0 /);
  await client.ended();
  assert.ok(services.counts.has('sessionsRefused mx handshake-rate'));
  const implicit = await runListener(t, {}, { tls: 'implicit' }, services);
  await (await implicit.client()).ended();
});

void test('waits less long for idle sessions while the listener is nearly full', async (t) => {
  const running = await runListener(t, { sessionsMax: 5, crowdedIdleMs: 100, sessionMs: 10_000 });
  const clients = await Promise.all(Array.from({ length: 4 }, () => running.greeted()));
  await delay(400);
  for (const client of clients) await client.command('NOOP', 250);
  const fifth = await running.greeted();
  await fifth.command('MAIL FROM:<a@sender.test>', 250);
  const sixth = await running.client();
  assert.match((await sixth.expect(421)).text, /^421 4\.3\.2 too many sessions/);
  const said = await Promise.all(clients.map((client) => client.expect(421)));
  assert.match(said[0]!.text, /^421 4\.3\.2 this server is busy/);
  // One with an open transaction is at work.
  await fifth.command('RSET', 250);
  assert.ok(running.services.counts.has('sessionsRefused mx too-many-sessions'));
});

void test('refuses AUTH from an address whose passwords were wrong, in each session', async (t) => {
  const services = new FakeServices(policy());
  services.clients = new ClientTable({ ...defaultClientRates, authFailuresPerHourMax: 4 });
  services.tls = await makeServerTls();
  services.accounts.set('ann right', { organization: 'org', account: 'ann' });
  const settings = { kind: 'submission', tls: 'implicit', name: 'submissions' } as const;
  const running = await runListener(t, { authFailuresMax: 3 }, settings, services);
  const secret = (password: string): string => Buffer.from(`\0ann\0${password}`).toString('base64');
  const first = await running.greeted({ implicitTls: {} });
  for (const code of [535, 535, 421]) await first.command(`AUTH PLAIN ${secret('wrong')}`, code);
  const second = await running.greeted({ implicitTls: {} });
  await second.command(`AUTH PLAIN ${secret('wrong')}`, 535);
  const third = await running.greeted({ implicitTls: {} });
  assert.match((await third.command(`AUTH PLAIN ${secret('right')}`, 421)).text, /^421 4\.7\.0 /);
  const elsewhere = await running.greeted({ implicitTls: {}, localAddress: '127.0.0.2' });
  await elsewhere.command(`AUTH PLAIN ${secret('right')}`, 235);
  assert.ok(services.counts.has('sessionsRefused submissions auth-guessing'));
});
