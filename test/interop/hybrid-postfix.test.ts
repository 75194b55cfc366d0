/**
 * A real Postfix as the organization's own server, known by its certificate: it relays to the
 * outside, takes mail of its domain, and what the organization says to itself crosses between the
 * two and goes to nobody else.
 */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createTransport } from 'nodemailer';
import type { TestCertificate } from '../../src/testing/certificates.ts';
import { makeCa, makeLeaf, writeCertificateFiles } from '../../src/testing/certificates.ts';
import type { FakePartner } from '../../src/testing/fake-partner.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewayCa, gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { bodyHash, hardBody, messageWith } from '../support/hard-message.ts';
import { postfixDemandsCertificates, postfixSendsSecurely } from '../support/partner-servers.ts';
import { waitFor } from '../support/ports.ts';
import { startPostfix, whyNoPostfix } from '../support/postfix.ts';
import type { Postfix } from '../support/postfix.ts';
import { submit } from '../support/submit.ts';

const why = await whyNoPostfix();
const skip = why ?? false;

const ownName = 'mail.own.test';
const ownCa = makeCa('Own CA');
const senders = {
  own: makeLeaf(ownCa, [ownName]),
  otherName: makeLeaf(ownCa, ['mail.elsewhere.test']),
  otherCa: makeLeaf(makeCa('Another CA'), [ownName]),
  without: null,
};
type SenderName = keyof typeof senders;
const ourClient = makeLeaf(gatewayCa, ['client.example.test']);

let folder = '';
let thirdParty: FakePartner;
let receiver: Postfix;
let gateway: RunningGateway;
const postfixes = {} as Record<SenderName, Postfix>;

before(async () => {
  if (why !== null) return;
  folder = await mkdtemp(join(tmpdir(), 'postern-hybrid-'));
  await chmod(folder, 0o755);
  thirdParty = await startFakePartner({ hostName: 'mx.third.test' });
  receiver = await startPostfix({
    domains: ['own.test'],
    main: postfixDemandsCertificates(await filesOf('receiver', senders.own)),
  });
  gateway = await startGateway(await setup());
  const port = gateway.port('mx');
  for (const [name, leaf] of Object.entries(senders)) {
    const files = await filesOf(name, leaf ?? senders.own);
    const {
      smtp_tls_cert_file: cert,
      smtp_tls_key_file: key,
      ...rest
    } = postfixSendsSecurely(port, files, 'gateway.example.test');
    const shown = leaf === null ? {} : { smtp_tls_cert_file: cert!, smtp_tls_key_file: key! };
    postfixes[name as SenderName] = await startPostfix({ main: { ...rest, ...shown } });
  }
});

after(async () => {
  if (why !== null) return;
  try {
    await gateway?.stop();
  } finally {
    await gateway?.remove();
    await Promise.all([receiver, ...Object.values(postfixes)].map((each) => each?.stop()));
    await thirdParty?.close();
    await rm(folder, { recursive: true, force: true });
  }
});

async function filesOf(name: string, leaf: TestCertificate) {
  const peerCaFile = join(folder, 'gateway-ca.pem');
  await writeFile(peerCaFile, gatewayCa.pem);
  const files = await writeCertificateFiles(folder, name, [leaf]);
  // Postfix's own user reads it too.
  await chmod(files.keyFile, 0o644);
  return { ...files, peerCaFile };
}

function setup() {
  return gatewaySetup({
    certificates: { client: [ourClient] },
    anchors: { own: [ownCa] },
    peerPorts: [thirdParty.port, receiver.port],
    organization: {
      acceptedDomains: [
        { domain: 'example.test' },
        { domain: 'own.test', type: 'InternalRelay', recipients: 'any' },
        // The exact name on the own server's certificate: what relays bounces and forwarded mail.
        { domain: ownName },
      ],
      inboundConnectors: [
        {
          name: 'from own server',
          connectorType: 'OnPremises',
          tlsSenderCertificateName: ownName,
          anchors: 'file:tls/own.pem',
          cloudServicesMailEnabled: true,
        },
      ],
      outboundConnectors: [
        {
          name: 'to own server',
          connectorType: 'OnPremises',
          recipientDomains: 'own.test',
          smartHosts: smartHost(receiver.port),
          tlsSettings: 'DomainValidation',
          tlsDomain: ownName,
          anchors: 'file:tls/own.pem',
          clientCertificate: 'client',
          cloudServicesMailEnabled: true,
        },
        {
          name: 'to third party',
          recipientDomains: 'third.test',
          smartHosts: smartHost(thirdParty.port),
        },
      ],
    },
  });
}

/** Fields that the own server writes to its other side, and one that a signature could cover. */
const internal =
  'X-MS-Exchange-CrossPremises-AuthAs: Internal\r\n' +
  'X-MS-Exchange-CrossPremises-SCL:\r\n\t-1\r\n' +
  'X-MS-Exchange-Organization-Forged: yes\r\n' +
  'X-OriginatorOrg: own.test\r\n';
const kept = 'DKIM-Signature: v=1; d=own.test;\r\n  b=abc\t \r\nX-Kept:  as it is \r\n';

function messageOf(subject: string): Buffer {
  return Buffer.concat([
    Buffer.from(internal + kept, 'latin1'),
    messageWith(subject, hardBody(), 'teller@own.test'),
  ]);
}

