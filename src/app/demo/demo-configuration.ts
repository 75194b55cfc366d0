/**
 * The configuration of the demo's gateway: mail to each partner under each TLS setting, and mail from
 * each under three inbound demands. The sub-domain of a partner chooses which.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatProblem } from '../../config/problem.ts';
import { Failure } from '../../mail/failure.ts';
import { makeLeaf } from '../../testing/certificates.ts';
import type { Configuration } from '../configuration.ts';
import { loadConfiguration } from '../configuration.ts';
import type { DemoPartner } from './demo-partners.ts';
import { demoCa } from './demo-partners.ts';

export const tlsSettings = [
  'Opportunistic',
  'EncryptionOnly',
  'CertificateValidation',
  'DomainValidation',
  'Pinned',
] as const;
export type TlsSetting = (typeof tlsSettings)[number];

/** What we demand of mail that comes in, by the sub-domain of the sender. */
export const inboundDemands = ['nothing', 'encryption', 'certificate'] as const;
export type InboundDemand = (typeof inboundDemands)[number];

export const demoSender = 'user@example.test';

export function domainFor(choice: TlsSetting | InboundDemand, partner: DemoPartner): string {
  return `${choice.toLowerCase()}.${partner.domain}`;
}

/** Writes the certificates into `folder`, in which the gateway keeps its data too. */
export async function prepareDemo(
  folder: string,
  partners: readonly DemoPartner[],
): Promise<Configuration> {
  const own = makeLeaf(demoCa, ['gateway.example.test'], { ipAddresses: ['127.0.0.1'] });
  await mkdir(join(folder, 'tls'), { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'tls', 'own.pem'), own.pem);
  await writeFile(join(folder, 'tls', 'own.key'), own.keyPem, { mode: 0o600 });
  await writeFile(join(folder, 'tls', 'demo-ca.pem'), demoCa.pem);
  const file = join(folder, 'postern.yaml');
  const text = `${JSON.stringify(describe(partners), null, 2)}\n`;
  await writeFile(file, text);
  const loaded = await loadConfiguration({ file, dataFolder: null }, null);
  if (loaded.kind === 'loaded') return loaded.configuration;
  const lines = loaded.problems.map((problem) => formatProblem(problem));
  throw new Failure('config-refused', lines.join('\n'));
}

function describe(partners: readonly DemoPartner[]): object {
  return {
    hostName: 'gateway.example.test',
    dataFolder: './data',
    lanes: 1,
    ...(process.getuid?.() === 0 ? { user: 'root' } : {}),
    listeners: [{ name: 'mx', host: '127.0.0.1', port: 0, kind: 'mx' }],
    certificates: { own: { certificate: 'tls/own.pem', key: 'tls/own.key' } },
    serverCertificates: 'own',
    network: {
      allow: ['127.0.0.0/8'],
      allowPorts: partners.map(({ server }) => server.port),
    },
    organizations: [
      {
        id: 'example',
        acceptedDomains: [{ domain: 'example.test' }],
        mailboxes: [{ account: 'user', addresses: [demoSender] }],
        outboundConnectors: partners.flatMap((partner) =>
          tlsSettings.map((setting) => outbound(partner, setting)),
        ),
        inboundConnectors: [
          inboundEncryption(partners),
          ...partners.map((partner) => inboundCertificate(partner)),
        ],
      },
    ],
  };
}

function outbound(partner: DemoPartner, setting: TlsSetting): object {
  const { mxHost, server, chain } = partner;
  // The key on which both sides agreed: for a partner without TLS there was none to agree on.
  const pin = chain[0]?.spki256 ?? demoCa.spki256;
  return {
    name: `To ${partner.name}, ${setting}`,
    recipientDomains: domainFor(setting, partner),
    smartHosts: `${mxHost}:${server.port}`,
    tlsSettings: setting,
    ...(setting.endsWith('Validation') ? { anchors: 'tls/demo-ca.pem' } : {}),
    ...(setting === 'DomainValidation' ? { tlsDomain: mxHost } : {}),
    ...(setting === 'Pinned' ? { pins: pin } : {}),
  };
}

function inboundEncryption(partners: readonly DemoPartner[]): object {
  return {
    name: 'From partners, encrypted',
    senderDomains: partners.map((partner) => domainFor('encryption', partner)),
    requireTls: true,
  };
}

function inboundCertificate(partner: DemoPartner): object {
  return {
    name: `From ${partner.name}, by its certificate`,
    senderDomains: domainFor('certificate', partner),
    requireTls: true,
    restrictDomainsToCertificate: true,
    tlsSenderCertificateName: partner.mxHost,
    anchors: 'tls/demo-ca.pem',
  };
}
