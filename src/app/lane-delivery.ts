/** Delivery in a lane: with the real resolver, dialler and handshake. */
import { randomUUID } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { createDelivery } from '../delivery/delivery.ts';
import { dial } from '../delivery/dial.ts';
import type { DeliveryServices } from '../delivery/services.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { StubResolver } from '../dns/stub-resolver.ts';
import { createStubResolver } from '../dns/stub-resolver.ts';
import type { AnswerEvents } from '../dns/watch-answers.ts';
import { watchAnswers } from '../dns/watch-answers.ts';
import type { DnsServer } from '../dns/system-servers.ts';
import { readSystemServers } from '../dns/system-servers.ts';
import { foldersOf } from './data-folder.ts';
import { deliveryLimitsOf } from './lane-limits.ts';
import type { OutgoingRoom } from './lane-outgoing.ts';
import type { Frame, InForce } from './lane-rooms.ts';
import type { ListenerAddress } from './messages.ts';

/** The room that goes with this configuration, be it in force already or about to be. */
export async function openOutgoing(frame: Frame, next: InForce): Promise<OutgoingRoom> {
  const resolver = await frame.openResolver(next.config, frame.dns);
  return { resolver, delivery: createDelivery(deliveryServices(frame, next, resolver)) };
}

function deliveryServices(
  frame: Frame,
  { config, tls }: InForce,
  resolver: Resolver,
): DeliveryServices {
  const mailboxes = foldersOf(config.dataFolder).mailboxes;
  return {
    policy: frame.policy,
    resolver,
    tls: tls.client,
    dial,
    mailboxPath: (organization, account) => join(mailboxes, organization, account),
    newConnectionId: () => randomUUID(),
    limits: deliveryLimitsOf(config, frame.start.share),
    guard: {
      allow: config.network.allow,
      allowPorts: config.network.allowPorts,
      smartHostsSetBy: 'gateway',
    },
    ownAddresses: () => ownAddresses(frame.doors.addresses()),
    log: frame.log,
    now: Date.now,
    steadyNow: () => performance.now(),
    random: Math.random,
  };
}

/** How a lane gets its resolver; a rehearsal brings one that answers from its own zone. */
export type OpenResolver = (config: Config, dns: DnsEvents) => Promise<ClosableResolver>;
export type DnsEvents = AnswerEvents & { readonly hostName: string };
export type ClosableResolver = Resolver & Pick<StubResolver, 'close'>;

/** The configured resolvers, or the system's. */
export async function openStubResolver(
  config: Config,
  dns: DnsEvents | null = null,
): Promise<StubResolver> {
  const configured = config.dns.servers.map(parseServer);
  const servers = configured.length > 0 ? configured : await readSystemServers();
  const resolver = createStubResolver({
    observe: (answer) => watch?.observe(answer),
    servers,
    timeoutMs: config.dns.timeoutMs,
    trustsLoopback: true,
    trustedServers: config.dns.trustAd ? servers.map((server) => server.address) : [],
  });
  const watch =
    dns === null
      ? null
      : watchAnswers(() => resolver.probe(dns.hostName), {
          isOut: dns.isOut === true,
          began: (failure) => dns.began(failure),
          ended: () => {
            resolver.forgetFailures();
            dns.ended();
          },
        });
  const close = (): void => {
    watch?.close();
    resolver.close();
  };
  return { ...resolver, close };
}

/** The schema has checked the form: address, `address:port` or `[IPv6]:port`. */
export function parseServer(text: string): DnsServer {
  const match = /^\[?([^\]]+?)\]?(?::(\d+))?$/.exec(text);
  const isBareV6 = !text.startsWith('[') && text.split(':').length > 2;
  if (isBareV6 || match === null) return { address: text, port: 53 };
  return { address: match[1]!, port: Number(match[2] ?? 53) };
}

/** Each listener's address; all of the machine's for a wildcard one. */
function ownAddresses(listeners: readonly ListenerAddress[]) {
  const machine = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return listeners.flatMap(({ host, port }) => {
    if (host !== '0.0.0.0' && host !== '::') return [{ address: host, port }];
    return machine.map(({ address }) => ({ address, port }));
  });
}
