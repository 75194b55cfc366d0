/** Recipients that another server keeps: asked at RCPT, in order, and never for who is refused anyway. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { TestContext } from 'node:test';
import {
  acceptedDomain,
  address,
  deliveryTarget,
  inboundConnector,
  patterns,
  policy,
} from '../../test/support/policy.ts';
import type { RecipientVerification } from '../policy/recipient-verification.ts';
import type { RawClient } from '../testing/raw-client.ts';
import { connectRaw } from '../testing/raw-client.ts';
import { FakeServices } from './fake-services.ts';
import { startListener } from './listener.ts';
import { defaultLimits } from './settings.ts';

const verifying = policy({
  acceptedDomains: [
    acceptedDomain('example.test', { deliveryTarget: 'store', recipients: { kind: 'verify' } }),
  ],
  deliveryTargets: [deliveryTarget('store')],
  inboundConnectors: [
    inboundConnector('bank', { senderDomains: patterns('bank.test'), requireTls: true }),
  ],
});

const unknown: RecipientVerification = {
  kind: 'unknown',
  reply: { code: 550, status: null, lines: ['no such user'] },
  reason: 'it answered 550 no such user',
};

async function open(t: TestContext, services: FakeServices, from = 'a@sender.test') {
  const listener = await startListener(
    {
      name: 'mx',
      host: '127.0.0.1',
      port: 0,
      kind: 'mx',
      tls: 'starttls',
      requestClientCertificate: false,
      proxies: [],
      bareLineBreaks: 'refuse',
      sharesPort: false,
      limits: { ...defaultLimits, commandTimeoutMs: 5000 },
    },
    services,
  );
  const client: RawClient = await connectRaw({ port: listener.address.port });
  t.after(async () => {
    client.close();
    await listener.stop(0);
  });
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  await client.command(`MAIL FROM:<${from}>`, 250);
  return client;
}

function serviceFor(answers: Readonly<Record<string, RecipientVerification>>): FakeServices {
  const services = new FakeServices(verifying);
  services.onVerify = async (recipient) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return answers[recipient] ?? { kind: 'exists' };
  };
  return services;
}

void test('exists is 250, unknown 550 with the reason, silent 451, in the order asked', async (t) => {
  const services = serviceFor({
    'gone@example.test': unknown,
    'slow@example.test': { kind: 'silent', reason: 'it did not answer within 30 s' },
  });
  const client = await open(t, services);
  const names = ['ann', 'gone', 'user', 'slow', 'ann'];
  await client.send(
    names.map((name) => `RCPT TO:<${name}@example.test>\r\n`).join('') + 'DATA\r\n',
  );
  const answers: string[] = [];
  for (const code of [250, 550, 250, 451, 250, 354]) answers.push((await client.expect(code)).text);
  assert.match(answers[1]!, /^550 5\.1\.1 .*gone@example\.test.*550 no such user/);
  assert.match(
    answers[3]!,
    /^451 4\.4\.1 .*slow@example\.test cannot be asked now, try again later \[\w+\]/,
  );
  // The mailbox here is not asked about, and nobody twice in one transaction.
  assert.deepEqual(services.asked, ['ann@example.test', 'gone@example.test', 'slow@example.test']);
  await client.send('Subject: x\r\n\r\ntext\r\n.\r\n');
  await client.expect(250);
  assert.deepEqual(services.accepted[0]!.recipients, [
    address('ann@example.test'),
    address('user@example.test'),
  ]);
  assert.deepEqual(
    services.refused.map(({ recipient, reply, decision }) => [
      recipient?.localPart,
      reply.code,
      (decision as { organization: string }).organization,
    ]),
    [
      ['gone', 550, 'org'],
      ['slow', 451, 'org'],
    ],
  );
});

void test('who is refused anyway learns nothing: the server is not asked', async (t) => {
  const services = serviceFor({ 'gone@example.test': unknown });
  const client = await open(t, services, 'a@bank.test');
  const [one, two] = [
    await client.command('RCPT TO:<gone@example.test>', 454),
    await client.command('RCPT TO:<ann@example.test>', 454),
  ];
  assert.equal(one.text.replace(/ID\d+/, ''), two.text.replace(/ID\d+/, ''));
  assert.deepEqual(services.asked, []);
});

void test('postmaster is taken without asking, bare too', async (t) => {
  const services = serviceFor({ 'postmaster@example.test': unknown });
  const client = await open(t, services);
  await client.command('RCPT TO:<PostMaster@example.test>', 250);
  await client.command('RCPT TO:<Postmaster>', 250);
  assert.deepEqual(services.asked, []);
});

void test('a client that leaves while its recipient is verified harms nobody', async (t) => {
  const services = new FakeServices(verifying);
  let answer: (verification: RecipientVerification) => void = () => undefined;
  services.onVerify = () => new Promise((resolve) => (answer = resolve));
  const client = await open(t, services);
  await client.send('RCPT TO:<ann@example.test>\r\n');
  while (services.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  client.close();
  answer({ kind: 'exists' });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(
    services.lines.filter(({ level }) => level === 'error'),
    [],
  );
});
