import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createTransport } from 'nodemailer';
import { makeCa, makeLeaf } from './certificates.ts';
import { startFakePartner } from './fake-partner.ts';
import type { FakePartner, FakePartnerOptions, StarttlsVice } from './fake-partner.ts';
import { connectRaw } from './raw-client.ts';
import type { RawClient, RawClientOptions } from './raw-client.ts';

const ca = makeCa('partner ca');
const leaf = makeLeaf(ca, ['partner.test']);
const own = makeLeaf(ca, ['client.test'], { extendedKeyUsage: ['clientAuth'] });
const serverTls = { cert: leaf.pem, key: leaf.keyPem };

async function startPartner(t: TestContext, options: FakePartnerOptions): Promise<FakePartner> {
  const partner = await startFakePartner(options);
  t.after(() => partner.close());
  return partner;
}

async function connect(
  t: TestContext,
  { port }: FakePartner,
  options: Partial<RawClientOptions> = {},
): Promise<RawClient> {
  const client = await connectRaw({ port, timeoutMs: 2000, ...options });
  t.after(() => client.close());
  return client;
}

async function sendMessage(client: RawClient, content: string): Promise<void> {
  await client.command('MAIL FROM:<a@postern.test>', 250);
  await client.command('RCPT TO:<b@partner.test>', 250);
  await client.command('DATA', 354);
  await client.send(`${content}\r\n.\r\n`);
  await client.expect(250);
}

void test('takes a message in clear and unstuffs its dots', async (t) => {
  const partner = await startPartner(t, {});
  const client = await connect(t, partner);
  assert.equal((await client.expect(220)).lines[0], 'partner.test ESMTP fake partner');
  const ehlo = await client.command('EHLO client.test', 250);
  assert.ok(!ehlo.lines.includes('STARTTLS'));
  await sendMessage(client, 'Subject: x\r\n\r\n..dot\r\n...\r\nend');
  await client.command('QUIT', 221);
  await client.ended();
  const [message] = partner.messages;
  assert.equal(message!.content.toString(), 'Subject: x\r\n\r\n.dot\r\n..\r\nend\r\n');
  assert.deepEqual(message!.recipients, ['b@partner.test']);
  assert.equal(message!.from, 'a@postern.test');
  assert.equal(message!.isTls, false);
  assert.ok(partner.connections[0]!.clear.includes('Subject: x'));
  assert.deepEqual(partner.connections[0]!.violations, []);
});

void test('keeps what came in clear apart from what came under TLS', async (t) => {
  const partner = await startPartner(t, { tls: serverTls });
  const client = await connect(t, partner);
  await client.expect(220);
  assert.ok((await client.command('EHLO client.test', 250)).lines.includes('STARTTLS'));
  await client.startTlsByCommand({ servername: 'partner.test', maxVersion: 'TLSv1.3' });
  const ehlo = await client.command('EHLO client.test', 250);
  assert.ok(!ehlo.lines.includes('STARTTLS'));
  await sendMessage(client, 'Subject: secret\r\n\r\nx');
  const [connection] = partner.connections;
  assert.equal(connection!.clear.toString(), 'EHLO client.test\r\nSTARTTLS\r\n');
  assert.ok(connection!.underTls.includes('Subject: secret'));
  assert.equal(connection!.tls!.version, 'TLSv1.3');
  assert.equal(connection!.tls!.sni, 'partner.test');
  assert.deepEqual(connection!.tls!.clientChain, []);
  assert.deepEqual(connection!.violations, []);
  assert.equal(partner.messages[0]!.isTls, true);
});

void test('nodemailer delivers to it by STARTTLS and by implicit TLS, without a violation', async (t) => {
  for (const isImplicitTls of [false, true]) {
    const partner = await startPartner(t, { tls: serverTls, isImplicitTls });
    const transport = createTransport({
      host: '127.0.0.1',
      port: partner.port,
      secure: isImplicitTls,
      requireTLS: true,
      tls: { ca: ca.pem, servername: 'partner.test' },
    });
    const text = 'grüße\n.\n..x\n';
    await transport.sendMail({ from: 'a@postern.test', to: 'b@partner.test', text });
    transport.close();
    assert.equal(partner.messages.length, 1);
    assert.deepEqual(partner.connections[0]!.violations, []);
    assert.equal(partner.connections[0]!.clear.includes('MAIL'), false);
  }
});

