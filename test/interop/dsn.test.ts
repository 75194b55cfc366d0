/** What a sender is told when mail is given up: at once or at the end, never too much, never twice. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeCa, makeLeaf } from '../../src/testing/certificates.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import type { FakePartner } from '../../src/testing/fake-partner.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { waitFor } from '../support/ports.ts';
import { connectRaw } from '../../src/testing/raw-client.ts';
import { queueIdIn, submit } from '../support/submit.ts';

const ca = makeCa('Partner CA');
const leaf = makeLeaf(ca, ['mx.partner.test']);
const refusal = '550 5.1.1 no such clerk in this bank';

let refusing: FakePartner;
let clearOnly: FakePartner;
let gateway: RunningGateway;
/** Accepted first of all, as their minute is the longest part of this file. */
let forcedId: string;

before(async () => {
  refusing = await startFakePartner({
    tls: { cert: leaf.pem, key: leaf.keyPem },
    reply: ({ command }) => (command === 'RCPT' ? refusal : null),
  });
  clearOnly = await startFakePartner({
    reply: ({ command, line }) =>
      command === 'RCPT' && line.includes('bounces@') ? '550 5.2.1 no mail for you' : null,
  });
  const forced = {
    tlsSettings: 'DomainValidation',
    tlsDomain: 'mx.partner.test',
    anchors: 'tls/partner.pem',
  };
  const to = (domain: string, { port }: FakePartner, more: object = {}) => ({
    name: `to ${domain}`,
    recipientDomains: domain,
    smartHosts: smartHost(port),
    ...more,
  });
  const setup = await gatewaySetup({
    anchors: { partner: [ca] },
    peerPorts: [refusing.port, clearOnly.port],
    queue: { expiry: '1m', retryFirst: '1s', retryMax: '5s' },
    organization: {
      acceptedDomains: [
        { domain: 'example.test' },
        { domain: 'relay.test', type: 'InternalRelay', recipients: 'any' },
        { domain: 'forced-relay.test', type: 'InternalRelay', recipients: 'any' },
      ],
      outboundConnectors: [
        to('waits.test', clearOnly, forced),
        to('refuses.test', refusing),
        to('forced-refuses.test', refusing, forced),
        to('relay.test', refusing, { connectorType: 'OnPremises' }),
        to('forced-relay.test', refusing, { connectorType: 'OnPremises', ...forced }),
        to('sender.test', clearOnly),
      ],
    },
  });
  gateway = await startGateway(setup);
  forcedId = await submit(gateway, {
    to: 'clerk@waits.test',
    subject: 'waiting-subject',
    text: 'waiting-body',
  });
});
after(async () => {
  await gateway?.remove();
  await refusing?.close();
  await clearOnly?.close();
});

/** The DSN about this message in the sender's mailbox. */
function findDsn(id: string, timeoutMs = 20_000): Promise<string> {
  return waitFor(
    `a DSN about ${id}`,
    async () => {
      const texts = (await gateway.mailbox('user')).map((message) => message.toString('latin1'));
      return texts.find((text) => text.includes(id) && text.includes('delivery-status')) ?? null;
    },
    timeoutMs,
  );
}

