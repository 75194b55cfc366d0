/**
 * Exchange's documented examples 1, 2, 3 and 5 of a partner's inbound connector, with right and wrong
 * clients, over real sessions with a running gateway.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import {
  chainPem,
  expired,
  makeCa,
  makeIntermediate,
  makeLeaf,
  makeSelfSigned,
  notYetValid,
  serverAuthOnly,
  writeCertificateFiles,
} from '../../src/testing/certificates.ts';
import type { TestCertificate } from '../../src/testing/certificates.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup } from '../support/gateway-config.ts';
import { connectRaw } from '../../src/testing/raw-client.ts';
import type { RawReply } from '../../src/testing/raw-client.ts';
import { refusalIdIn } from '../support/submit.ts';
import { runSwaks, whyNoSwaks } from '../support/swaks.ts';

const noSwaks = await whyNoSwaks();

const ca = makeCa('Bank CA');
const intermediate = makeIntermediate(ca, 'Bank Intermediate');
const otherCa = makeCa('Somebody');
const name = 'mail.contosobank.test';

const clients = {
  right: [makeLeaf(ca, [name])],
  withIntermediate: [makeLeaf(intermediate, [name]), intermediate],
  missingIntermediate: [makeLeaf(intermediate, [name])],
  otherName: [makeLeaf(ca, ['mail.other.test'])],
  lookalike: [makeLeaf(ca, [`${name}.other.test`, `x${name}`])],
  untrustedCa: [makeLeaf(otherCa, [name])],
  untrustedWithRoot: [makeLeaf(otherCa, [name]), otherCa],
  selfSigned: [makeSelfSigned([name])],
  expired: [makeLeaf(ca, [name], expired)],
  notYetValid: [makeLeaf(ca, [name], notYetValid)],
  serverAuthOnly: [makeLeaf(ca, [name], serverAuthOnly)],
  serverAuthOnlyUntrusted: [makeLeaf(otherCa, [name], serverAuthOnly), otherCa],
  serverAuthOnlySelfSigned: [makeSelfSigned([name], serverAuthOnly)],
  signedByLeaf: [makeLeaf(makeLeaf(ca, [name]), [name])],
} satisfies Record<string, readonly TestCertificate[]>;
type Client = keyof typeof clients;

const certificateConnector = {
  requireTls: true,
  restrictDomainsToCertificate: true,
  tlsSenderCertificateName: name,
  anchors: 'tls/bank.pem',
};

const inboundConnectors = [
  { name: 'example 1', senderDomains: 'bank1.test', requireTls: true },
  { name: 'quickly final', senderDomains: 'quick.test', requireTlsTemporary: '1s' },
  { name: 'example 2', senderDomains: 'bank2.test', ...certificateConnector },
  {
    name: 'example 2 with server certificates',
    senderDomains: 'bank2s.test',
    ...certificateConnector,
    acceptServerAuthOnly: true,
  },
  {
    name: 'example 3',
    senderDomains: 'bank3.test',
    requireTls: false,
    restrictDomainsToIPAddresses: true,
    senderIPAddresses: ['127.0.0.32/28', '127.0.0.7'],
  },
  {
    name: 'example 5',
    senderDomains: '*',
    senderIPAddresses: '127.0.0.5',
    requireTls: true,
  },
];

let gateway: RunningGateway;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-partners-'));
  gateway = await startGateway(
    await gatewaySetup({ anchors: { bank: [ca] }, organization: { inboundConnectors } }),
  );
});
after(async () => {
  await gateway?.stop();
  await gateway?.remove();
  await rm(folder, { recursive: true, force: true });
});

interface Attempt {
  readonly sender: string;
  /** `clear`: without TLS; `none`: TLS without a client certificate. */
  readonly client: Client | 'clear' | 'none';
  readonly from?: string;
  readonly options?: ConnectionOptions;
}

