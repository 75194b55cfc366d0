/**
 * Two organizations on one really started gateway, alike in every name that may be equal: both force
 * TLS with the same partner, each under certificates of its own, and each has an own server, a server
 * that keeps mailboxes, rules and aliases.
 */
import type { ConnectionOptions } from 'node:tls';
import { fakeZone } from '../../src/dns/fake-zone.ts';
import { startLoopbackServer } from '../../src/dns/loopback-server.ts';
import type { LoopbackServer } from '../../src/dns/loopback-server.ts';
import { hashPassword } from '../../src/identity/password-hash.ts';
import { chainPem, makeCa, makeLeaf } from '../../src/testing/certificates.ts';
import type { TestCertificate } from '../../src/testing/certificates.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import type { FakePartner } from '../../src/testing/fake-partner.ts';
import { connectRaw } from '../../src/testing/raw-client.ts';
import type { RawClient, RawReply } from '../../src/testing/raw-client.ts';
import type { RunningGateway } from './gateway.ts';
import { startGateway } from './gateway.ts';
import { gatewaySetup, smartHost } from './gateway-config.ts';
import { waitFor } from './ports.ts';

export type OrganizationName = 'alpha' | 'beta';

const partnerCa = makeCa('Partner CA');
const partnerLeaf = makeLeaf(partnerCa, ['mx.partner.test']);
const clientCa = makeCa('CA of our client certificates');

/** What each organization presents to the partner, and what the partner presents to each. */
export const ours = {
  alpha: makeLeaf(clientCa, ['out.alpha.test']),
  beta: makeLeaf(clientCa, ['out.beta.test']),
} as const;
const partnersCas = { alpha: makeCa('Partner to alpha'), beta: makeCa('Partner to beta') } as const;
export const partners = {
  alpha: makeLeaf(partnersCas.alpha, ['to-alpha.partner.test']),
  beta: makeLeaf(partnersCas.beta, ['to-beta.partner.test']),
} as const;

/** One CA for all own servers: only names tell them apart. */
const serverCa = makeCa('CA of servers');
export const servers = {
  alpha: makeLeaf(serverCa, ['mail.alpha.test']),
  beta: makeLeaf(serverCa, ['mail.beta.test']),
  betaBelowAlpha: makeLeaf(serverCa, ['mail.sub.alpha.test']),
  shared: makeLeaf(serverCa, ['mail.alpha.test', 'mail.beta.test']),
  stranger: makeLeaf(serverCa, ['mail.stranger.test']),
} as const;

export const passwords = { ann: 'password of ann', bob: 'password of bob' } as const;
const quick = { memoryKib: 8192, passes: 1, lanes: 1 } as const;
const hashes = {
  ann: await hashPassword(passwords.ann, quick),
  bob: await hashPassword(passwords.bob, quick),
};

export interface TwoOrganizations {
  readonly gateway: RunningGateway;
  /** The partner's server, which both reach as a smart host under one name. */
  readonly partner: FakePartner;
  /** The servers that keep mailboxes, both called "store". */
  readonly stores: Readonly<Record<OrganizationName, FakePartner>>;
  /** Behind a smart host of alpha for a domain that is beta's. */
  readonly detour: FakePartner;
  close(): Promise<void>;
}

export async function startTwoOrganizations(): Promise<TwoOrganizations> {
  const partner = await startFakePartner({
    hostName: 'mx.partner.test',
    tls: { cert: partnerLeaf.pem, key: partnerLeaf.keyPem },
    clientCertificate: 'requested',
    clientCa: clientCa.pem,
    reply: ({ command, line }) => (command === 'RCPT' ? refusalOf(line) : null),
  });
  const stores = { alpha: await startStore('known'), beta: await startStore('other') };
  const detour = await startFakePartner();
  const dns = await startLoopbackServer(
    fakeZone({ 'claimed.com': { mx: [{ preference: 0, exchange: '.' }] } }),
  );
  const peers = { partner, stores, detour, dns };
  const gateway = await startGateway(await setupOf(peers));
  return {
    gateway,
    ...peers,
    close: async () => {
      await gateway.remove();
      await Promise.all([partner, stores.alpha, stores.beta, detour].map((peer) => peer.close()));
      await dns.close();
    },
  };
}

function refusalOf(line: string): string | null {
  if (line.includes('nobody@')) return '550 5.1.1 nobody here has this name';
  return line.includes('later@') ? '451 4.2.1 come again' : null;
}

/** An LMTP server that knows one local-part. */
function startStore(known: string): Promise<FakePartner> {
  return startFakePartner({
    protocol: 'lmtp',
    reply: ({ command, line }) =>
      command === 'RCPT' && !line.includes(`<${known}@`) ? '550 5.1.1 no mailbox' : null,
  });
}

