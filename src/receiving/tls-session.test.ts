/** Sessions under TLS: STARTTLS and implicit, client certificates, AUTH, and a foreign client. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { TestContext } from 'node:test';
import * as nodemailer from 'nodemailer';
import type { TestCertificate } from '../testing/certificates.ts';
import { makeCa, makeLeaf } from '../testing/certificates.ts';
import { address, inboundConnector, patterns, policy } from '../../test/support/policy.ts';
import type { RawClient } from '../testing/raw-client.ts';
import { connectRaw } from '../testing/raw-client.ts';
import { AnchorRegistry } from '../tls/anchors.ts';
import { noRateLimits } from '../policy/rate-limit.ts';
import { createServerTls } from '../tls/contexts.ts';
import { FakeServices } from './fake-services.ts';
import type { Listener } from './listener.ts';
import { startListener } from './listener.ts';
import { RateLimiter } from './rate-limiter.ts';
import type { ListenerLimits, ListenerSettings } from './settings.ts';
import { defaultLimits } from './settings.ts';

const ca = makeCa();
const serverLeaf = makeLeaf(ca, ['mx.example.test']);

async function start(
  t: TestContext,
  services: FakeServices,
  part: Partial<Omit<ListenerSettings, 'limits'>> & { limits?: Partial<ListenerLimits> } = {},
): Promise<Listener> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-receiving-'));
  const anchors = new AnchorRegistry();
  const anchorsName = `file:${join(folder, 'ca.pem')}`;
  await writeFile(join(folder, 'ca.pem'), ca.pem);
  assert.deepEqual(await anchors.loadAnchors([anchorsName]), []);
  const [organization] = services.currentPolicy.organizations;
  const inboundConnectors = organization!.inboundConnectors.map((connector) => ({
    ...connector,
    anchors: anchorsName,
  }));
  services.currentPolicy = policy({ ...organization, inboundConnectors });
  services.tls = await createServerTls({
    certificates: [
      { certificate: Buffer.from(serverLeaf.pem), key: Buffer.from(serverLeaf.keyPem) },
    ],
    anchors,
  });
  services.nowMs = Date.now();
  const listener = await startListener(
    {
      name: 'test',
      host: '127.0.0.1',
      port: 0,
      kind: 'mx',
      tls: 'starttls',
      requestClientCertificate: true,
      bareLineBreaks: 'refuse',
      proxies: [],
      sharesPort: false,
      ...part,
      limits: { ...defaultLimits, authFailureDelayMs: 1, ...part.limits },
    },
    services,
  );
  t.after(async () => {
    await listener.stop(0);
    await rm(folder, { recursive: true });
    assert.equal(services.contentMemory.usedBytes, 0);
  });
  return listener;
}

/** A session after EHLO, STARTTLS and EHLO. */
async function secured(t: TestContext, port: number, own?: TestCertificate): Promise<RawClient> {
  const client = await connectRaw({ port });
  t.after(() => client.close());
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  await client.startTlsByCommand(own === undefined ? {} : { cert: own.pem, key: own.keyPem });
  await client.command('EHLO client.test', 250);
  return client;
}

const plain = (name: string, password: string): string =>
  `AUTH PLAIN ${Buffer.from(`\0${name}\0${password}`).toString('base64')}`;

function withAccount(): FakeServices {
  const services = new FakeServices(policy());
  services.accounts.set('user right', { organization: 'org', account: 'user' });
  return services;
}

const message = 'From: user@example.test\r\nSubject: x\r\n\r\nbody\r\n.';

void test('acts on nothing that was sent in clear behind STARTTLS', async (t) => {
  const services = new FakeServices(policy());
  const { port } = (await start(t, services)).address;
  const client = await connectRaw({ port });
  t.after(() => client.close());
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  await client.send('STARTTLS\r\nMAIL FROM:<a@sender.test>\r\nRCPT TO:<user@example.test>\r\n');
  assert.match((await client.reply()).text, /^554 5\.5\.1 /);
  await client.ended();
});

void test('forgets after STARTTLS what was said before', async (t) => {
  const { port } = (await start(t, new FakeServices(policy()))).address;
  const client = await connectRaw({ port });
  t.after(() => client.close());
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  await client.command('MAIL FROM:<a@sender.test>', 250);
  await client.startTlsByCommand();
  await client.command('RCPT TO:<user@example.test>', 503);
  await client.command('MAIL FROM:<a@sender.test>', 503);
  const hello = await client.command('EHLO client.test', 250);
  assert.doesNotMatch(hello.text, /STARTTLS|AUTH/);
});

