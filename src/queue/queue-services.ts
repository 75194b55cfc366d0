/** What the queue is given: the seams to policy, delivery, report and the store. */
import type { AttemptDelivery, IncomingMessage } from '../policy/delivery.ts';
import type { planDeliveries } from '../policy/plan-deliveries.ts';
import type { Policy } from '../policy/policy.ts';
import type { FailedDsnInput } from '../report/dsn.ts';
import type { Log } from '../report/log.ts';
import type {
  recordAttempt,
  recordDsn,
  recordExpired,
  recordHeld,
  recordReceived,
  recordReleased,
} from '../report/trace.ts';
import type { Store } from '../store/store.ts';
import type { QueueLimits } from './limits.ts';

/** The functions of `report/trace.ts`. */
export interface Recorder {
  readonly recordReceived: typeof recordReceived;
  readonly recordAttempt: typeof recordAttempt;
  readonly recordHeld: typeof recordHeld;
  readonly recordReleased: typeof recordReleased;
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
  /** Null where nobody is to be told. */
  readonly writeDsn: (input: FailedDsnInput) => IncomingMessage | null;
  readonly recorder: Recorder;
  readonly limits: QueueLimits;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly log: Log;
  /** Calls back after `delayMs`, returns how to cancel; `setTimeout` where absent. */
  readonly setTimer?: (delayMs: number, callback: () => void) => () => void;
}
