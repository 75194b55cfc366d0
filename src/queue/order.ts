/**
 * What administrators order: an action on whatever matches, in bounded steps.
 *
 * For the API, the lanes and the queue; plain data.
 */
import type { WeakerPolicy } from '../policy/weaker-policy.ts';
import type { DeliveryKey, QueueMatch, StoredDelivery } from '../store/store.ts';

/**
 * `retry`: queued deliveries are due at once. `hold`: they stop until released. `release`: held ones
 * go on. `expire`: given up, the sender gets a DSN. `delete`: dropped, nobody is told.
 */
export type QueueAction = 'retry' | 'hold' | 'release' | 'expire' | 'delete';

export const queueActions: readonly QueueAction[] = [
  'retry',
  'hold',
  'release',
  'expire',
  'delete',
];

/** One step; whoever orders goes on with `after` as the answer says, until nothing is left. */
export interface QueueOrder {
  readonly action: QueueAction;
  readonly match: QueueMatch;
  /** Null begins. */
  readonly after: DeliveryKey | null;
  /** Who asked; stands in the trace. */
  readonly by: string;
  /** Releases also what would go out under less than it was accepted under. */
  readonly acceptsWeakerPolicy: boolean;
}

/** Deliveries that one step looks at. */
export const looksPerStep = 500;

/** A delivery that was not released, and what today's policy no longer demands of it. */
export interface Withheld {
  readonly key: number;
  readonly ordinal: number;
  readonly recipients: StoredDelivery['recipients'];
  readonly weaker: WeakerPolicy;
}

/** Counts of deliveries. */
export interface QueueStepResult {
  readonly changed: number;
  /** An attempt is under way; they are changed when it has ended, if they still match then. */
  readonly pending: number;
  /** Matched, but the action does nothing to them: held ones are not retried, and so on. */
  readonly unfit: number;
  readonly withheld: readonly Withheld[];
  /** Null where nothing is left to look at. */
  readonly next: DeliveryKey | null;
}

/** Whether the action does anything to a delivery that is not under way. */
export function isFit(action: QueueAction, delivery: StoredDelivery, nowMs: number): boolean {
  // What cannot be read has neither recipients nor a floor: it can be dropped, and nothing else.
  if (delivery.unreadable !== undefined) return action === 'delete';
  switch (action) {
    case 'retry':
      return delivery.state === 'queued' && delivery.dueAtMs > nowMs;
    case 'hold':
      return delivery.state === 'queued';
    case 'release':
      return delivery.state === 'held';
    case 'expire':
    case 'delete':
      return true;
  }
}