interface Peers extends Pick<TwoOrganizations, 'partner' | 'stores' | 'detour'> {
  readonly dns: LoopbackServer;
}

function setupOf(peers: Peers) {
  const { partner, stores, detour, dns } = peers;
  return gatewaySetup({
    certificates: { 'alpha-client': [ours.alpha], 'beta-client': [ours.beta] },
    anchors: {
      partner: [partnerCa],
      servers: [serverCa],
      'partner-alpha': [partnersCas.alpha],
      'partner-beta': [partnersCas.beta],
    },
    peerPorts: [partner.port, stores.alpha.port, stores.beta.port, detour.port],
    top: {
      dns: { servers: `127.0.0.1:${dns.port}`, timeout: '500ms' },
      organizations: [alphaOf(peers), betaOf(peers)],
    },
  });
}

function alphaOf({ partner, stores, detour }: Peers) {
  return {
    id: 'alpha',
    name: 'Alpha Works',
    acceptedDomains: [
      { domain: 'alpha.test' },
      { domain: 'strict.test' },
      { domain: 'trusted.test' },
      { domain: 'alpha-store.test', deliveryTarget: 'store', recipients: 'verify' },
    ],
    mailboxes: [
      {
        account: 'ann',
        addresses: ['ann@alpha.test', 'ann@strict.test', 'ann@trusted.test', 'loop@alpha.test'],
        passwordHash: hashes.ann,
      },
    ],
    aliases: [
      { address: 'friends@alpha.test', to: ['ann@alpha.test', 'bob@beta.test'] },
      { address: 'team@alpha.test', to: 'team@beta.test' },
    ],
    deliveryTargets: [{ name: 'store', protocol: 'lmtp', address: smartHost(stores.alpha.port) }],
    inboundConnectors: [
      fromPartner('alpha'),
      {
        name: 'own server',
        connectorType: 'OnPremises',
        tlsSenderCertificateName: '*.alpha.test',
        anchors: 'file:tls/servers.pem',
      },
      {
        name: 'own server by address',
        connectorType: 'OnPremises',
        senderIPAddresses: '127.0.0.31',
        requireTls: false,
      },
    ],
    outboundConnectors: [
      toPartner('alpha', partner),
      { name: 'detour', recipientDomains: 'detour.test', smartHosts: smartHost(detour.port) },
    ],
    rules: [
      { name: 'stamp', setHeaderName: 'X-Stamp', setHeaderValue: 'of-alpha' },
      {
        name: 'refuse',
        recipientDomainIs: 'beta.test',
        subjectContainsWords: 'alpha-refuses',
        rejectMessageReasonText: 'alpha does not want it',
      },
      {
        name: 'loop',
        sentTo: 'loop@alpha.test',
        redirectMessageTo: 'loop@beta.test',
      },
    ],
  };
}

function betaOf({ partner, stores }: Peers) {
  return {
    id: 'beta',
    name: 'Beta Labs',
    acceptedDomains: [
      { domain: 'beta.test' },
      { domain: 'sub.alpha.test' },
      { domain: 'detour.test' },
      { domain: 'beta-store.test', deliveryTarget: 'store', recipients: 'verify' },
      { domain: 'claimed.com' },
    ],
    mailboxes: [
      {
        account: 'bob',
        addresses: [
          'bob@beta.test',
          'bob@sub.alpha.test',
          'bob@detour.test',
          'loop@beta.test',
          'bob@claimed.com',
        ],
        passwordHash: hashes.bob,
      },
    ],
    aliases: [{ address: 'team@beta.test', to: ['bob@beta.test', 'carol@partner.test'] }],
    deliveryTargets: [{ name: 'store', protocol: 'lmtp', address: smartHost(stores.beta.port) }],
    inboundConnectors: [
      fromPartner('beta'),
      {
        name: 'own server',
        connectorType: 'OnPremises',
        tlsSenderCertificateName: '*.beta.test',
        anchors: 'file:tls/servers.pem',
      },
      {
        name: 'own server by address',
        connectorType: 'OnPremises',
        senderIPAddresses: '127.0.0.32',
        requireTls: false,
      },
      { name: 'alpha over TLS', senderDomains: 'alpha.test', requireTls: true },
      certified('alpha certified', 'strict.test'),
      { ...certified('alpha trusted', 'trusted.test'), trustedOrganizations: 'alpha' },
    ],
    outboundConnectors: [toPartner('beta', partner)],
    rules: [
      { name: 'stamp', setHeaderName: 'X-Stamp', setHeaderValue: 'of-beta' },
      {
        name: 'refuse',
        subjectContainsWords: 'beta-refuses',
        rejectMessageReasonText: 'beta does not want it',
      },
      {
        name: 'loop',
        sentTo: 'loop@beta.test',
        redirectMessageTo: 'loop@alpha.test',
      },
    ],
  };
}

