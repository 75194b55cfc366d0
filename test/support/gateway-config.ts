/**
 * Configurations for really started gateways: one organization, free ports on loopback, quick
 * retries, and whatever the test adds.
 */
import { hashPassword } from '../../src/identity/password-hash.ts';
import { chainPem, makeCa, makeLeaf } from '../../src/testing/certificates.ts';
import type { TestCertificate } from '../../src/testing/certificates.ts';

export const userPassword = 'correct horse battery';
const userHash = hashPassword(userPassword, { memoryKib: 8192, passes: 1, lanes: 1 });

/** The CA that issued the gateway's own certificate. */
export const gatewayCa = makeCa('Gateway CA');
export const gatewayLeaf = makeLeaf(gatewayCa, ['gateway.example.test'], {
  ipAddresses: ['127.0.0.1'],
});

export interface OrganizationParts {
  readonly inboundConnectors?: readonly object[];
  readonly outboundConnectors?: readonly object[];
  readonly [key: string]: unknown;
}

/** The certificate and key of each name lie in `tls/<name>.pem` and `tls/<name>.key`. */
export interface GatewayParts {
  readonly organization?: OrganizationParts;
  /** Entries of `certificates` besides `server`. */
  readonly certificates?: Readonly<Record<string, readonly TestCertificate[]>>;
  /** Trust anchors, written to `tls/<name>.pem`. */
  readonly anchors?: Readonly<Record<string, readonly TestCertificate[]>>;
  /** Ports of peers on loopback. */
  readonly peerPorts?: readonly number[];
  readonly listeners?: readonly object[];
  /** More keys of the top level. */
  readonly top?: object;
  readonly queue?: object;
}

/** A configuration with its files, as `startGateway` takes them. */
export interface GatewaySetup {
  readonly config: object;
  readonly files: Readonly<Record<string, string>>;
}

export const listeners: readonly object[] = [
  { name: 'mx', host: '127.0.0.1', port: 0, kind: 'mx' },
  { name: 'submission', host: '127.0.0.1', port: 0, kind: 'submission' },
  { name: 'submissions', host: '127.0.0.1', port: 0, kind: 'submission', tls: 'implicit' },
];

/**
 * Organization `example` with the domain `example.test`, the account `user` with the address
 * `user@example.test` and the password `userPassword`.
 */
export async function gatewaySetup(parts: GatewayParts = {}): Promise<GatewaySetup> {
  const certificates = { server: [gatewayLeaf, gatewayCa], ...parts.certificates };
  const files: Record<string, string> = {};
  for (const [name, chain] of Object.entries(certificates)) {
    files[`tls/${name}.pem`] = chainPem(...chain);
    files[`tls/${name}.key`] = chain[0]!.keyPem;
  }
  for (const [name, anchors] of Object.entries(parts.anchors ?? {})) {
    files[`tls/${name}.pem`] = chainPem(...anchors);
  }
  const peerPorts = parts.peerPorts ?? [];
  const config = {
    hostName: 'gateway.example.test',
    dataFolder: './data',
    ...(process.getuid?.() === 0 ? { user: 'root' } : {}),
    listeners: parts.listeners ?? listeners,
    certificates: Object.fromEntries(
      Object.keys(certificates).map((name) => [
        name,
        { certificate: `tls/${name}.pem`, key: `tls/${name}.key` },
      ]),
    ),
    serverCertificates: 'server',
    network: {
      allow: ['127.0.0.0/8'],
      ...(peerPorts.length === 0 ? {} : { allowPorts: peerPorts }),
    },
    queue: { retryFirst: '1s', retryMax: '2s', expiry: '1h', ...parts.queue },
    organizations: [
      {
        id: 'example',
        acceptedDomains: [{ domain: 'example.test' }],
        mailboxes: [
          {
            account: 'user',
            addresses: ['user@example.test', 'second@example.test'],
            passwordHash: await userHash,
          },
        ],
        ...parts.organization,
      },
    ],
    ...parts.top,
  };
  return { config, files };
}

/** A smart host on loopback as the configuration writes it. */
export function smartHost(port: number): string {
  return `127.0.0.1:${port}`;
}
