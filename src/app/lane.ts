/**
 * A lane: receives and delivers on one event loop, with one shard and its store thread.
 *
 * Joins the rooms that do not know each other: receiving hands messages to the queue, the queue hands
 * deliveries to delivery.
 */
import { createSignIn } from '../identity/sign-in.ts';
import { sizeOf } from '../mail/content.ts';
import { Failure } from '../mail/failure.ts';
import { planDeliveries, routeKeyFor } from '../policy/plan-deliveries.ts';
import { createQueue } from '../queue/queue.ts';
import type { Queue } from '../queue/queue.ts';
import { ClientTable } from '../receiving/client-table.ts';
import { FirstRefusals } from '../receiving/first-refusals.ts';
import { MemoryBudget } from '../receiving/memory-budget.ts';
import { RateLimiter } from '../receiving/rate-limiter.ts';
import { RehearsalAllowance } from '../receiving/rehearsal-allowance.ts';
import type { ReceivingServices } from '../receiving/services.ts';
import { didOrSaid } from '../report/log.ts';
import { writeDsn } from '../report/dsn.ts';
import { createPrometheusMeter } from '../report/prometheus.ts';
import { storeOutage } from '../report/outage.ts';
import * as recorder from '../report/trace.ts';
import { openSpool } from '../store/spool.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { readCrashNote, removeCrashNote, writeCrashNote } from './crash-note.ts';
import { ContentExaminer } from '../content/examine-content.ts';
import { foldersOf } from './data-folder.ts';
import { watchDisk } from './disk-room.ts';
import { openOutgoing } from './lane-delivery.ts';
import { openStubResolver } from './lane-resolver.ts';
import type { OpenResolver } from './lane-resolver.ts';
import type { ServicesOfDoor } from './lane-doors.ts';
import { Doors } from './lane-doors.ts';
import {
  clientRatesOf,
  queueLimitsOf,
  rateLimitsOf,
  shareOf,
  storeLimitsOf,
} from './lane-limits.ts';
import { Outgoing } from './lane-outgoing.ts';
import { loadTls } from './lane-tls.ts';
import type { LaneHandlers, LaneStart, ListenerAddress } from './messages.ts';
import type { AdjustableLog } from './log.ts';
import { namingVersion } from './version.ts';
import { becomeUser } from './privileges.ts';
import { createRefusalRecorder } from './refusal-recorder.ts';
import type { Frame, InForce, Rooms } from './lane-rooms.ts';
import { insideOf } from './lane-inside.ts';
import { laneHandlers } from './lane-handlers.ts';
import { DnsTrouble, noteClockJump } from './lane-troubles.ts';
import { LaneValidations } from './lane-validation.ts';
import { watchSpool, watchStore } from './store-watch.ts';
import { watchClock } from './watched-clock.ts';

export interface RunningLane {
  /** As they were opened at the start. */
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
  log: AdjustableLog,
  events: LaneEvents,
  openResolver: OpenResolver = openStubResolver,
): Promise<RunningLane> {
  const tls = await loadTls(start, null);
  for (const warning of tls.warnings) log.warn({}, warning);
  const { config, policy } = start;
  const first = { config, policy, tls };
  const frame: Frame = {
    ...frameOf(start, log, first),
    openResolver,
    takeInside: (handed) => takeInside(handed),
  };
  const opened = Promise.withResolvers<void>();
  opened.promise.catch(() => undefined);
  let rooms: Rooms | null = null;
  const running = (): Rooms => {
    if (rooms === null) throw new Failure('lane-unavailable', 'the lane is starting');
    return rooms;
  };
  const servicesOf = doorServices(frame, running);
  const takeInside = insideOf(frame, servicesOf(opened.promise));
  const { doors } = frame;
  await doors.open({ config, tls: tls.server, servicesOf: servicesOf(opened.promise) });
  try {
    becomeUser(start.user);
    rooms = await openRooms(frame, events);
    opened.resolve();
    const handlers = laneHandlers(frame, rooms, servicesOf);
    return { listeners: doors.addresses(), handlers, stop: stopperOf(frame, rooms) };
  } catch (error) {
    opened.reject(error);
    await doors.stop(0);
    throw namingVersion(error);
  }
}