/** A whole session up to RCPT, and the message where that is accepted; the reply that decides. */
async function send({ sender, client, from, options }: Attempt): Promise<RawReply> {
  const session = await connectRaw({
    port: gateway.port('mx'),
    ...(from === undefined ? {} : { localAddress: from }),
  });
  try {
    await session.expect(220);
    await session.command('EHLO mail.contosobank.test', 250);
    if (client !== 'clear') {
      await session.startTlsByCommand({ ...options, ...(client === 'none' ? {} : shown(client)) });
      await session.command('EHLO mail.contosobank.test', 250);
    }
    const path = sender === '' ? '' : `teller@${sender}`;
    await session.command(`MAIL FROM:<${path}>`, 250);
    const answer = await session.command('RCPT TO:<user@example.test>');
    if (answer.code !== 250) return answer;
    await session.command('DATA', 354);
    return await session.command(`From: <teller@${sender}>\r\n\r\nfrom ${sender}\r\n.`);
  } finally {
    session.close();
  }
}

function shown(client: Client): ConnectionOptions {
  const chain = clients[client];
  return { cert: chainPem(...chain), key: chain[0]!.keyPem };
}

async function assertAccepted(attempt: Attempt): Promise<void> {
  const answer = await send(attempt);
  assert.equal(answer.code, 250, answer.text);
}

/** Refused by this code, with words that say why, and with an id that the trace knows. */
async function assertRefused(attempt: Attempt, reply: RegExp, connector: string): Promise<void> {
  const answer = await send(attempt);
  assert.match(answer.text, reply);
  const trace = await gateway.trace(refusalIdIn(answer.text));
  const event = trace.events[0];
  assert.equal(event?.kind, 'refused');
  assert.equal((event.decision as { connector?: string }).connector, connector);
}

const needsTls = /^454 4\.7\.0 Failed to establish appropriate TLS channel: Access denied/i;
const lockedDown = /^550 5\.7\.51 TenantInboundAttribution;/;

test('example 1: mail from the domain in clear is refused for now', () =>
  assertRefused({ sender: 'bank1.test', client: 'clear' }, needsTls, 'example 1'));

for (const client of ['none', 'right', 'selfSigned', 'untrustedCa', 'expired'] as const) {
  test(`example 1: over TLS it is accepted, client certificate: ${client}`, () =>
    assertAccepted({ sender: 'bank1.test', client }));
}

test('example 1: TLS 1.2 is enough', () =>
  assertAccepted({ sender: 'bank1.test', client: 'none', options: { maxVersion: 'TLSv1.2' } }));

test('example 1: other senders are not touched', () =>
  assertAccepted({ sender: 'elsewhere.test', client: 'clear' }));

test('the refusal of mail in clear becomes final after its time', async () => {
  const attempt = { sender: 'quick.test', client: 'clear' } as const;
  await assertRefused(attempt, needsTls, 'quickly final');
  await sleep(1100);
  await assertRefused(attempt, /^550 5\.7\.10 Failed to establish/, 'quickly final');
});

test('example 2: mail in clear is refused', () =>
  assertRefused({ sender: 'bank2.test', client: 'clear' }, needsTls, 'example 2'));

for (const client of ['right', 'withIntermediate'] as const) {
  test(`example 2: accepted with the client certificate: ${client}`, () =>
    assertAccepted({ sender: 'bank2.test', client }));
}

for (const client of Object.keys(clients) as Client[]) {
  if (client === 'right' || client === 'withIntermediate') continue;
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`example 2: refused over ${maxVersion} with the client certificate: ${client}`, () =>
      assertRefused(
        { sender: 'bank2.test', client, options: { maxVersion } },
        lockedDown,
        'example 2',
      ));
  }
}

test('example 2: refused without a client certificate', () =>
  assertRefused({ sender: 'bank2.test', client: 'none' }, lockedDown, 'example 2'));

test('example 2: the refusal says what was expected and what was shown', async () => {
  const answer = await send({ sender: 'bank2.test', client: 'otherName' });
  assert.match(answer.text, /mail\.contosobank\.test/);
  assert.match(answer.text, /mail\.other\.test/);
});

