/**
 * A lane: receives and delivers on one event loop, with one shard and its store thread.
 *
 * Joins the rooms that do not know each other: receiving hands messages to the queue, the queue hands
 * deliveries to delivery.
 */
import { createDelivery } from '../delivery/delivery.ts';
import { createSignIn } from '../identity/sign-in.ts';
import type { RunningTls } from './lane-tls.ts';
import { loadTls } from './lane-tls.ts';
import { createQueue } from '../queue/queue.ts';
import type { Queue } from '../queue/queue.ts';
import { FirstRefusals } from '../receiving/first-refusals.ts';
import type { Listener } from '../receiving/listener.ts';
import { startListener } from '../receiving/listener.ts';
import { MemoryBudget } from '../receiving/memory-budget.ts';
import type { ReceivingServices } from '../receiving/services.ts';
import type { Log } from '../report/log.ts';
import { recordRefusal } from '../report/trace.ts';
import { writeFailedDsn } from '../report/dsn.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { openSpool } from '../store/spool.ts';
import type { Store } from '../store/store.ts';
import { planDeliveries } from '../policy/plan-deliveries.ts';
import { foldersOf } from './data-folder.ts';
import { deliveryServices } from './lane-delivery.ts';
import { deliveryLimitsOf, listenerSettingsOf, queueLimitsOf, storeLimitsOf } from './lane-limits.ts';
import type { LaneStart, LaneStatus, LaneSubmission, ListenerAddress } from './messages.ts';
import { becomeUser } from './privileges.ts';
import { submitMessage } from './submit.ts';

export interface RunningLane {
  readonly listeners: readonly ListenerAddress[];
  submit(submission: LaneSubmission): Promise<{ readonly id: string }>;
  status(): LaneStatus;
  /** Finishes what is under way within the grace, then closes the store. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Opens the ports, gives up root, then opens the store and lets the first session in.
 * Throws a Failure.
 */
export async function startRunningLane(start: LaneStart, log: Log): Promise<RunningLane> {
  const tls = await loadTls(start.config, start.policy);
  for (const warning of tls.warnings) log.warn({}, warning);
  const parts: Parts = { start, log, tls };
  const gate = Promise.withResolvers<LaneRooms>();
  gate.promise.catch(() => undefined);
  const doors = await openDoors(parts);
  try {
    becomeUser(start.user);
    const rooms = await openRooms(parts, doors);
    gate.resolve(rooms);
    for (const door of doors) door.begin(receivingServices(parts, rooms, door.name));
    return runningLane(parts, doors, rooms);
  } catch (error) {
    await Promise.all(doors.map((door) => door.listener.stop(0)));
    throw error;
  }
}