function frameOf(
  start: LaneStart,
  log: AdjustableLog,
  first: InForce,
): Omit<Frame, 'openResolver' | 'takeInside'> {
  const { config, share } = start;
  const meter = createPrometheusMeter();
  let inForce = first;
  return {
    start,
    log,
    meter,
    outage: storeOutage({ log, meter }),
    dns: new DnsTrouble({ log, meter }, () => inForce.policy.hostName),
    doors: new Doors(start),
    signIn: createSignIn(config.credentials),
    contentMemory: new MemoryBudget(shareOf(config.limits.bodiesInFlightBytes, share)),
    rateLimits: rateLimitsOf(config, share),
    clients: new ClientTable(clientRatesOf(config)),
    examiner: new ContentExaminer({ onTrouble: (text) => log.warn({}, text) }),
    inForce: () => inForce,
    policy: () => inForce.policy,
    replace: (next) => void (inForce = next),
  };
}

async function openRooms(frame: Frame, events: LaneEvents): Promise<Rooms> {
  const { start, log, meter, outage, policy } = frame;
  const { config, share, shard } = start;
  const folders = foldersOf(config.dataFolder);
  const store = await openSqliteStore({
    path: folders.shard(shard),
    spoolFolder: folders.spoolOf(shard),
    limits: storeLimitsOf(config, share),
    traceRetentionMs: config.trace.retentionMs,
    onDeath: (failure) => events.onFatal(failure),
  });
  const disk = await watchDisk(config.dataFolder, config.limits.freeDiskBytes, { log, meter });
  const storeWatch = watchStore(outage, store, folders.spoolOf(shard));
  const outgoing = new Outgoing(await openOutgoing(frame, frame.inForce()));
  const queueLimits = queueLimitsOf(config, share);
  const clock = watchClock((byMs) => {
    noteClockJump(frame, byMs);
    queue.clockJumped(byMs);
  });
  const queue: Queue = createQueue({
    store,
    shard,
    policy,
    routeKeyFor,
    attempt: outgoing.attempt,
    plan: planDeliveries,
    writeDsn,
    recorder,
    limits: queueLimits,
    now: () => clock.now(),
    random: Math.random,
    log,
    meter,
    outage,
  });
  frame.dns.mends(queue);
  const crashNote = folders.crashNote(shard);
  events.mayNoteCrash(() => writeCrashNote(crashNote, queue.underWay()));
  await queue.start(await readCrashNote(crashNote));
  await removeCrashNote(crashNote);
  const recordRefusal = createRefusalRecorder(store, log);
  return {
    store,
    disk,
    storeWatch,
    clock,
    queue,
    queueLimits,
    outgoing,
    recordRefusal,
    verifyRecipient: outgoing.verifyRecipient,
    validations: new LaneValidations(frame),
  };
}

/** What sessions are served with; they wait until `opened`, when the rooms behind them are there. */
function doorServices(
  frame: Frame,
  running: () => Rooms,
): (opened: Promise<void>) => ServicesOfDoor {
  const { start, log, meter, outage, policy, signIn, contentMemory, rateLimits, clients } = frame;
  const spool = foldersOf(start.config.dataFolder).spoolOf(start.shard);
  const shared: Omit<ReceivingServices, 'serverTls'> = {
    policy,
    authenticate: (username, password) => signIn.authenticate(username, password),
    newId: () => running().queue.newId(),
    openSpool: (organization) => watchSpool(outage, openSpool(spool, organization)),
    accept: async (...messages) => {
      await running().queue.accept(...messages);
      didOrSaid(log, { text: 'mail was accepted, and the disk it took is not counted' }, () => {
        for (const { content } of messages) running().disk.took(sizeOf(content));
      });
    },
    verifyRecipient: (organization, recipient) =>
      running().verifyRecipient(organization, recipient),
    examine: (content, questions) => frame.examiner.examine(content, questions),
    admit: () => running().disk.admit() ?? running().queue.admit(),
    recordRefusal: (refusal) => running().recordRefusal(refusal),
    log,
    meter,
    now: Date.now,
    steadyNow: () => performance.now(),
    contentMemory,
    firstRefusals: new FirstRefusals(),
    rates: new RateLimiter(rateLimits),
    rehearsals: new RehearsalAllowance(start.share),
    clients,
  };
  return (opened) => (serverTls) => ({ ...shared, opened, serverTls });
}

function stopperOf({ doors, examiner }: Frame, rooms: Rooms): (graceMs: number) => Promise<void> {
  const { queue, outgoing, store, disk, storeWatch, clock, validations } = rooms;
  return async (graceMs) => {
    validations.stop();
    await doors.stop(graceMs / 2);
    await examiner.close();
    await queue.stop(graceMs / 2);
    await outgoing.stop(1000);
    // What was delivered at the last moment is handed to the store before it closes.
    await new Promise((resolve) => setImmediate(resolve));
    outgoing.close();
    disk.close();
    storeWatch.close();
    clock.close();
    await store.close();
  };
}