test('example 2: other senders are not touched, whatever they show', async () => {
  for (const client of ['clear', 'none', 'selfSigned', 'otherName', 'serverAuthOnly'] as const) {
    await assertAccepted({ sender: 'elsewhere.test', client });
  }
});

test('a certificate for servers only is accepted by the explicit rule', () =>
  assertAccepted({ sender: 'bank2s.test', client: 'serverAuthOnly' }));

for (const client of [
  'serverAuthOnlyUntrusted',
  'serverAuthOnlySelfSigned',
  'untrustedCa',
  'selfSigned',
  'expired',
  'missingIntermediate',
  'otherName',
] as const) {
  test(`the explicit rule lets nothing else pass: ${client}`, () =>
    assertRefused(
      { sender: 'bank2s.test', client },
      lockedDown,
      'example 2 with server certificates',
    ));
}

for (const from of ['127.0.0.7', '127.0.0.32', '127.0.0.47']) {
  test(`example 3: accepted from ${from}, in clear and over TLS`, async () => {
    await assertAccepted({ sender: 'bank3.test', client: 'clear', from });
    await assertAccepted({ sender: 'bank3.test', client: 'none', from });
  });
}

for (const from of ['127.0.0.1', '127.0.0.31', '127.0.0.48']) {
  test(`example 3: refused from ${from}, even with a certificate`, async () => {
    const attempt = { sender: 'bank3.test', from } as const;
    await assertRefused({ ...attempt, client: 'clear' }, lockedDown, 'example 3');
    await assertRefused({ ...attempt, client: 'right' }, lockedDown, 'example 3');
  });
}

test('example 5: whatever the address sends must come over TLS', async () => {
  for (const sender of ['elsewhere.test', 'anything.test']) {
    const attempt = { sender, from: '127.0.0.5' };
    await assertRefused({ ...attempt, client: 'clear' }, needsTls, 'example 5');
    await assertAccepted({ ...attempt, client: 'none' });
  }
});

test('example 5: the null reverse-path is no way around it', async () => {
  const attempt = { sender: '', client: 'clear', from: '127.0.0.5' } as const;
  await assertRefused(attempt, needsTls, 'example 5');
});

test('example 5: other addresses are not touched', () =>
  assertAccepted({ sender: 'elsewhere.test', client: 'clear', from: '127.0.0.6' }));

test('example 5 does not open example 3', async () => {
  const attempt = { sender: 'bank3.test', client: 'none', from: '127.0.0.5' } as const;
  await assertRefused(attempt, lockedDown, 'example 3');
});

test(
  'swaks with the right certificate passes, with a wrong one does not; trace tells why',
  { skip: noSwaks ?? false },
  async () => {
    const sendBy = async (client: Client) => {
      const files = await writeCertificateFiles(folder, client, clients[client]);
      return runSwaks(
        gateway.port('mx'),
        '--tls',
        '--tls-cert',
        files.certificateFile,
        '--tls-key',
        files.keyFile,
        '--from',
        'teller@bank2.test',
        '--to',
        'user@example.test',
      );
    };
    const right = await sendBy('right');
    assert.equal(right.code, 0, right.transcript);
    const wrong = await sendBy('otherName');
    assert.notEqual(wrong.code, 0);
    assert.match(wrong.transcript, /550 5\.7\.51 TenantInboundAttribution/);
    const trace = await gateway.run('trace', refusalIdIn(wrong.transcript));
    assert.equal(trace.code, 0, trace.stderr);
    assert.match(trace.stdout, /mail\.other\.test/);
    assert.match(trace.stdout, /example 2/);
  },
);

test('all that was accepted is in the mailbox, and nothing that was refused', async () => {
  await gateway.waitForMail('user', 1);
  const before = (await gateway.mailbox('user')).length;
  await assertRefused({ sender: 'bank2.test', client: 'none' }, lockedDown, 'example 2');
  await assertAccepted({ sender: 'bank2.test', client: 'right' });
  const messages = await gateway.waitForMail('user', before + 1);
  assert.ok(messages.some((message) => message.includes('from bank2.test')));
  await sleep(300);
  assert.equal((await gateway.mailbox('user')).length, messages.length);
});