function assertFailedDsn(dsn: string, recipient: string): void {
  assert.match(dsn, /^Return-Path: <>/m);
  assert.match(dsn, /^Content-Type: multipart\/report;[^]*?report-type="?delivery-status/im);
  assert.match(dsn, /^To: .*user@example\.test/m);
  assert.match(dsn, new RegExp(`^Final-Recipient: rfc822; ?${recipient}`, 'm'));
  assert.match(dsn, /^Action: failed/m);
}

/** From outside through the MX port; the queue id. */
async function sendFromOutside(reversePath: string, to: string): Promise<string> {
  const client = await connectRaw({ port: gateway.port('mx') });
  await client.expect(220);
  await client.command('EHLO client.sender.test', 250);
  await client.command(`MAIL FROM:<${reversePath}>`, 250);
  await client.command(`RCPT TO:<${to}>`, 250);
  await client.command('DATA', 354);
  const reply = await client.command(
    'From: <a@sender.test>\r\nSubject: secret-subject\r\n\r\nsecret-body\r\n.',
    250,
  );
  client.close();
  return queueIdIn(reply.text);
}

/** The queue id of the DSN that the trace of this message names; null where it names none. */
async function dsnIdOf(id: string): Promise<string | null> {
  const { events } = await gateway.trace(id);
  return events.find((event) => event.kind === 'dsn')?.dsn ?? null;
}

test('a 5yz of the other side is told to the sender at once, with its words', async () => {
  const id = await submit(gateway, { to: 'clerk@refuses.test', subject: 'an open subject' });
  const dsn = await findDsn(id);
  assertFailedDsn(dsn, 'clerk@refuses.test');
  assert.match(dsn, /^Status: 5\.1\.1/m);
  assert.match(dsn, /^Diagnostic-Code: smtp; ?550 5\.1\.1 no such clerk/m);
  assert.match(dsn, /^Subject: an open subject/m);
  assert.ok((await gateway.queue()).every((row) => row.id !== id));
});

test('a DSN about forced mail has neither body nor Subject', async () => {
  const id = await submit(gateway, {
    to: 'clerk@forced-refuses.test',
    subject: 'secret-subject',
    text: 'secret-body',
  });
  const dsn = await findDsn(id);
  assertFailedDsn(dsn, 'clerk@forced-refuses.test');
  assert.doesNotMatch(dsn, /secret-/);
});

test('a DSN to a foreign sender about forced mail does not leave in clear', async () => {
  const id = await sendFromOutside('a@sender.test', 'clerk@forced-relay.test');
  const dsnId = await waitFor('the DSN', () => dsnIdOf(id));
  const row = await gateway.waitForRow(dsnId);
  assert.equal(row.from, null);
  assert.equal(row.lastOutcome?.cause, 'tls-not-offered');
  assert.ok(clearOnly.messages.every(({ recipients }) => !recipients.includes('a@sender.test')));
});

test('a DSN to a foreign sender about other mail goes out with the null reverse-path', async () => {
  const id = await sendFromOutside('b@sender.test', 'clerk@relay.test');
  const dsnId = await waitFor('the DSN', () => dsnIdOf(id));
  await gateway.waitUntilGone(dsnId);
  const sent = clearOnly.messages.find(({ recipients }) => recipients.includes('b@sender.test'));
  assert.equal(sent?.from, '');
  assert.match(sent.content.toString('latin1'), /^Action: failed/m);
});

test('there is no DSN about mail with the null reverse-path', async () => {
  const id = await sendFromOutside('', 'clerk@relay.test');
  await gateway.waitUntilGone(id);
  const { events } = await gateway.trace(id);
  const attempt = events.findLast((event) => event.kind === 'attempt');
  assert.equal(attempt?.routes[0]?.outcomes[0]?.kind, 'bounced');
  assert.equal(await dsnIdOf(id), null);
});

test('there is no DSN about a DSN that bounces', async () => {
  const id = await sendFromOutside('bounces@sender.test', 'clerk@relay.test');
  const dsnId = await waitFor('the DSN', () => dsnIdOf(id));
  await gateway.waitUntilGone(dsnId);
  assert.equal(await dsnIdOf(dsnId), null);
});

test(
  'forced mail that never found TLS comes back at the end, without body and Subject',
  { timeout: 120_000 },
  async () => {
    const dsn = await findDsn(forcedId, 100_000);
    assertFailedDsn(dsn, 'clerk@waits.test');
    assert.match(dsn, /STARTTLS was not offered/);
    assert.doesNotMatch(dsn, /waiting-/);
    const { events } = await gateway.trace(forcedId);
    assert.ok(events.some((event) => event.kind === 'expired'));
    assert.equal(events.filter((event) => event.kind === 'dsn').length, 1);
    const bytes = Buffer.concat(clearOnly.connections.map(({ clear }) => clear)).toString('latin1');
    assert.doesNotMatch(bytes, /clerk@waits\.test|waiting-/);
    await gateway.stop();
  },
);
