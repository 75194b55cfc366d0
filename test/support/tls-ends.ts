/**
 * Our TLS ends over loopback sockets, against each other and against plain node:tls peers.
 *
 * For tests: own certificates and client certificates of each kind under one trusted CA.
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as dial, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { AnchorRegistry } from '../../src/tls/anchors.ts';
import { createClientTls, createServerTls } from '../../src/tls/contexts.ts';
import type { ClientTls, ServerTls } from '../../src/tls/contexts.ts';
import { upgradeClient, upgradeServer } from '../../src/tls/handshake.ts';
import type { ClientUpgrade, ServerUpgrade, Upgraded } from '../../src/tls/handshake.ts';
import {
  chainPem,
  expired,
  makeCa,
  makeIntermediate,
  makeLeaf,
  makeSelfSigned,
  serverAuthOnly,
} from '../../src/testing/certificates.ts';
import type { TestCertificate } from '../../src/testing/certificates.ts';

export const ca = makeCa('Trusted CA');
export const intermediate = makeIntermediate(ca, 'Trusted Intermediate');
export const strangerCa = makeCa('Stranger CA');
export const own = makeLeaf(intermediate, ['mx.us.test']);
export const ownRsa = makeLeaf(intermediate, ['mx.us.test'], { key: 'rsa2048' });

export const source = (...chain: readonly TestCertificate[]) => ({
  certificate: Buffer.from(chainPem(...chain)),
  key: Buffer.from(chain[0]!.keyPem),
});

export const clients: Readonly<Record<string, readonly TestCertificate[]>> = {
  trusted: [makeLeaf(ca, ['mx.partner.test'])],
  'with intermediate': [makeLeaf(intermediate, ['mx.partner.test']), intermediate],
  'without its intermediate': [makeLeaf(intermediate, ['mx.partner.test'])],
  untrusted: [makeLeaf(strangerCa, ['mx.partner.test']), strangerCa],
  'self-signed': [makeSelfSigned(['mx.partner.test'])],
  expired: [makeLeaf(ca, ['mx.partner.test'], expired)],
  'serverAuth only': [makeLeaf(ca, ['mx.partner.test'], serverAuthOnly)],
  'serverAuth only, untrusted': [makeLeaf(strangerCa, ['mx.partner.test'], serverAuthOnly)],
  'serverAuth only, self-signed': [makeSelfSigned(['mx.partner.test'], serverAuthOnly)],
};

export const directory: string = await mkdtemp(join(tmpdir(), 'postern-tls-'));
await writeFile(join(directory, 'ca.pem'), ca.pem);
export const anchorsName: string = `file:${join(directory, 'ca.pem')}`;
export const anchors = new AnchorRegistry();
await anchors.loadAnchors([anchorsName]);
export const server: ServerTls = await createServerTls({
  certificates: [source(own, intermediate)],
  anchors,
});
export const client: ClientTls = await createClientTls({
  clientCertificates: Object.fromEntries(
    Object.entries(clients).map(([name, chain]) => [name, source(...chain)]),
  ),
  anchors,
});

/** To be called after the tests of a file. */
export async function removeDirectory(): Promise<void> {
  await rm(directory, { recursive: true });
}

export interface Pair {
  readonly server: Upgraded;
  readonly client: Upgraded;
}

export function serverOptions(options: Partial<ServerUpgrade> = {}): ServerUpgrade {
  return {
    connectionId: 'in-1',
    mode: 'starttls',
    wantedPaths: [],
    timeoutMs: 5000,
    requestClientCertificate: true,
    ...options,
  };
}

export function clientOptions(options: Partial<ClientUpgrade> = {}): ClientUpgrade {
  return {
    connectionId: 'out-1',
    mode: 'starttls',
    sni: 'mx.us.test',
    anchors: anchorsName,
    wantedPaths: [{ anchors: anchorsName, purpose: 'serverAuth' }],
    clientCertificate: null,
    peer: { address: '127.0.0.1', port: 25, hostName: 'mx.us.test' },
    timeoutMs: 5000,
    ...options,
  };
}

/** Listens, hands the one connection to `serve`, dials, and stops everything after `use`. */
export async function withConnection<T>(
  serve: (raw: Socket) => void,
  use: (raw: Socket) => Promise<T>,
): Promise<T> {
  const sockets: Socket[] = [];
  const listener: Server = createServer((raw) => {
    sockets.push(raw.on('error', () => {}));
    serve(raw);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const raw = dial((listener.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(raw.on('error', () => {}));
  try {
    await once(raw, 'connect');
    return await use(raw);
  } finally {
    for (const socket of sockets) socket.destroy();
    listener.close();
  }
}

/** Both of our ends; `look` sees them before they are destroyed. */
export async function shake(
  options: {
    server?: Partial<ServerUpgrade>;
    client?: Partial<ClientUpgrade>;
    tls?: ServerTls;
  } = {},
  look: (pair: Pair) => Promise<void> = async () => {},
): Promise<Pair> {
  const served = Promise.withResolvers<Upgraded>();
  return await withConnection(
    (raw) => {
      const upgrading = upgradeServer(raw, options.tls ?? server, serverOptions(options.server));
      upgrading.then(served.resolve, served.reject);
    },
    async (raw) => {
      const dialled = upgradeClient(raw, clientOptions(options.client), client);
      const pair = { client: await dialled, server: await served.promise };
      await look(pair);
      pair.client.socket?.destroy();
      pair.server.socket?.destroy();
      return pair;
    },
  );
}

/** Our server against a plain node:tls client. */
export async function served(
  connectOptions: tls.ConnectionOptions,
  options: Partial<ServerUpgrade> = {},
): Promise<Upgraded> {
  const done = Promise.withResolvers<Upgraded>();
  return await withConnection(
    (raw) => {
      upgradeServer(raw, server, serverOptions(options)).then(done.resolve, done.reject);
    },
    async (raw) => {
      const peer = tls.connect({ socket: raw, rejectUnauthorized: false, ...connectOptions });
      peer.on('error', () => {});
      const upgraded = await done.promise;
      peer.destroy();
      upgraded.socket?.destroy();
      return upgraded;
    },
  );
}

/** Our client against a plain node:tls server. */
export async function dialled(
  contextOptions: tls.SecureContextOptions,
  options: Partial<ClientUpgrade> = {},
): Promise<Upgraded> {
  const secureContext = tls.createSecureContext(contextOptions);
  return await withConnection(
    (raw) => {
      new tls.TLSSocket(raw, { isServer: true, secureContext }).on('error', () => {});
    },
    async (raw) => {
      const upgraded = await upgradeClient(raw, clientOptions(options), client);
      upgraded.socket?.destroy();
      return upgraded;
    },
  );
}

export function pemOf(chain: readonly TestCertificate[]): { cert: string; key: string } {
  return { cert: chainPem(...chain), key: chain[0]!.keyPem };
}
