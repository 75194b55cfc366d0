/** What a listener does to the header of a message before it keeps anything of it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { policy } from '../../test/support/policy.ts';
import type { RawClient } from '../testing/raw-client.ts';
import { connectRaw } from '../testing/raw-client.ts';
import { FakeServices } from './fake-services.ts';
import { startListener } from './listener.ts';
import type { ListenerLimits } from './settings.ts';
import { defaultLimits } from './settings.ts';

/** A client whose RCPT was accepted. */
async function open(
  t: TestContext,
  services = new FakeServices(policy()),
  limits: Partial<ListenerLimits> = {},
): Promise<RawClient> {
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
      limits: { ...defaultLimits, ...limits },
    },
    services,
  );
  const client = await connectRaw({ port: listener.address.port });
  t.after(async () => {
    client.close();
    await listener.stop(0);
    assert.equal(services.contentMemory.usedBytes, 0, 'memory that nobody gave back');
  });
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  await client.command('MAIL FROM:<a@sender.test>', 250);
  await client.command('RCPT TO:<user@example.test>', 250);
  return client;
}

const header = 'From: <a@sender.test>\r\nSubject: x\r\n\r\n';

const internal = 'X-MS-Exchange-Organization-AuthAs:\r\n Internal\r\n';
const checked = 'Authentication-Results: MX.example.test; dmarc=pass\r\n';

for (const kind of ['memory', 'spool'] as const) {
  void test(`removes what only we may write before anything is kept, in ${kind}`, async (t) => {
    const services = new FakeServices(policy());
    const limits = { memoryContentBytesMax: kind === 'memory' ? 100_000 : 1000 };
    const client = await open(t, services, limits);
    await client.command('DATA', 354);
    const body = `${internal}${'x'.repeat(70)}\r\n`.repeat(100);
    const text = `X-A: 1\r\n${internal}${checked}X-B: 2\r\n${internal}${header}${body}`;
    // Cut within the fields and at the end of the header.
    for (let at = 0; at < 400; at += 37) await client.send(text.slice(at, at + 37));
    await client.send(`${text.slice(407)}.\r\n`);
    await client.expect(250);
    const [message] = services.accepted;
    assert.equal(message!.content.kind, kind);
    const kept = services.textOf(message!.content).replace(/^Received: .*(\r\n\t.*)*\r\n/, '');
    assert.equal(kept, `X-A: 1\r\nX-B: 2\r\n${header}${body}`);
    const removed = { 'X-MS-Exchange-Organization': 2, 'Authentication-Results': 1 };
    assert.deepEqual(message!.headerChanges, { removed, added: [] });
    const { fields } = await services.logged('message accepted');
    assert.deepEqual(fields['headerChanges'], { removed, added: [] });
    assert.deepEqual(
      [...services.counts].filter(([key]) => key.startsWith('headerFieldsRemoved')),
      [
        ['headerFieldsRemoved X-MS-Exchange-Organization', 2],
        ['headerFieldsRemoved Authentication-Results', 1],
      ],
    );
  });
}

void test('says nothing of a header that it left alone, and adds nothing to it', async (t) => {
  const services = new FakeServices(policy());
  const client = await open(t, services);
  await client.command('DATA', 354);
  await client.send(`Subject: undated\r\n\r\nbody\r\n.\r\n`);
  await client.expect(250);
  const [message] = services.accepted;
  assert.equal('headerChanges' in message!, false);
  assert.match(services.textOf(message!.content), /0000\r\nSubject: undated\r\n\r\nbody\r\n$/);
});

const returned = 'Received: from a by mx.example.test (Postern)\r\n\twith ESMTP id 1; now\r\n';
const foreign = 'Received: from b by mx.partner.test (Postern) with ESMTP id 1; now\r\n';
for (const [fault, fields, code] of [
  ['came back too often', (returned + foreign).repeat(6), '554 5.4.6'],
  ['begins with white space', ' x\r\n', '550 5.6.0'],
  ['has too many fields', 'X: y\r\n'.repeat(1000), '552 5.3.4'],
] as const) {
  void test(`refuses a message that ${fault}, with an id`, async (t) => {
    const services = new FakeServices(policy());
    const client = await open(t, services);
    await client.command('DATA', 354);
    await client.send(`${fields}${header}body\r\n.\r\n`);
    const { text } = await client.expect(Number(code.slice(0, 3)));
    assert.ok(text.startsWith(code), text);
    assert.match(text, /\[ID\d+\]\r\n$/);
    assert.equal(services.refused.length, 1);
    assert.equal(services.accepted.length, 0);
  });
}

void test('takes a message that came back five times', async (t) => {
  const client = await open(t);
  await client.command('DATA', 354);
  await client.send(`${(returned + foreign).repeat(5)}${header}body\r\n.\r\n`);
  await client.expect(250);
});
