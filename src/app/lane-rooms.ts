/** What a lane is made of: what it was started with, what is in force, and the rooms that it opened. */
import type { Config } from '../config/config.ts';
import type { DiskRoom } from './disk-room.ts';
import type { ContentExaminer } from '../content/examine-content.ts';
import type { TakeInside } from '../delivery/hand-inside.ts';
import type { SignIn } from '../identity/sign-in.ts';
import type { Policy } from '../policy/policy.ts';
import type { RateLimits } from '../policy/rate-limit.ts';
import type { VerifyRecipient } from '../policy/recipient-verification.ts';
import type { Queue } from '../queue/queue.ts';
import type { QueueLimits } from '../queue/queue-services.ts';
import type { ClientTable } from '../receiving/client-table.ts';
import type { MemoryBudget } from '../receiving/memory-budget.ts';
import type { ReceivingServices } from '../receiving/services.ts';
import type { PrometheusMeter } from '../report/prometheus.ts';
import type { Outage } from '../report/outage.ts';
import type { Store } from '../store/store.ts';
import type { OpenResolver } from './lane-resolver.ts';
import type { Doors } from './lane-doors.ts';
import type { Outgoing } from './lane-outgoing.ts';
import type { RunningTls } from './lane-tls.ts';
import type { LaneValidations } from './lane-validation.ts';
import type { AdjustableLog } from './log.ts';
import type { DnsTrouble } from './lane-troubles.ts';
import type { WatchedClock } from './watched-clock.ts';
import type { LaneStart } from './messages.ts';

/** What a lane holds once it runs. */
export interface Rooms {
  readonly store: Store;
  readonly disk: DiskRoom;
  readonly storeWatch: { close(): void };
  readonly clock: WatchedClock;
  readonly queue: Queue;
  /** The queue's bounds; a reload changes them in place. */
  readonly queueLimits: QueueLimits;
  readonly outgoing: Outgoing;
  readonly recordRefusal: ReceivingServices['recordRefusal'];
  readonly verifyRecipient: VerifyRecipient;
  readonly validations: LaneValidations;
}

/** Replaced as a whole; never kept by anybody for longer than one turn. */
export interface InForce {
  readonly config: Config;
  readonly policy: Policy;
  readonly tls: RunningTls;
}

/** Of `start`, only what a reload cannot change is read after the start. */
export interface Frame {
  readonly start: LaneStart;
  readonly log: AdjustableLog;
  /** Of the store and the spool. */
  readonly outage: Outage;
  readonly dns: DnsTrouble;
  readonly doors: Doors;
  readonly signIn: SignIn;
  readonly contentMemory: MemoryBudget;
  readonly clients: ClientTable;
  /** Looks into contents for mail-flow rules. */
  readonly examiner: ContentExaminer;
  /** Changed in place by a reload. */
  readonly rateLimits: RateLimits;
  readonly inForce: () => InForce;
  readonly policy: () => Policy;
  readonly openResolver: OpenResolver;
  /** Takes mail of one organization for another. */
  readonly takeInside: TakeInside;
  readonly meter: PrometheusMeter;
  /** Puts another configuration in force for whoever asks from now on. */
  replace(next: InForce): void;
}