void test('states protocol, version, suite and client certificate in Received', async (t) => {
  const services = new FakeServices(policy());
  const { port } = (await start(t, services)).address;
  const client = await secured(t, port, makeLeaf(ca, ['mx.partner.test']));
  await client.command('MAIL FROM:<a@sender.test>', 250);
  await client.command('RCPT TO:<user@example.test>', 250);
  await client.command('DATA', 354);
  await client.command('From: <a@sender.test>\r\n\r\nx\r\n.', 250);
  const text = services.textOf(services.accepted[0]!.content).replace(/\r\n\t/g, ' ');
  assert.match(text, /with ESMTPS \(version=TLSv1\.3 cipher=TLS_[A-Z0-9_]+.*; client certificate /);
  assert.equal(services.accepted[0]!.evidence?.encryption, 'established');
  assert.match(String(services.lines.at(-1)!.fields['tls']), /^TLSv1\.3 TLS_/);
});

const locked = inboundConnector('partner', {
  senderDomains: patterns('partner.test'),
  requireTls: true,
  restrictDomainsToCertificate: true,
  tlsSenderCertificateNames: patterns('mx.partner.test'),
});

const certificates: readonly (readonly [string, TestCertificate | undefined, RegExp])[] = [
  ['no certificate', undefined, /^550 5\.7\.51 /],
  ['a certificate of another name', makeLeaf(ca, ['mx.other.test']), /^550 5\.7\.51 /],
  ['a certificate of another CA', makeLeaf(makeCa('Evil'), ['mx.partner.test']), /^550 5\.7\.51 /],
  ['the agreed certificate', makeLeaf(ca, ['mx.partner.test']), /^250 2\.1\.5 /],
];

for (const [shown, certificate, expected] of certificates) {
  void test(`judges a partner that shows ${shown}`, async (t) => {
    const services = new FakeServices(policy({ inboundConnectors: [locked] }));
    const { port } = (await start(t, services)).address;
    const client = await secured(t, port, certificate);
    await client.command('MAIL FROM:<a@partner.test>', 250);
    const answer = await client.command('RCPT TO:<user@example.test>');
    assert.match(answer.text, expected);
    if (answer.code === 250) return;
    assert.equal(services.refused[0]!.evidence.encryption, 'established');
    assert.equal(services.lines.at(-1)!.fields['connector'], 'partner');
    // Mail that needs no certificate passes all the same.
    await client.command('RSET', 250);
    await client.command('MAIL FROM:<a@sender.test>', 250);
    await client.command('RCPT TO:<user@example.test>', 250);
  });
}

for (const [by, part, expected, sender = 'a@partner.test'] of [
  ['a partner enforces', {}, { inboundConnectors: ['partner'], isForced: true }],
  ['a partner only observes', { mode: 'observe' }, { inboundConnectors: [], isForced: false }],
  [
    'an own server only observes',
    { mode: 'observe', connectorType: 'OnPremises' },
    { inboundConnectors: ['partner'], ownServer: 'partner', isForced: false },
  ],
  [
    'a partner enforces on the header alone',
    { alsoHeaderFrom: true },
    { inboundConnectors: [], isForced: true },
    'bounce@sender.test',
  ],
  [
    'a partner does not ask of the header',
    {},
    { inboundConnectors: [], isForced: false },
    'bounce@sender.test',
  ],
] as const) {
  void test(`records what was demanded on arrival, which ${by}`, async (t) => {
    const services = new FakeServices(policy({ inboundConnectors: [{ ...locked, ...part }] }));
    const { port } = (await start(t, services)).address;
    const client = await secured(t, port, makeLeaf(ca, ['mx.partner.test']));
    await client.command(`MAIL FROM:<${sender}>`, 250);
    await client.command('RCPT TO:<user@example.test>', 250);
    await client.command('DATA', 354);
    await client.command('From: <a@partner.test>\r\n\r\nx\r\n.', 250);
    assert.deepEqual(services.accepted[0]!.source, { kind: 'mx', ...expected });
  });
}

void test('asks to connect again when a new connector wants a path never examined', async (t) => {
  const services = new FakeServices(policy());
  const { port } = (await start(t, services)).address;
  const client = await secured(t, port, makeLeaf(ca, ['mx.partner.test']));
  services.currentPolicy = policy({ inboundConnectors: [locked] });
  assert.match((await client.command('MAIL FROM:<a@partner.test>')).text, /^421 4\.7\.0 /);
  await client.ended();
});

void test('ends the connection when the handshake fails, and logs why', async (t) => {
  const services = new FakeServices(policy());
  const { port } = (await start(t, services)).address;
  const client = await connectRaw({ port });
  t.after(() => client.close());
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  await client.command('STARTTLS', 220);
  await client.send('MAIL FROM:<a@sender.test>\r\n');
  await client.ended();
  const line = await services.logged('TLS handshake failed');
  assert.equal(typeof line.fields['code'], 'string');
  assert.doesNotMatch(client.transcript, /250 2\.1\.0/);
});

void test('a client that never begins the handshake is bounded by its timeout', async (t) => {
  const services = new FakeServices(policy());
  const limits = { handshakeTimeoutMs: 60 };
  const { port } = (await start(t, services, { tls: 'implicit', limits })).address;
  const client = await connectRaw({ port });
  t.after(() => client.close());
  await client.ended();
  assert.equal(client.transcript, '');
});

void test('stop ends sessions in the middle of a handshake', async (t) => {
  const services = new FakeServices(policy());
  const listener = await start(t, services, { tls: 'implicit' });
  const client = await connectRaw({ port: listener.address.port });
  t.after(() => client.close());
  await client.send(Buffer.from([22, 3, 1]));
  await listener.stop(30);
  await client.ended();
});

void test('lets an account submit over implicit TLS as itself only', async (t) => {
  const services = withAccount();
  const options = { kind: 'submission', tls: 'implicit', requestClientCertificate: false } as const;
  const { port } = (await start(t, services, options)).address;
  const client = await connectRaw({ port, implicitTls: {} });
  t.after(() => client.close());
  await client.expect(220);
  assert.match((await client.command('EHLO client.test')).text, /250-AUTH PLAIN LOGIN\r\n/);
  assert.match((await client.command('MAIL FROM:<user@example.test>')).text, /^530 5\.7\.57 /);
  assert.match((await client.command(plain('user', 'wrong'))).text, /^535 5\.7\.8 /);
  await client.command(plain('user', 'right'), 235);
  assert.match((await client.command('MAIL FROM:<other@example.test>')).text, /^550 5\.7\.60 /);
  await client.command('MAIL FROM:<user@example.test>', 250);
  await client.command('RCPT TO:<anybody@elsewhere.test>', 250);
  await client.command('DATA', 354);
  const foreign = message.replace('user@', 'boss@');
  assert.match((await client.command(foreign)).text, /^550 5\.7\.60 .*\[ID\d+\]\r\n$/);
  await client.command('MAIL FROM:<user@example.test>', 250);
  await client.command('RCPT TO:<anybody@elsewhere.test>', 250);
  await client.command('DATA', 354);
  await client.command(message, 250);
  const [accepted] = services.accepted;
  assert.deepEqual(accepted!.source, { kind: 'submission', account: 'user' });
  assert.match(services.textOf(accepted!.content).replace(/\r\n\t/g, ' '), /with ESMTPSA /);
});

void test('completes and cleans the header of an account', async (t) => {
  const services = withAccount();
  const { port } = (await start(t, services, { kind: 'submission' })).address;
  const client = await secured(t, port);
  await client.command(plain('user', 'right'), 235);
  await client.command('MAIL FROM:<user@example.test>', 250);
  await client.command('RCPT TO:<anybody@elsewhere.test>', 250);
  await client.command('DATA', 354);
  const fields =
    'Bcc: hidden@elsewhere.test\r\nFrom: user@example.test\r\nReturn-Path: <x@x.test>\r\n';
  await client.command(`${fields}\r\nbody\r\n.`, 250);
  const [message] = services.accepted;
  assert.match(
    services.textOf(message!.content),
    /0000\r\nDate: .* \+0000\r\nMessage-ID: <ID\d+@mx\.example\.test>\r\nFrom: user@example\.test\r\n\r\nbody\r\n$/,
  );
  assert.deepEqual(message!.headerChanges, {
    removed: { Bcc: 1, 'Return-Path': 1 },
    added: ['Date', 'Message-ID'],
  });
});

void test('counts an account whatever address of its own it sends as', async (t) => {
  const services = withAccount();
  services.rates = new RateLimiter({ ...noRateLimits, messagesPerAccountPerHour: 1 });
  const { port } = (await start(t, services, { kind: 'submission' })).address;
  const first = await secured(t, port);
  await first.command(plain('user', 'right'), 235);
  await first.command('MAIL FROM:<user@example.test>', 250);
  await first.command('RCPT TO:<anybody@elsewhere.test>', 250);
  const second = await secured(t, port);
  await second.command(plain('user', 'right'), 235);
  await second.command('MAIL FROM:<User@example.test>', 250);
  const { text } = await second.command('RCPT TO:<anybody@elsewhere.test>', 450);
  assert.match(text, /^450 4\.7\.1 too many messages from this account within an hour, /);
});

void test('closes after three failed passwords, saying none of them in the log', async (t) => {
  const services = withAccount();
  const { port } = (await start(t, services, { kind: 'submission' })).address;
  const client = await secured(t, port);
  await client.command(plain('user', 'guess-1'), 535);
  await client.command(plain('user', 'guess-2'), 535);
  assert.match((await client.command(plain('user', 'guess-3'))).text, /^421 4\.7\.0 /);
  await client.ended();
  assert.doesNotMatch(JSON.stringify(services.lines), /guess/);
});

void test('answers 454 when accounts cannot be looked up', async (t) => {
  const services = withAccount();
  services.authenticate = () => Promise.reject(new Error('database gone'));
  const { port } = (await start(t, services, { kind: 'submission' })).address;
  const client = await secured(t, port);
  assert.match((await client.command(plain('user', 'right'))).text, /^454 4\.7\.0 /);
  await client.command('NOOP', 250);
});

void test('takes mail of nodemailer: over STARTTLS with AUTH, dots and long bodies', async (t) => {
  const services = withAccount();
  const limits = { memoryContentBytesMax: 20_000 };
  const { port } = (await start(t, services, { kind: 'submission', limits })).address;
  const transport = nodemailer.createTransport({
    host: '127.0.0.1',
    port,
    requireTLS: true,
    auth: { user: 'user', pass: 'right' },
    tls: { rejectUnauthorized: false },
    pool: true,
    maxConnections: 1,
  });
  t.after(() => transport.close());
  for (const lines of [3, 3000]) {
    const text = '.dot\n..two\nplain line with an ä\n.\n'.repeat(lines);
    const sent = await transport.sendMail({
      from: 'user@example.test',
      to: 'a@elsewhere.test, b@elsewhere.test',
      subject: 'from nodemailer',
      text,
      textEncoding: 'quoted-printable',
    });
    assert.deepEqual(sent.rejected, []);
    const accepted = services.accepted.at(-1)!;
    assert.deepEqual(accepted.recipients, [
      address('a@elsewhere.test'),
      address('b@elsewhere.test'),
    ]);
    assert.equal(accepted.content.kind, lines === 3 ? 'memory' : 'spool');
    const body = services.textOf(accepted.content).split('\r\n\r\n')[1]!;
    const expected = text.replaceAll('\n', '\r\n').replaceAll('ä', '=C3=A4');
    assert.equal(body.replaceAll('=2E', '.').trimEnd(), expected.trimEnd());
  }
});

for (const how of ['in clear', 'after STARTTLS', 'under implicit TLS'] as const) {
  void test(`QUIT has its 221 and then an orderly end, ${how}, also for who sends more`, async (t) => {
    const isImplicit = how === 'under implicit TLS';
    const part = isImplicit ? ({ tls: 'implicit' } as const) : {};
    const { port } = (await start(t, new FakeServices(policy()), part)).address;
    for (const more of ['', 'NOOP\r\n'.repeat(20_000)]) {
      const client = await connectRaw({ port, ...(isImplicit ? { implicitTls: {} } : {}) });
      t.after(() => client.close());
      await client.expect(220);
      await client.command('EHLO client.test', 250);
      if (how === 'after STARTTLS') {
        await client.startTlsByCommand();
        await client.command('EHLO client.test', 250);
      }
      void client.send(`QUIT\r\n${more}`).catch(() => undefined);
      await client.expect(221);
      await client.ended();
      assert.equal(client.pending, '');
      assert.equal(client.error, null);
    }
  });
}

void test('a certificate whose CA is no anchor any more proves nothing, in sessions under way too', async (t) => {
  const connector = inboundConnector('partner', {
    senderDomains: patterns('partner.test'),
    requireTls: true,
    restrictDomainsToCertificate: true,
    tlsSenderCertificateNames: patterns('mx.partner.test'),
  });
  const services = new FakeServices(policy({ inboundConnectors: [connector] }));
  const { port } = (await start(t, services)).address;
  const open = () => secured(t, port, makeLeaf(ca, ['mx.partner.test']));
  const client = await open();
  const other = await open();
  await client.command('MAIL FROM:<a@partner.test>', 250);
  await client.command('RCPT TO:<user@example.test>', 250);
  await client.command('RSET', 250);
  // A reload with the same certificates changes nothing, one with another CA in the file does.
  const [{ anchors: name } = assert.fail()] =
    services.currentPolicy.organizations[0]!.inboundConnectors;
  const reload = async (pem: string): Promise<void> => {
    const anchors = new AnchorRegistry();
    const files = new Map([[name.slice('file:'.length), Buffer.from(pem)]]);
    await anchors.loadAnchors([name], { files, previous: services.tls!.anchors });
    services.tls = { ...services.tls!, anchors };
  };
  await reload(ca.pem);
  await client.command('MAIL FROM:<a@partner.test>', 250);
  await client.command('RSET', 250);
  await reload(makeCa('Another').pem);
  await client.command('MAIL FROM:<a@partner.test>', 421);
  await client.ended();
  await other.command('MAIL FROM:<a@partner.test>', 421);
  const again = await open();
  await again.command('MAIL FROM:<a@partner.test>', 250);
  await again.command('RCPT TO:<user@example.test>', 550);
});
