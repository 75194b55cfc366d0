/**
 * A reload in a lane, in two steps: everything that can fail happens in `prepare`, which changes
 * nothing; `commit` swaps it all within one turn of the event loop.
 */
import { Failure } from '../mail/failure.ts';
import { openOutgoing } from './lane-delivery.ts';
import type { PreparedDoors, ServicesOfDoor } from './lane-doors.ts';
import { DoorRefusal } from './lane-doors.ts';
import { clientRatesOf, queueLimitsOf, rateLimitsOf, shareOf } from './lane-limits.ts';
import type { OutgoingRoom } from './lane-outgoing.ts';
import type { Frame, InForce, Rooms } from './lane-rooms.ts';
import { loadTls } from './lane-tls.ts';
import type { LaneConfiguration, LaneHandlers, PrepareAnswer } from './messages.ts';

interface Prepared {
  readonly reload: number;
  readonly next: InForce;
  readonly outgoing: OutgoingRoom;
  readonly doors: PreparedDoors;
  /** Lets sessions of new listeners in. */
  readonly letIn: () => void;
}

/** `servicesOf` as at the start, but for what new sessions wait for. */
export function reloadHandlers(
  frame: Frame,
  rooms: Rooms,
  servicesOf: (opened: Promise<void>) => ServicesOfDoor,
): Pick<LaneHandlers, 'prepare' | 'commit' | 'abandon'> {
  let prepared: Prepared | null = null;

  function abandon(): void {
    prepared?.doors.abandon();
    void prepared?.outgoing.delivery.stop(0);
    prepared?.outgoing.resolver.close();
    prepared = null;
  }

  return {
    prepare: async ({ reload, ...configuration }) => {
      abandon();
      const opened = Promise.withResolvers<void>();
      try {
        const made = await prepare(frame, configuration, servicesOf(opened.promise));
        prepared = { reload, ...made, letIn: opened.resolve };
        return { kind: 'prepared' };
      } catch (error) {
        return describeRefusal(error);
      }
    },
    commit: (reload) => {
      if (prepared?.reload !== reload) {
        const text = `reload ${reload} was not prepared in this lane`;
        return Promise.reject(new Failure('lane-unavailable', text));
      }
      commit(frame, rooms, prepared);
      prepared.letIn();
      prepared = null;
      return Promise.resolve(frame.doors.addresses());
    },
    abandon: (reload) => {
      if (prepared?.reload === reload) abandon();
      return Promise.resolve(null);
    },
  };
}

/** The ports last: nothing behind them can fail any more. */
async function prepare(
  frame: Frame,
  configuration: LaneConfiguration,
  servicesOf: ServicesOfDoor,
): Promise<Omit<Prepared, 'reload' | 'letIn'>> {
  const { config, policy } = configuration;
  const tls = await loadTls(configuration, frame.inForce().tls);
  const next = { config, policy, tls };
  const outgoing = await openOutgoing(frame, next);
  try {
    const doors = await frame.doors.prepare({ config, tls: tls.server, servicesOf });
    return { next, outgoing, doors };
  } catch (error) {
    outgoing.resolver.close();
    throw error;
  }
}

function commit(frame: Frame, rooms: Rooms, { next, outgoing, doors }: Prepared): void {
  const { config, tls } = next;
  const { share } = frame.start;
  frame.replace(next);
  frame.signIn.replaceCredentials(config.credentials);
  frame.contentMemory.resize(shareOf(config.limits.bodiesInFlightBytes, share));
  frame.clients.change(clientRatesOf(config));
  Object.assign(frame.rateLimits, rateLimitsOf(config, share));
  Object.assign(rooms.queueLimits, queueLimitsOf(config, share));
  rooms.disk.keep(config.limits.freeDiskBytes);
  rooms.outgoing.replace(outgoing);
  doors.commit();
  frame.log.adjust(config.log);
  for (const warning of tls.warnings) frame.log.warn({}, warning);
}

function describeRefusal(error: unknown): PrepareAnswer {
  if (!(error instanceof Failure)) throw error;
  const path = error instanceof DoorRefusal ? ['listeners', error.place] : [];
  return { kind: 'refused', path, text: error.message };
}
