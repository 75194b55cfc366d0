/**
 * The facts that hold with any real mail server as the partner, TLS forced and client certificates
 * shown on both sides; `postfix.test.ts` and `exim.test.ts` say which server.
 */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createTransport } from 'nodemailer';
import {
  makeCa,
  makeIntermediate,
  makeLeaf,
  writeCertificateFiles,
} from '../../src/testing/certificates.ts';
import type { TestCertificate } from '../../src/testing/certificates.ts';
import { startGateway } from './gateway.ts';
import type { RunningGateway } from './gateway.ts';
import { gatewayCa, gatewaySetup, smartHost } from './gateway-config.ts';
import { bodyHash, hardBody, largeBody, messageWith } from './hard-message.ts';
import type { PartnerFiles } from './partner-servers.ts';
import { waitFor } from './ports.ts';
import { submit } from './submit.ts';

/** What Postfix and Exim have in common. */
export interface RealServer {
  readonly port: number;
  log(): Promise<string>;
  messages(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export interface ReceiverSettings {
  readonly domains: readonly string[];
  readonly isTls12Only: boolean;
}

export interface RealServerKind {
  /** Why it cannot run here, or null. */
  readonly skip: string | null;
  /** Takes mail over TLS only, from clients whose certificate leads to `peerCaFile`. */
  startReceiver(files: PartnerFiles, settings: ReceiverSettings): Promise<RealServer>;
  /** Sends all mail to the gateway, TLS forced; shows a certificate where `hasCertificate`. */
  startSender(port: number, files: PartnerFiles, hasCertificate: boolean): Promise<RealServer>;
  /** Of a Received field that this server writes about mail under TLS 1.3 from our certificate. */
  readonly receivedUnderTls: RegExp;
}

const partnerName = 'mx.partner.test';
const partnerCa = makeCa('Partner CA');
const intermediate = makeIntermediate(partnerCa, 'Partner Intermediate');
const partnerChain = [makeLeaf(intermediate, [partnerName]), intermediate];
const otherNameChain = [makeLeaf(intermediate, ['mx.other.test']), intermediate];
const ownClientLeaf = makeLeaf(gatewayCa, ['client.example.test']);
const strangerLeaf = makeLeaf(makeCa('Stranger CA'), ['client.example.test']);

const senders = { right: partnerChain, otherName: otherNameChain, without: null };
type SenderName = keyof typeof senders;

const forced = {
  tlsSettings: 'DomainValidation',
  tlsDomain: partnerName,
  anchors: 'tls/partner.pem',
};

interface Stage {
  gateway: RunningGateway;
  receiver: RealServer;
  tls12Receiver: RealServer;
  senders: Record<SenderName, RealServer>;
}

/** Declares the tests; nothing is started where they are skipped. */
export function testRealServer(kind: RealServerKind): void {
  const skip = kind.skip ?? false;
  const stage = {} as Stage;
  let folder = '';

  before(async () => {
    if (kind.skip !== null) return;
    folder = await mkdtemp(join(tmpdir(), 'postern-real-'));
    await chmod(folder, 0o755);
    await startAll(kind, folder, stage);
  });
  after(async () => {
    if (kind.skip !== null) return;
    const { gateway, receiver, tls12Receiver } = stage;
    try {
      await gateway?.stop();
    } finally {
      await gateway?.remove();
      const all = [receiver, tls12Receiver, ...Object.values(stage.senders ?? {})];
      await Promise.all(all.map((server) => server?.stop()));
      await rm(folder, { recursive: true, force: true });
    }
  });

  testInbound(stage, skip);
  testOutbound(stage, kind, skip);
  testThrough(stage, skip);
}

async function startAll(kind: RealServerKind, folder: string, stage: Stage): Promise<void> {
  const ours = join(folder, 'gateway-ca.pem');
  await writeFile(ours, gatewayCa.pem);
  const filesOf = async (name: string, chain: readonly TestCertificate[]) => {
    const files = await writeCertificateFiles(folder, name, chain);
    // The server's own user reads it too.
    await chmod(files.keyFile, 0o644);
    return { ...files, peerCaFile: ours };
  };
  const partnerFiles = await filesOf('partner', partnerChain);
  const domains = ['partner.test', 'absent.test', 'wrong.test', 'relay.test'];
  stage.receiver = await kind.startReceiver(partnerFiles, { domains, isTls12Only: false });
  stage.tls12Receiver = await kind.startReceiver(partnerFiles, {
    domains: ['absent12.test', 'wrong12.test'],
    isTls12Only: true,
  });
  stage.gateway = await startGateway(await setupOf(stage));
  const port = stage.gateway.port('mx');
  const started = Object.entries(senders).map(async ([name, chain]) => {
    const files = chain === null ? partnerFiles : await filesOf(name, chain);
    return [name, await kind.startSender(port, files, chain !== null)] as const;
  });
  stage.senders = Object.fromEntries(await Promise.all(started)) as Stage['senders'];
}

function setupOf({ receiver, tls12Receiver }: Stage) {
  const to = (domain: string, port: number, more: object) => ({
    name: `to ${domain}`,
    recipientDomains: domain,
    smartHosts: smartHost(port),
    ...forced,
    ...more,
  });
  return gatewaySetup({
    certificates: { client: [ownClientLeaf], stranger: [strangerLeaf] },
    anchors: { partner: [partnerCa] },
    peerPorts: [receiver.port, tls12Receiver.port],
    organization: {
      acceptedDomains: [
        { domain: 'example.test' },
        { domain: 'relay.test', type: 'InternalRelay', recipients: 'any' },
      ],
      inboundConnectors: [
        {
          name: 'from partner',
          senderDomains: 'partner.test',
          restrictDomainsToCertificate: true,
          tlsSenderCertificateName: partnerName,
          anchors: 'tls/partner.pem',
        },
      ],
      outboundConnectors: [
        to('partner.test', receiver.port, { clientCertificate: 'client' }),
        to('relay.test', receiver.port, {
          clientCertificate: 'client',
          connectorType: 'OnPremises',
        }),
        to('absent.test', receiver.port, {}),
        to('wrong.test', receiver.port, { clientCertificate: 'stranger' }),
        to('absent12.test', tls12Receiver.port, {}),
        to('wrong12.test', tls12Receiver.port, { clientCertificate: 'stranger' }),
      ],
    },
  });
}

/** Hands a message to the partner's own server, which takes it from there. */
async function handTo(server: RealServer, raw: Buffer, to: string): Promise<void> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: server.port,
    ignoreTLS: true,
  });
  const envelope = { from: 'teller@partner.test', to: [to], use8BitMime: true };
  await transport.sendMail({ envelope, raw });
  transport.close();
}

