/** Listeners behind a load balancer that speaks the PROXY protocol. */
import assert from 'node:assert/strict';
import test from 'node:test';
import ipaddr from 'ipaddr.js';
import { inboundConnector, patterns, policy } from '../../test/support/policy.ts';
import type { RawClient } from '../testing/raw-client.ts';
import { ClientTable, defaultClientRates } from './client-table.ts';
import { makeServerTls, runListener } from '../../test/support/receiving-rig.ts';
import { FakeServices } from './fake-services.ts';

const proxies = ['127.0.0.1/32'];

function headerOf(source: string, command = 0x21): Buffer {
  const from = Buffer.from(ipaddr.parse(source).toByteArray());
  const body = Buffer.concat([from, Buffer.alloc(from.length), Buffer.from([0x12, 0x34, 0, 25])]);
  const fixed = Buffer.from([command, from.length === 4 ? 0x11 : 0x21, 0, body.length]);
  return Buffer.concat([Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'), fixed, body]);
}

async function sendMail(client: RawClient): Promise<void> {
  await client.command('MAIL FROM:<a@sender.test>', 250);
  await client.command('RCPT TO:<user@example.test>', 250);
  await client.command('DATA', 354);
  await client.command('From: <a@sender.test>\r\n\r\nbody\r\n.', 250);
}

for (const source of ['192.0.2.9', '2001:db8::9', '::ffff:192.0.2.9']) {
  void test(`judges, traces and states the client ${source} that the proxy names`, async (t) => {
    const connector = inboundConnector('partner', {
      senderDomains: patterns('sender.test'),
      senderIPAddresses: ['192.0.2.9/32', '2001:db8::9/128'],
      restrictDomainsToIPAddresses: true,
    });
    const services = new FakeServices(policy({ inboundConnectors: [connector] }));
    const running = await runListener(t, {}, { proxies }, services);
    const client = await running.client();
    await client.send(headerOf(source));
    await client.expect(220);
    await client.command('EHLO client.test', 250);
    await sendMail(client);
    const [message] = services.accepted;
    const address = source.replace('::ffff:', '');
    assert.equal(message?.evidence?.peer.address, address);
    assert.equal(message.evidence.peer.port, 0x1234);
    assert.ok(services.textOf(message.content).includes(address));
    assert.equal((await services.logged('message accepted')).fields['client'], address);
    const stranger = await running.client();
    await stranger.send(headerOf('198.51.100.1'));
    await stranger.expect(220);
    await stranger.command('EHLO client.test', 250);
    await stranger.command('MAIL FROM:<a@sender.test>', 250);
    await stranger.command('RCPT TO:<user@example.test>', 550);
    assert.equal(services.refused[0]?.clientAddress, '198.51.100.1');
  });
}

void test('reads the header in any cut, and hands on what follows in the same packet', async (t) => {
  const services = new FakeServices(policy());
  const running = await runListener(t, {}, { proxies }, services);
  const client = await running.client();
  for (const byte of headerOf('192.0.2.9')) await client.send(Buffer.from([byte]));
  await client.expect(220);
  const early = await running.client();
  await early.send(Buffer.concat([headerOf('192.0.2.9'), Buffer.from('EHLO x\r\n')]));
  await early.expect(554);
});

void test('reads the header before the handshake of implicit TLS', async (t) => {
  const services = new FakeServices(policy());
  services.tls = await makeServerTls();
  const running = await runListener(t, {}, { proxies, tls: 'implicit' }, services);
  const client = await running.client();
  // Without a pause the ClientHello comes in the same flight.
  void client.send(headerOf('2001:db8::9'));
  await client.startTls();
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  await sendMail(client);
  const { evidence } = services.accepted[0]!;
  assert.equal(evidence?.peer.address, '2001:db8::9');
  assert.equal(evidence.encryption, 'established');
});

void test('believes no header of an address that is not listed, and serves it as itself', async (t) => {
  const services = new FakeServices(policy());
  const running = await runListener(t, {}, { proxies: ['127.0.0.3/32'] }, services);
  const liar = await running.client();
  await liar.send(headerOf('192.0.2.9'));
  await liar.expect(554);
  const client = await running.greeted();
  await sendMail(client);
  assert.equal(services.accepted[0]?.evidence?.peer.address, '127.0.0.1');
});

for (const [fact, bytes, words] of [
  ['no header', 'EHLO x\r\n', /is missing/],
  ['version 1', 'PROXY TCP4 192.0.2.9 192.0.2.1 4660 25\r\n', /version 1.*send-proxy-v2/],
  ['half a header that ends', headerOf('192.0.2.9').subarray(0, 20), /did not come/],
] as const) {
  void test(`closes without a word where a listed address sends ${fact}, and logs why`, async (t) => {
    const services = new FakeServices(policy());
    const running = await runListener(t, {}, { proxies }, services);
    const client = await running.client();
    await client.send(Buffer.from(bytes));
    client.end();
    await client.ended();
    assert.equal(client.transcript, '');
    const line = await services.logged('session refused');
    assert.match(String(line.fields['reason']), words);
    assert.deepEqual([...services.counts.keys()], ['sessionsRefused mx proxy']);
  });
}

void test('waits for the header only so long, and ends with the listener', async (t) => {
  const services = new FakeServices(policy());
  const running = await runListener(t, { proxyTimeoutMs: 100 }, { proxies }, services);
  await (await running.client()).ended();
  const line = await services.logged('session refused');
  assert.match(String(line.fields['reason']), /did not come within 100 ms/);
  const slow = await runListener(t, { proxyTimeoutMs: 60_000 }, { proxies });
  const waiting = await slow.client();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await slow.listener.stop(1000);
  await waiting.ended();
});

void test('takes LOCAL as the proxy itself, outside of every bound per address', async (t) => {
  const services = new FakeServices(policy());
  services.clients = new ClientTable({ ...defaultClientRates, sessionsPerMinuteMax: 1 });
  const running = await runListener(t, { sessionsPerAddressMax: 1 }, { proxies }, services);
  for (let i = 0; i < 4; i++) {
    const client = await running.client();
    await client.send(headerOf('0.0.0.0', 0x20));
    await client.expect(220);
  }
});

void test('holds the bounds for the client, not for the proxy', async (t) => {
  const running = await runListener(t, { sessionsPerAddressMax: 2 }, { proxies });
  const open = async (source: string): Promise<RawClient> => {
    const client = await running.client();
    await client.send(headerOf(source));
    return client;
  };
  for (const source of ['2001:db8::1', '2001:db8::2', '192.0.2.1', '192.0.2.2', '192.0.2.3']) {
    await (await open(source)).expect(220);
  }
  await (await open('2001:db8::3')).expect(421);
  await (await open('2001:db8:0:1::3')).expect(220);
});
