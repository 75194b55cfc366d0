/**
 * The life of a message after it was accepted: store, attempt, defer, expire, hold, release.
 *
 * One per shard, on the loop that serves mail. For `app`, which joins it to receiving and delivery.
 */
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import type { DeliveryKey } from '../store/store.ts';
import type { QueueCommands } from './commands.ts';
import { createCommands } from './commands.ts';
import { HeldNotices } from './held-notices.ts';
import { QueueCore } from './queue-core.ts';
import type { QueueServices } from './queue-services.ts';

/** Numbers for metrics and for people. */
export interface QueueCounts {
  /** Deliveries in the store. */
  readonly queued: number;
  readonly held: number;
  /** Deliveries that wait in memory, are under way, or whose result is being committed. */
  readonly ready: number;
  readonly inFlight: number;
  readonly settling: number;
  /** Routes with anything in the queue. */
  readonly routes: number;
  /** Contents in memory. */
  readonly bytesInMemory: number;
}

export interface Queue extends QueueCommands {
  /**
   * Begins with what waits in the store. Everything else comes after it. `suspects` were under way when
   * the process broke down, and one of them may be why: they are tried later, as after a failure.
   */
  start(suspects?: readonly DeliveryKey[]): Promise<void>;
  /** The suspects, should the process break down now. Synchronous. */
  underWay(): readonly DeliveryKey[];
  /** No new attempts; those under way end within `graceMs` or are made again after the restart. */
  stop(graceMs: number): Promise<void>;
  /** A queue id that was never used; it rises with each call. */
  newId(): string;
  /**
   * Resolves when all these messages are durable. Rejects with `queue-stopped` or a Failure of the
   * store: then nothing of any is stored.
   */
  accept(...messages: readonly IncomingMessage[]): Promise<void>;
  /**
   * The clock was set by `byMs` while this process ran: what waits is moved along, so that nothing
   * expires or is due earlier or later than it would have been.
   */
  clockJumped(byMs: number): void;
  /** Back-pressure: what MAIL is answered with now, or null. */
  admit(): Reply | null;
  counts(): QueueCounts;
}

/** How long new mail is put off after the store failed. */
const storeFailureMs = 1000;

export function createQueue(services: QueueServices): Queue {
  const core = new QueueCore(services);
  const heldNotices = new HeldNotices(core);
  return {
    ...createCommands(core),
    start: async (suspects = []) => {
      await core.start(suspects);
      heldNotices.start();
    },
    underWay: () => core.claims.underWay(),
    stop: (graceMs) => {
      heldNotices.stop();
      return core.stop(graceMs);
    },
    newId: () => core.ids.newId(),
    accept: (...messages) => core.accept(messages),
    clockJumped: (byMs) => core.clockJumped(byMs),
    admit: () => admit(core),
    counts: () => core.counts(),
  };
}

function admit(core: QueueCore): Reply | null {
  if (!core.isRunning) return reply(421, '4.3.2', 'the system is stopping, try again later');
  const { queued, held } = core.counts();
  if (queued + held >= core.services.limits.waitingMax) {
    return reply(452, '4.3.1', 'too many messages wait here, try again later');
  }
  if (Math.abs(core.services.now() - core.storeFailedAtMs) < storeFailureMs) {
    return reply(452, '4.3.1', 'insufficient system storage, try again later');
  }
  return null;
}