function testInbound(stage: Stage, skip: string | false): void {
  test(
    'its mail with the right certificate passes, and both sides know the TLS',
    { skip },
    async () => {
      const raw = messageWith('inbound-right', hardBody(), 'teller@partner.test');
      await handTo(stage.senders.right, raw, 'user@example.test');
      const message = await findMail(stage.gateway, 'inbound-right');
      const received = /^Received: [^]*?(?=^\S)/m.exec(message)?.[0] ?? '';
      assert.match(received, /\bwith\s+ESMTPS\b/);
      assert.match(received, /TLSv?1\.3/);
      assert.match(received, /TLS_[A-Z0-9_]+|X25519|P-256|secp/i);
      const id = /\bid ([0-9A-Z]{12})\b/.exec(received)?.[1];
      const trace = await stage.gateway.trace(id!);
      const event = trace.events[0];
      assert.ok(event?.kind === 'received' && event.source.kind === 'mx');
      assert.deepEqual(event.source.inboundConnectors, ['from partner']);
      assert.ok(event.evidence !== null && !('missing' in event.evidence));
      assert.deepEqual(event.evidence.tls?.chain[0]?.dnsNames, [partnerName]);
      assert.equal(bodyHash(message), bodyHash(raw));
    },
  );

  for (const name of ['otherName', 'without'] as const) {
    test(`its mail is refused with the client certificate: ${name}`, { skip }, async () => {
      const raw = messageWith(`inbound-${name}`, hardBody(), 'teller@partner.test');
      await handTo(stage.senders[name], raw, 'user@example.test');
      await waitFor('the refusal in its log', async () =>
        /550 5\.7\.51 TenantInboundAttribution/.test(await stage.senders[name].log()),
      );
      const messages = await stage.gateway.mailbox('user');
      assert.ok(!messages.some((message) => message.includes(`inbound-${name}`)));
    });
  }
}

