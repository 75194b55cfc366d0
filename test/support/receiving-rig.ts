/** A running listener on loopback with fake services, and raw clients of it; for tests of receiving. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { makeCa, makeLeaf } from '../../src/testing/certificates.ts';
import { policy } from './policy.ts';
import type { RawClient, RawClientOptions } from '../../src/testing/raw-client.ts';
import { connectRaw } from '../../src/testing/raw-client.ts';
import { AnchorRegistry } from '../../src/tls/anchors.ts';
import type { ServerTls } from '../../src/tls/contexts.ts';
import { createServerTls } from '../../src/tls/contexts.ts';
import { FakeServices } from '../../src/receiving/fake-services.ts';
import type { Listener } from '../../src/receiving/listener.ts';
import { startListener } from '../../src/receiving/listener.ts';
import type { ListenerLimits, ListenerSettings } from '../../src/receiving/settings.ts';
import { defaultLimits } from '../../src/receiving/settings.ts';

export interface RunningListener {
  readonly services: FakeServices;
  readonly listener: Listener;
  client(options?: Omit<RawClientOptions, 'port'>): Promise<RawClient>;
  /** A client that was greeted and said EHLO. */
  greeted(options?: Omit<RawClientOptions, 'port'>): Promise<RawClient>;
}

export async function runListener(
  t: TestContext,
  limits: Partial<ListenerLimits> = {},
  settings: Partial<ListenerSettings> = {},
  services = new FakeServices(policy()),
): Promise<RunningListener> {
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
      limits: { ...defaultLimits, authFailureDelayMs: 1, ...limits },
      ...settings,
    },
    services,
  );
  const clients: RawClient[] = [];
  t.after(async () => {
    for (const client of clients) client.close();
    await listener.stop(0);
    assert.equal(services.contentMemory.usedBytes, 0, 'memory that nobody gave back');
  });
  const client: RunningListener['client'] = async (options = {}) => {
    const opened = await connectRaw({ port: listener.address.port, ...options });
    clients.push(opened);
    return opened;
  };
  const greeted: RunningListener['greeted'] = async (options = {}) => {
    const opened = await client(options);
    await opened.expect(220);
    await opened.command('EHLO client.test', 250);
    return opened;
  };
  return { services, listener, client, greeted };
}

/** A certificate of a CA made for this test, for listeners that shall speak TLS. */
export async function makeServerTls(): Promise<ServerTls> {
  const leaf = makeLeaf(makeCa(), ['mx.example.test']);
  return createServerTls({
    certificates: [{ certificate: Buffer.from(leaf.pem), key: Buffer.from(leaf.keyPem) }],
    anchors: new AnchorRegistry(),
  });
}
