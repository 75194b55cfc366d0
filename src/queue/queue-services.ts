/** What the queue is given: the seams to policy, delivery, report and the store. */
import type { AttemptDelivery, IncomingMessage } from '../policy/delivery.ts';
import type { planDeliveries, routeKeyFor } from '../policy/plan-deliveries.ts';
import type { Policy } from '../policy/policy.ts';
import type { DsnInput } from '../report/dsn.ts';
import type { Log } from '../report/log.ts';
import type { Outage } from '../report/outage.ts';
import type { Meter } from '../report/meter.ts';
import type {
  recordAttempt,
  recordDsn,
  recordExpired,
  recordHeld,
  recordReceived,
  recordReleased,
  recordRetried,
} from '../report/trace.ts';
import type { Store } from '../store/store.ts';

/** Bounds of one shard's queue; read anew each time, so that their owner may change them in place. */
export interface QueueLimits {
  /**
   * Contents of fresh messages that are kept to be delivered from memory; beyond it, as for retries,
   * each is read from the store when its attempt begins. A spool file counts nothing.
   */
  readonly inMemoryBytesMax: number;
  /** Attempts at once, in all and per route. */
  readonly inFlightMax: number;
  readonly inFlightPerRouteMax: number;
  /** Deliveries that wait in memory for their attempt; the others wait in the store. */
  readonly readyMax: number;
  readonly readyPerRouteMax: number;
  /** Finished attempts whose result is not committed yet; beyond it no attempt begins. */
  readonly settlingMax: number;
  /** Deliveries in the store, held ones too; beyond it new mail is answered 452. */
  readonly waitingMax: number;
}

export const defaultQueueLimits: QueueLimits = {
  inMemoryBytesMax: 64 * 1024 * 1024,
  inFlightMax: 200,
  inFlightPerRouteMax: 20,
  readyMax: 10_000,
  readyPerRouteMax: 2000,
  settlingMax: 2000,
  waitingMax: 1_000_000,
};

/** The functions of `report/trace.ts`. */
export interface Recorder {
  readonly recordReceived: typeof recordReceived;
  readonly recordAttempt: typeof recordAttempt;
  readonly recordHeld: typeof recordHeld;
  readonly recordReleased: typeof recordReleased;
  readonly recordRetried: typeof recordRetried;
  readonly recordExpired: typeof recordExpired;
  readonly recordDsn: typeof recordDsn;
}

export interface QueueServices {
  readonly store: Store;
  /** Number of the shard, 0..31; part of every id. */
  readonly shard: number;
  /** Today's policy; asked anew each time. */
  readonly policy: () => Policy;
  readonly attempt: AttemptDelivery;
  readonly plan: typeof planDeliveries;
  /** The route of a recipient that was planned before; nothing is expanded again. */
  readonly routeKeyFor: typeof routeKeyFor;
  /** Null where nobody is to be told. */
  readonly writeDsn: (input: DsnInput) => IncomingMessage | null;
  readonly recorder: Recorder;
  readonly limits: QueueLimits;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly meter: Meter;
  /** Of the store. */
  readonly outage: Outage;
  /** Calls back after `delayMs`, returns how to cancel; `setTimeout` where absent. */
  readonly setTimer?: (delayMs: number, callback: () => void) => () => void;
}