function testOutbound(stage: Stage, kind: RealServerKind, skip: string | false): void {
  test('mail to it passes, our certificate is shown and verified', { skip }, async () => {
    const raw = messageWith('outbound-right', hardBody());
    const id = await submit(stage.gateway, { to: 'clerk@partner.test', raw });
    await stage.gateway.waitUntilGone(id);
    const message = await findAt(stage.receiver, 'outbound-right');
    assert.match(message, kind.receivedUnderTls);
    assert.equal(bodyHash(message), bodyHash(raw));
    const trace = await stage.gateway.trace(id);
    const attempt = trace.events.find((event) => event.kind === 'attempt');
    const evidence = attempt?.routes[0]?.candidates.at(-1)?.evidence;
    assert.ok(evidence !== undefined && evidence !== null && !('missing' in evidence));
    assert.equal(evidence.tls?.protocol, 'TLSv1.3');
    assert.equal(evidence.tls.ownCertificate, ownClientLeaf.fingerprint256);
    assert.equal(evidence.tls.openssl?.result, 'ok');
  });

  for (const domain of ['absent.test', 'wrong.test', 'absent12.test', 'wrong12.test']) {
    const what = domain.startsWith('absent') ? 'no client certificate' : 'a wrong one';
    const version = domain.includes('12') ? '1.2' : '1.3';
    test(
      `over TLS ${version} with ${what} mail waits, and the reason names it`,
      { skip },
      async () => {
        const id = await submit(stage.gateway, { to: `clerk@${domain}`, text: `to-${domain}` });
        const row = await stage.gateway.waitForRow(id);
        assert.equal(row.lastOutcome?.kind, 'deferred');
        assert.match(row.lastOutcome.reason, /our certificate|client certificate/i);
        const messages = [
          ...(await stage.receiver.messages()),
          ...(await stage.tls12Receiver.messages()),
        ];
        assert.ok(!messages.some((message) => message.includes(`to-${domain}`)));
      },
    );
  }
}

function testThrough(stage: Stage, skip: string | false): void {
  const bodies = { hard: hardBody(), large: largeBody(20_000_000), empty: Buffer.alloc(0) };
  for (const [name, body] of Object.entries(bodies)) {
    const fact = `a message passes through both legs byte for byte: ${name}, ${body.length} bytes`;
    test(fact, { skip, timeout: 60_000 }, async () => {
      const subject = `through-${name}`;
      const raw = messageWith(subject, body, 'teller@partner.test');
      await handTo(stage.senders.right, raw, 'clerk@relay.test');
      const message = await findAt(stage.receiver, subject, 45_000);
      assert.equal(bodyHash(message), bodyHash(raw));
    });
  }
}

async function findMail(gateway: RunningGateway, subject: string): Promise<string> {
  const message = await waitFor(`${subject} in the mailbox`, async () => {
    const messages = await gateway.mailbox('user');
    return messages.find((each) => each.includes(`Subject: ${subject}`)) ?? null;
  });
  return message.toString('latin1');
}

function findAt(server: RealServer, subject: string, timeoutMs = 20_000): Promise<string> {
  return waitFor(
    `${subject} at the partner`,
    async () => {
      const messages = await server.messages();
      return messages.find((each) => each.includes(`Subject: ${subject}`)) ?? null;
    },
    timeoutMs,
  );
}
