/**
 * A lane: receives and delivers on one event loop, with one shard and its store thread.
 *
 * Joins the rooms that do not know each other: receiving hands messages to the queue, the queue hands
 * deliveries to delivery.
 */
import { createDelivery } from '../delivery/delivery.ts';
import { createSignIn } from '../identity/sign-in.ts';
import { sizeOf } from '../mail/content.ts';
import { Failure } from '../mail/failure.ts';
import { planDeliveries, routeKeyFor } from '../policy/plan-deliveries.ts';
import { createQueue } from '../queue/queue.ts';
import { ClientTable } from '../receiving/client-table.ts';
import { FirstRefusals } from '../receiving/first-refusals.ts';
import { MemoryBudget } from '../receiving/memory-budget.ts';
import { RateLimiter } from '../receiving/rate-limiter.ts';
import type { ReceivingServices } from '../receiving/services.ts';
import { writeDsn } from '../report/dsn.ts';
import type { Log } from '../report/log.ts';
import { silentMeter } from '../report/meter.ts';
import * as recorder from '../report/trace.ts';
import { openSpool } from '../store/spool.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { readCrashNote, removeCrashNote, writeCrashNote } from './crash-note.ts';
import { foldersOf } from './data-folder.ts';
import { watchDisk } from './disk-room.ts';
import { deliveryServices, openStubResolver } from './lane-delivery.ts';
import type { OpenResolver } from './lane-delivery.ts';
import { closeDoors, openDoors } from './lane-doors.ts';
import type { Door } from './lane-doors.ts';
import {
  clientRatesOf,
  queueLimitsOf,
  rateLimitsOf,
  shareOf,
  storeLimitsOf,
} from './lane-limits.ts';
import { loadTls } from './lane-tls.ts';
import type { LaneHandlers, LaneStart, ListenerAddress } from './messages.ts';
import { becomeUser } from './privileges.ts';
import { createRefusalRecorder } from './refusal-recorder.ts';
import type { Frame, Rooms } from './lane-rooms.ts';
import { laneHandlers } from './lane-handlers.ts';

export interface RunningLane {
  readonly listeners: readonly ListenerAddress[];
  /** What the control process may ask, while the lane runs. */
  readonly handlers: LaneHandlers;
  /** Finishes what is under way within the grace, then closes the store. */
  stop(graceMs: number): Promise<void>;
}

export interface LaneEvents {
  /** The lane cannot go on. */
  onFatal(failure: Failure): void;
  /** From now on `note` leaves word of what is under way, for a process that breaks down. */
  mayNoteCrash(note: () => void): void;
}

/**
 * Opens the ports, gives up root, opens the store, then lets sessions in. `events.onFatal` is called when
 * the lane cannot go on. Throws a Failure where it cannot start.
 */
export async function startRunningLane(
  start: LaneStart,
  log: Log,
  events: LaneEvents,
  openResolver: OpenResolver = openStubResolver,
): Promise<RunningLane> {
  const tls = await loadTls(start.config, start.policy);
  for (const warning of tls.warnings) log.warn({}, warning);
  const frame: Frame = { start, log, tls, policy: () => start.policy, openResolver };
  const opened = Promise.withResolvers<void>();
  opened.promise.catch(() => undefined);
  let rooms: Rooms | null = null;
  const running = (): Rooms => {
    if (rooms === null) throw new Failure('lane-unavailable', 'the lane is starting');
    return rooms;
  };
  const shared = sharedServices(frame, running, opened.promise);
  const doors = await openDoors(start, (name) => ({
    ...shared,
    serverTls: () => tls.server.get(name)!,
  }));
  try {
    becomeUser(start.user);
    rooms = await openRooms(frame, doors, events);
    opened.resolve();
    return runningLane(frame, doors, rooms);
  } catch (error) {
    opened.reject(error);
    await closeDoors(doors, 0);
    throw error;
  }
}

async function openRooms(frame: Frame, doors: readonly Door[], events: LaneEvents): Promise<Rooms> {
  const { start, log, tls, policy } = frame;
  const { config, share, shard } = start;
  const folders = foldersOf(config.dataFolder);
  const store = await openSqliteStore({
    path: folders.shard(shard),
    spoolFolder: folders.spoolOf(shard),
    limits: storeLimitsOf(config, share),
    traceRetentionMs: config.trace.retentionMs,
    onDeath: (failure) => events.onFatal(failure),
  });
  const disk = await watchDisk(config.dataFolder, config.limits.freeDiskBytes, log);
  const resolver = await frame.openResolver(config);
  const listeners = doors.map((door) => door.address);
  const delivery = createDelivery(
    deliveryServices({ config, share, tls, resolver, listeners, log, policy }),
  );
  const queue = createQueue({
    store,
    shard,
    policy,
    routeKeyFor,
    attempt: delivery.attempt,
    plan: planDeliveries,
    writeDsn,
    recorder,
    limits: queueLimitsOf(config, share),
    now: Date.now,
    random: Math.random,
    log,
    meter: silentMeter,
  });
  const crashNote = folders.crashNote(shard);
  events.mayNoteCrash(() => writeCrashNote(crashNote, queue.underWay()));
  await queue.start(await readCrashNote(crashNote));
  await removeCrashNote(crashNote);
  const keepRefusal = createRefusalRecorder(store, log);
  return {
    store,
    disk,
    queue,
    delivery,
    resolver,
    recordRefusal: keepRefusal,
    verifyRecipient: delivery.verifyRecipient,
  };
}

type Shared = Omit<ReceivingServices, 'serverTls'>;

/** What all listeners share; sessions wait until the rooms behind them are open. */
function sharedServices(frame: Frame, running: () => Rooms, opened: Promise<void>): Shared {
  const { start, log, policy } = frame;
  const { config, share, shard } = start;
  const spool = foldersOf(config.dataFolder).spoolOf(shard);
  const signIn = createSignIn(config.credentials);
  return {
    policy,
    opened,
    authenticate: (username, password) => signIn.authenticate(username, password),
    newId: () => running().queue.newId(),
    openSpool: (organization) => openSpool(spool, organization),
    accept: async (message) => {
      await running().queue.accept(message);
      running().disk.took(sizeOf(message.content));
    },
    verifyRecipient: (organization, recipient) =>
      running().verifyRecipient(organization, recipient),
    admit: () => running().disk.admit() ?? running().queue.admit(),
    recordRefusal: (refusal) => running().recordRefusal(refusal),
    log,
    meter: silentMeter,
    now: Date.now,
    contentMemory: new MemoryBudget(shareOf(config.limits.bodiesInFlightBytes, share)),
    firstRefusals: new FirstRefusals(),
    rates: new RateLimiter(rateLimitsOf(config, share)),
    clients: new ClientTable(clientRatesOf(config)),
  };
}

function runningLane(frame: Frame, doors: readonly Door[], rooms: Rooms): RunningLane {
  const { queue, delivery, store, disk, resolver } = rooms;
  return {
    listeners: doors.map((door) => door.address),
    handlers: laneHandlers(frame, rooms),
    stop: async (graceMs) => {
      await closeDoors(doors, graceMs / 2);
      await queue.stop(graceMs / 2);
      await delivery.stop(1000);
      // What was delivered at the last moment is handed to the store before it closes.
      await new Promise((resolve) => setImmediate(resolve));
      resolver.close();
      disk.close();
      await store.close();
    },
  };
}