function toPartner(organization: OrganizationName, { port }: FakePartner) {
  return {
    name: 'partner',
    recipientDomains: 'partner.test',
    smartHosts: smartHost(port),
    tlsSettings: 'DomainValidation',
    tlsDomain: 'mx.partner.test',
    anchors: 'file:tls/partner.pem',
    clientCertificate: `${organization}-client`,
  };
}

function fromPartner(organization: OrganizationName) {
  return {
    name: 'partner',
    senderDomains: 'partner.test',
    requireTls: true,
    restrictDomainsToCertificate: true,
    tlsSenderCertificateName: `to-${organization}.partner.test`,
    anchors: `file:tls/partner-${organization}.pem`,
  };
}

function certified(name: string, senderDomains: string) {
  return {
    name,
    senderDomains,
    restrictDomainsToCertificate: true,
    tlsSenderCertificateName: `mail.${senderDomains}`,
    anchors: 'file:tls/servers.pem',
  };
}

/** A client of the MX port or, with an account, of the submission port; null shows no certificate. */
export interface Client {
  readonly shows?: TestCertificate | null;
  readonly from?: string;
  readonly account?: keyof typeof passwords;
  /** Signs in under this name in place of the account's. */
  readonly username?: string;
  readonly isClear?: boolean;
}

export async function openClient(gateway: RunningGateway, who: Client): Promise<RawClient> {
  const { shows = null, from, account, isClear = false } = who;
  const client = await connectRaw({
    port: gateway.port(account === undefined ? 'mx' : 'submission'),
    ...(from === undefined ? {} : { localAddress: from }),
    timeoutMs: 15_000,
  });
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  if (isClear) return client;
  await client.startTlsByCommand(shows === null ? {} : shownBy(shows));
  await client.command('EHLO client.test', 250);
  if (account !== undefined) {
    const name = who.username ?? account;
    const token = Buffer.from(`\0${name}\0${passwords[account]}`).toString('base64');
    await client.command(`AUTH PLAIN ${token}`, 235);
  }
  return client;
}

function shownBy(leaf: TestCertificate): ConnectionOptions {
  return { cert: chainPem(leaf), key: leaf.keyPem };
}

export interface TestMessage {
  readonly from: string;
  readonly to: readonly string[];
  /** From of the header; MAIL FROM's where absent. */
  readonly headerFrom?: string;
  readonly subject?: string;
  readonly body?: string;
}

/** Every reply to RCPT, and the last one: of DATA where a recipient was taken, else of the last RCPT or of MAIL. */
export interface Transacted {
  readonly recipients: readonly RawReply[];
  readonly last: RawReply;
}

export async function transact(client: RawClient, message: TestMessage): Promise<Transacted> {
  const { from, to, headerFrom = from, subject = 'a test', body = 'some text' } = message;
  const opening = await client.command(`MAIL FROM:<${from}>`);
  if (opening.code !== 250) return { recipients: [], last: opening };
  const recipients: RawReply[] = [];
  for (const each of to) recipients.push(await client.command(`RCPT TO:<${each}>`));
  if (!recipients.some(({ code }) => code === 250)) return { recipients, last: recipients.at(-1)! };
  await client.command('DATA', 354);
  const header = `From: <${headerFrom}>\r\nTo: undisclosed:;\r\nSubject: ${subject}`;
  return { recipients, last: await client.command(`${header}\r\n\r\n${body}\r\n.`) };
}

/** One client, one message. */
export async function sendAs(
  gateway: RunningGateway,
  who: Client,
  message: TestMessage,
): Promise<Transacted> {
  const client = await openClient(gateway, who);
  try {
    return await transact(client, message);
  } finally {
    client.close();
  }
}

/** Waits for the message with this text in the mailbox of an account. */
export async function mailWith(
  { gateway }: TwoOrganizations,
  [organization, account]: readonly [OrganizationName, keyof typeof passwords],
  text: string,
): Promise<string> {
  return waitFor(`mail of ${account} with ${text}`, async () => {
    const mails = await gateway.mailbox(account, organization);
    const found = mails.map((mail) => mail.toString()).find((mail) => mail.includes(text));
    return found ?? null;
  });
}

/** The queue ids in the Received fields of a message, the newest first. */
export function idsIn(mail: string): readonly string[] {
  return [...mail.matchAll(/\(Postern\)[^]*?\sid\s+([0-9A-Z]{12})/g)].map(([, id]) => id!);
}
