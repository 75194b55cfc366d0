/** A delivery that this process works on; nothing else may touch it until it lets go. */
import type { DeliveryKey, StoredDelivery } from '../store/store.ts';
import type { QueueOrder } from './order.ts';

/**
 * `accepting`: its first commit runs. `ready`: waits for its turn. `attempting`: under way.
 * `settling`: the result is being committed. `commanded`: an administrator's command changes it.
 */
export interface Claim {
  readonly name: string;
  /** As committed, or about to be. */
  delivery: StoredDelivery;
  state: 'accepting' | 'ready' | 'attempting' | 'settling' | 'commanded';
  /** What an administrator ordered meanwhile; done when the claim ends. */
  intent: QueueOrder | null;
  /** Whether the content may still be read for it. */
  isReader: boolean;
  /** Bytes by which it counts in its route's ready list. */
  readyBytes: number;
}

/** Unique among all deliveries of the shard. */
export function nameOf({ key, ordinal }: DeliveryKey): string {
  return `${key}.${ordinal}`;
}