void test('sees the client certificate that it asks for', async (t) => {
  const partner = await startPartner(t, { tls: serverTls, clientCertificate: 'requested' });
  const client = await connect(t, partner);
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  await client.startTlsByCommand({ cert: own.pem, key: own.keyPem });
  await client.command('EHLO client.test', 250);
  const { clientChain } = partner.connections[0]!.tls!;
  assert.ok(clientChain[0]!.equals(own.der));
});

void test('refuses a client without the required certificate', async (t) => {
  const required = { clientCertificate: 'required', clientCa: ca.pem } as const;
  const stranger = makeLeaf(makeCa('stranger'), ['client.test']);
  const partner = await startPartner(t, { tls: serverTls, ...required });
  for (const [certificate, isRefused] of [
    [null, true],
    [stranger, true],
    [own, false],
  ] as const) {
    const client = await connect(t, partner);
    await client.expect(220);
    await client.command('EHLO client.test', 250);
    const options = certificate === null ? {} : { cert: certificate.pem, key: certificate.keyPem };
    const ehlo = client
      .startTlsByCommand(options)
      .then(() => client.command('EHLO client.test', 250));
    if (isRefused) await assert.rejects(ehlo);
    else await ehlo;
    assert.equal(partner.connections.at(-1)!.tls !== null, !isRefused);
  }
});

void test('keeps to the TLS versions that it is told', async (t) => {
  const partner = await startPartner(t, { tls: { ...serverTls, maxVersion: 'TLSv1.2' } });
  const client = await connect(t, partner);
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  await assert.rejects(client.startTlsByCommand({ minVersion: 'TLSv1.3' }));
  await partner.waitUntil(({ connections }) => connections[0]!.tlsError !== null);
});

const vices: readonly (readonly [StarttlsVice, (client: RawClient) => Promise<void>])[] = [
  ['refused', async (client) => void (await client.command('STARTTLS', 454))],
  ['absent', async (client) => void (await client.command('STARTTLS', 502))],
  [
    'cut',
    async (client) => {
      await client.send('STARTTLS\r\n');
      await client.ended();
    },
  ],
  [
    'hang',
    async (client) => {
      await client.send('STARTTLS\r\n');
      await assert.rejects(client.reply(50), /in vain/);
    },
  ],
  [
    'stalls',
    async (client) => {
      await client.command('STARTTLS', 220);
      await assert.rejects(client.reply(50), /in vain/);
    },
  ],
  [
    'not-tls',
    async (client) => {
      await client.command('STARTTLS', 220);
      await client.command('NOOP', 250);
    },
  ],
  [
    'injects',
    async (client) => {
      await client.command('STARTTLS', 220);
      await client.expect(250);
      await client.expect(250);
      await client.startTls();
      await client.command('EHLO client.test', 250);
    },
  ],
];

for (const [starttls, check] of vices) {
  void test(`STARTTLS ${starttls}`, async (t) => {
    const partner = await startPartner(t, { tls: serverTls, starttls });
    const client = await connect(t, partner);
    await client.expect(220);
    const ehlo = await client.command('EHLO client.test', 250);
    assert.equal(ehlo.lines.includes('STARTTLS'), starttls !== 'absent');
    await check(client);
  });
}

void test('STARTTLS vanishes after the first connection', async (t) => {
  const partner = await startPartner(t, { tls: serverTls, starttls: 'vanishes-after-first' });
  for (const isOffered of [true, false, false]) {
    const client = await connect(t, partner);
    await client.expect(220);
    const ehlo = await client.command('EHLO client.test', 250);
    assert.equal(ehlo.lines.includes('STARTTLS'), isOffered);
  }
});

