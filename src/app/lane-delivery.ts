/** Delivery in a lane: with the real dialler and handshake. */
import { randomUUID } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { createDelivery } from '../delivery/delivery.ts';
import { dial } from '../delivery/dial.ts';
import type { DeliveryServices } from '../delivery/services.ts';
import type { Resolver } from '../dns/resolver.ts';
import { foldersOf } from './data-folder.ts';
import { deliveryLimitsOf } from './lane-limits.ts';
import type { OutgoingRoom } from './lane-outgoing.ts';
import type { Frame, InForce } from './lane-rooms.ts';
import type { RunningTls } from './lane-tls.ts';
import type { ListenerAddress } from './messages.ts';

/** The room that goes with this configuration, be it in force already or about to be. */
export async function openOutgoing(frame: Frame, next: InForce): Promise<OutgoingRoom> {
  const resolver = await frame.openResolver(next.config, frame.dns);
  return { resolver, delivery: createDelivery(deliveryServices(frame, next, resolver)) };
}

/** What delivery is made of: its bounds and its end of TLS. */
export interface Outbound {
  readonly config: Config;
  readonly tls: Pick<RunningTls, 'client'>;
}

/** What delivery is handed; its resolver and bounds are those of this configuration. */
export function deliveryServices(
  frame: Frame,
  { config, tls }: Outbound,
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
    takeInside: frame.takeInside,
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

/** Each listener's address; all of the machine's for a wildcard one. */
function ownAddresses(listeners: readonly ListenerAddress[]) {
  const machine = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return listeners.flatMap(({ host, port }) => {
    if (host !== '0.0.0.0' && host !== '::') return [{ address: host, port }];
    return machine.map(({ address }) => ({ address, port }));
  });
}