/** Hands a message to a Postfix, which takes it to the gateway. */
async function handTo(name: SenderName, mail: { subject: string; from: string; to: string }) {
  const transport = createTransport({
    host: '127.0.0.1',
    port: postfixes[name].port,
    ignoreTLS: true,
  });
  const envelope = { from: mail.from, to: [mail.to], use8BitMime: true };
  await transport.sendMail({ envelope, raw: messageOf(mail.subject) });
  transport.close();
}

function atThirdParty(subject: string): Promise<string> {
  return waitFor(`${subject} at the third party`, async () => {
    const found = thirdParty.messages.find(({ content }) => content.includes(`: ${subject}`));
    return Promise.resolve(found?.content.toString('latin1') ?? null);
  });
}

async function inMailbox(subject: string): Promise<string> {
  const message = await waitFor(`${subject} in the mailbox`, async () => {
    const messages = await gateway.mailbox('user');
    return messages.find((each) => each.includes(`Subject: ${subject}`)) ?? null;
  });
  return message.toString('latin1');
}

const fromOurs = 'teller@own.test';
const fromElsewhere = 'someone@elsewhere.test';

for (const [what, from] of Object.entries({
  'mail of its users': fromOurs,
  'forwarded mail': fromElsewhere,
  bounces: '',
})) {
  test(`it relays ${what} to the outside, and nothing internal goes along`, { skip }, async () => {
    const subject = `relay-${what.replaceAll(' ', '-')}`;
    await handTo('own', { subject, from, to: 'clerk@third.test' });
    const message = await atThirdParty(subject);
    assert.ok(message.includes(kept));
    assert.equal(bodyHash(message), bodyHash(messageOf(subject)));
    assert.doesNotMatch(message, /^X-(?:MS-Exchange|OriginatorOrg)/im);
    const mark = 'X-CrossPremisesHeadersFilteredBySendConnector: gateway.example.test\r\n';
    assert.ok(message.startsWith(mark));
  });
}

test(
  'what it says to its other side arrives there as the organization’s own',
  { skip },
  async () => {
    const subject = 'into-the-mailbox';
    await handTo('own', { subject, from: fromOurs, to: 'user@example.test' });
    const message = await inMailbox(subject);
    assert.ok(message.includes(kept));
    assert.match(message, /^X-MS-Exchange-Organization-AuthAs: Internal\r\n/m);
    assert.match(message, /^X-MS-Exchange-Organization-SCL:\r\n\t-1\r\n/m);
    assert.match(message, /^X-MS-Exchange-Organization-MessageDirectionality: Originating\r\n/m);
    assert.match(message, /^X-CrossPremisesHeadersPromoted: gateway\.example\.test\r\n/m);
    assert.match(message, /^X-OriginatorOrg: own\.test\r\n/m);
    assert.doesNotMatch(message, /CrossPremises-|Forged/);
    assert.equal(bodyHash(message), bodyHash(messageOf(subject)));
  },
);

test(
  'mail of our accounts reaches it as internal, under the certificate’s name',
  { skip },
  async () => {
    const raw = messageWith('to-the-own-server', hardBody());
    const id = await submit(gateway, { to: 'clerk@own.test', raw });
    await gateway.waitUntilGone(id);
    const message = await waitFor('the mail at Postfix', async () => {
      const messages = await receiver.messages();
      return messages.find((each) => each.includes('Subject: to-the-own-server')) ?? null;
    });
    assert.match(message, /^X-MS-Exchange-CrossPremises-AuthAs: Internal\r?\n/m);
    assert.match(message, /^X-OrganizationHeadersPreserved: gateway\.example\.test\r?\n/m);
    assert.match(message, /^X-OriginatorOrg: example\.test\r?\n/m);
    assert.doesNotMatch(message, /X-MS-Exchange-Organization/);
    assert.match(message, /Client CN "client\.example\.test", Issuer "Gateway CA" \(verified OK\)/);
    assert.equal(bodyHash(message), bodyHash(raw));
  },
);

for (const name of ['otherName', 'otherCa', 'without'] as const) {
  for (const from of [fromElsewhere, fromOurs]) {
    // Without a certificate and with a foreign sender nothing says that it would be ours.
    const code = name === 'without' && from === fromElsewhere ? '5.7.1' : '5.7.64';
    const fact = `a server with the certificate "${name}" relays nothing from ${from}`;
    test(fact, { skip }, async () => {
      const subject = `stranger-${name}-${from}`;
      const to = `clerk-${subject.replace('@', '-')}@third.test`;
      await handTo(name, { subject, from, to });
      const refusal = await waitFor('the refusal in its log', async () => {
        const lines = (await postfixes[name].log()).split('\n');
        return (
          lines.find((line) => line.includes(to) && line.includes(`said: 550 ${code} `)) ?? null
        );
      });
      assert.match(refusal, /in reply to RCPT TO command/);
      assert.ok(!thirdParty.messages.some(({ content }) => content.includes(subject)));
    });
  }

  test(`a server with the certificate "${name}" is no other side of ours`, { skip }, async () => {
    const subject = `incoming-${name}`;
    await handTo(name, { subject, from: fromElsewhere, to: 'user@example.test' });
    const message = await inMailbox(subject);
    assert.ok(message.includes(kept));
    assert.match(message, /^X-MS-Exchange-Organization-AuthAs: Anonymous\r\n/m);
    assert.match(message, /^X-MS-Exchange-Organization-MessageDirectionality: Incoming\r\n/m);
    assert.doesNotMatch(message, /CrossPremises|Forged|OriginatorOrg|AuthAs: Internal/);
  });
}