void test('greets as it is told', async (t) => {
  const busy = await connect(t, await startPartner(t, { greeting: '421 4.3.2 busy' }));
  await busy.expect(421);
  const silent = await connect(t, await startPartner(t, { greeting: 'silence' }));
  await assert.rejects(silent.reply(50));
  const dropped = await connect(t, await startPartner(t, { greeting: 'drop' }));
  await dropped.ended();
  const slow = await connect(t, await startPartner(t, { greetingDelayMs: 60 }));
  await assert.rejects(slow.reply(10));
  await slow.expect(220);
});

void test('replies to each command as the hook says', async (t) => {
  const replies: Readonly<Record<string, string>> = {
    MAIL: '451 4.3.0 later',
    VRFY: 'silence',
    RSET: 'drop',
  };
  const reply: FakePartnerOptions['reply'] = ({ command, count }) =>
    command === 'MAIL' && count > 0 ? null : (replies[command] ?? null);
  const partner = await startPartner(t, { reply });
  const client = await connect(t, partner);
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  await client.command('MAIL FROM:<a@b.test>', 451);
  await client.command('MAIL FROM:<a@b.test>', 250);
  await client.send('VRFY x\r\n');
  await assert.rejects(client.reply(50));
  await client.send('RSET\r\n');
  await client.ended();
});

void test('a refused end of the content is no message', async (t) => {
  const reply: FakePartnerOptions['reply'] = ({ command, count }) =>
    command === 'dot' && count === 0 ? '554 5.6.0 no' : null;
  const partner = await startPartner(t, { reply });
  const client = await connect(t, partner);
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  await assert.rejects(sendMessage(client, 'first'), /554/);
  await sendMessage(client, 'second');
  assert.deepEqual(
    partner.messages.map((message) => message.content.toString()),
    ['second\r\n'],
  );
});

void test('takes pipelined commands and BDAT', async (t) => {
  const partner = await startPartner(t, { extensions: ['PIPELINING', 'CHUNKING'] });
  const client = await connect(t, partner);
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  await client.send('MAIL FROM:<>\r\nRCPT TO:<b@c.test>\r\nBDAT 4\r\nab\r\nBDAT 4 LAST\r\n.c\r\n');
  for (let i = 0; i < 4; i++) await client.expect(250);
  assert.equal(partner.messages[0]!.content.toString(), 'ab\r\n.c\r\n');
  assert.equal(partner.messages[0]!.from, '');
  assert.deepEqual(partner.connections[0]!.violations, []);
});

const faults: readonly (readonly [string, string, RegExp])[] = [
  ['a bare LF', 'EHLO a\n', /bare CR or LF/],
  ['MAIL before EHLO', 'MAIL FROM:<a@b.test>\r\n', /MAIL before EHLO/],
  ['pipelining without the offer', 'EHLO a\r\nNOOP\r\n', /bytes were sent after EHLO/],
  ['SIZE without the offer', 'MAIL FROM:<a@b.test> SIZE=4\r\n', /SIZE was not offered/],
  ['BDAT without the offer', 'BDAT 1 LAST\r\nx', /BDAT was not offered/],
  ['commands behind STARTTLS', 'STARTTLS\r\nEHLO a\r\n', /behind STARTTLS|after STARTTLS/],
];

for (const [name, bytes, violation] of faults) {
  void test(`notes ${name}`, async (t) => {
    const partner = await startPartner(t, { tls: serverTls, extensions: [], starttls: 'refused' });
    const client = await connect(t, partner);
    await client.expect(220);
    await client.send(bytes);
    await partner.waitUntil(({ connections }) => connections[0]!.violations.length > 0);
    assert.match(partner.connections[0]!.violations.join('; '), violation);
  });
}

void test('notes that EHLO was not repeated under TLS', async (t) => {
  const partner = await startPartner(t, { tls: serverTls });
  const client = await connect(t, partner);
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  await client.startTlsByCommand();
  await client.command('MAIL FROM:<a@b.test>');
  assert.deepEqual(partner.connections[0]!.violations, ['MAIL before EHLO under TLS']);
});

void test('waitUntil ends when it holds, and rejects when it never does', async (t) => {
  const partner = await startPartner(t, { host: '::1' });
  await assert.rejects(partner.waitUntil(() => false, 30));
  const waited = partner.waitUntil(({ connections }) => connections.length === 1);
  await connect(t, partner, { host: '::1' });
  await waited;
});
