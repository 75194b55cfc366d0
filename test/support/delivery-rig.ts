/**
 * The delivery room with a fake resolver, fake partners on loopback and quick limits, for tests.
 *
 * Partners listen on any port of 127.0.0.x; `dial` leads there from the port that delivery asks for.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeResolver } from '../../src/dns/fake-resolver.ts';
import type { FakeEntry } from '../../src/dns/fake-zone.ts';
import { createDelivery } from '../../src/delivery/delivery.ts';
import type { DeliveryRoom } from '../../src/delivery/delivery.ts';
import { dial, dialTcp, isSocketPath } from '../../src/delivery/dial.ts';
import { defaultDeliveryLimits } from '../../src/delivery/services.ts';
import type { DeliveryLimits, DeliveryServices } from '../../src/delivery/services.ts';
import type { AttemptReport, Delivery, RouteAttempt } from '../../src/policy/delivery.ts';
import type { Outcome } from '../../src/policy/outcome.ts';
import type { OutboundConnector, Policy } from '../../src/policy/policy.ts';
import {
  chainPem,
  makeCa,
  makeIntermediate,
  makeLeaf,
  makeSelfSigned,
} from '../../src/testing/certificates.ts';
import type { FakePartner, FakePartnerOptions } from '../../src/testing/fake-partner.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import { address, outboundConnector, patterns, policy } from './policy.ts';
import { anchorsName, ca, client, strangerCa } from './tls-ends.ts';

export { anchorsName, ca, strangerCa };

export const intermediate = makeIntermediate(ca, 'Partner Intermediate');
const named = makeLeaf(ca, ['mx.partner.test']);

/** Certificates of a partner's server, by what is right or wrong with them. */
export const partnerTls = {
  trusted: { cert: chainPem(named), key: named.keyPem },
  otherName: tlsOf(makeLeaf(ca, ['mx.other.test'])),
  untrusted: tlsOf(makeLeaf(strangerCa, ['mx.partner.test'])),
  selfSigned: tlsOf(makeSelfSigned(['mx.partner.test'])),
  otherCa: tlsOf(makeLeaf(makeCa('Other CA'), ['mx.partner.test'])),
} as const;

function tlsOf(certificate: ReturnType<typeof makeLeaf>): { cert: string; key: string } {
  return { cert: chainPem(certificate), key: certificate.keyPem };
}

export const quickLimits: DeliveryLimits = {
  ...defaultDeliveryLimits,
  connectTimeoutMs: 1_000,
  handshakeTimeoutMs: 300,
  client: { ...defaultDeliveryLimits.client, quitMs: 50 },
};

export interface RigOptions {
  readonly connectors?: readonly OutboundConnector[];
  readonly zone?: Readonly<Record<string, FakeEntry>>;
  readonly limits?: Partial<DeliveryLimits>;
  readonly services?: Partial<DeliveryServices>;
  readonly clearTextAfterFailedTls?: boolean;
}

export interface Rig {
  readonly room: DeliveryRoom;
  readonly mailboxes: string;
  /** What was logged with level info, as fields and text. */
  readonly logged: { readonly fields: Readonly<Record<string, unknown>>; readonly text: string }[];
  policy: Policy;
  /** Starts a partner to which `address` and port 25 lead; closed with the rig. */
  partner(address: string, options?: FakePartnerOptions): Promise<FakePartner>;
  close(): Promise<void>;
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const mailboxes = await mkdtemp(join(tmpdir(), 'postern-delivery-'));
  const ports = new Map<string, number>();
  const partners: FakePartner[] = [];
  const logged: Rig['logged'] = [];
  let connections = 0;
  const services: DeliveryServices = {
    policy: () => rig.policy,
    resolver: createFakeResolver(options.zone ?? {}),
    tls: client,
    dial: (to, port, local, timeoutMs) =>
      isSocketPath(to)
        ? dial(to, port, local, timeoutMs)
        : dialTcp('127.0.0.1', ports.get(`${to} ${port}`) ?? 1, local, timeoutMs),
    mailboxPath: (organization, account) => join(mailboxes, organization, account),
    newConnectionId: () => `out-${++connections}`,
    takeInside: () => Promise.reject(new Error('no other organization in this test')),
    limits: { ...quickLimits, ...options.limits },
    guard: { allow: ['192.0.2.0/24'], allowPorts: [], smartHostsSetBy: 'organization' },
    ownAddresses: () => [],
    log: {
      info: (fields, text) => void logged.push({ fields, text }),
      warn: () => undefined,
      error: () => undefined,
      debug: () => undefined,
    },
    now: () => Date.now(),
    steadyNow: () => performance.now(),
    random: () => 0.5,
    ...options.services,
  };
  const room = createDelivery(services);
  const { clearTextAfterFailedTls = false } = options;
  const rig: Rig = {
    room,
    mailboxes,
    logged,
    policy: policy({
      outboundConnectors: options.connectors ?? [],
      defaultConnector: { clearTextAfterFailedTls },
    }),
    partner: async (to, partnerOptions = {}) => {
      const partner = await startFakePartner(partnerOptions);
      partners.push(partner);
      for (const port of [25, 465]) ports.set(`${to} ${port}`, partner.port);
      return partner;
    },
    close: async () => {
      await room.stop(0);
      await Promise.all(partners.map((partner) => partner.close()));
      await rm(mailboxes, { recursive: true });
    },
  };
  return rig;
}

/** `partner.test` with mx.partner.test at 192.0.2.1, and mx2.partner.test at 192.0.2.2. */
export const partnerZone: Readonly<Record<string, FakeEntry>> = {
  'partner.test': {
    mx: [
      { preference: 20, exchange: 'mx2.partner.test' },
      { preference: 10, exchange: 'mx.partner.test' },
    ],
  },
  'mx.partner.test': { a: ['192.0.2.1'] },
  'mx2.partner.test': { a: ['192.0.2.2'] },
};

/** The same with mx.partner.test alone. */
export const singleZone: Readonly<Record<string, FakeEntry>> = {
  'partner.test': { mx: [{ preference: 10, exchange: 'mx.partner.test' }] },
  'mx.partner.test': { a: ['192.0.2.1'] },
};

/** A connector for partner.test with our test anchors. */
export function toPartner(part: Partial<OutboundConnector> = {}): OutboundConnector {
  const recipientDomains = patterns('partner.test');
  return outboundConnector('to partner', { recipientDomains, anchors: anchorsName, ...part });
}

let messages = 0;

export function delivery(part: Partial<Delivery> = {}): Delivery {
  messages++;
  return {
    id: `MESSAGE${messages}`,
    ordinal: 0,
    organization: 'org',
    reversePath: address('user@example.test'),
    recipients: [address('b@partner.test')],
    bodyType: '7bit',
    content: { kind: 'memory', bytes: Buffer.from(secretContent) },
    source: { kind: 'submission', account: 'user' },
    receivedAtMs: Date.now(),
    floor: [],
    attempts: 0,
    failedTlsAtMs: [],
    ...part,
  };
}

export const secretContent = 'Subject: secret\r\n\r\n.confidential\r\n';

/** The outcomes of all recipients, in the order of the routes. */
export function outcomesOf(report: AttemptReport): Outcome[] {
  return report.routes.flatMap((route) => route.outcomes.map(({ outcome }) => outcome));
}

export function onlyRoute(report: AttemptReport): RouteAttempt {
  if (report.routes.length !== 1) throw new Error(`${report.routes.length} routes, not one`);
  return report.routes[0]!;
}
