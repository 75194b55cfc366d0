/** A delivery that this process works on; nothing else may touch it until it lets go. */
import type { DeliveryKey, StoredDelivery } from '../store/store.ts';

/** What an administrator asked while an attempt was under way; done when it has ended. */
export interface Intent {
  readonly kind: 'hold' | 'expire' | 'remove';
  /** Who asked. */
  readonly by: string;
}

/**
 * `accepting`: its first commit runs. `ready`: waits for its turn. `attempting`: under way.
 * `settling`: the result is being committed. `commanded`: an administrator's command changes it.
 */
export interface Claim {
  readonly name: string;
  /** As committed, or about to be. */
  delivery: StoredDelivery;
  state: 'accepting' | 'ready' | 'attempting' | 'settling' | 'commanded';
  intent: Intent | null;
  /** Whether the content may still be read for it. */
  isReader: boolean;
  /** Bytes by which it counts in its route's ready list. */
  readyBytes: number;
}

/** Unique among all deliveries of the shard. */
export function nameOf({ key, ordinal }: DeliveryKey): string {
  return `${key}.${ordinal}`;
}
