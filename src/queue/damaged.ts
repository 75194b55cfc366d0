/** Messages that the store has and cannot give back: held, since no attempt will ever read them. */
import { status } from '../mail/enhanced-status.ts';
import { Failure } from '../mail/failure.ts';
import type { Outcome } from '../policy/outcome.ts';
import type { StoredDelivery } from '../store/store.ts';

/** A row that is there and cannot be read; `store-conflict` is what a row of another shape gives. */
export function isDamage({ code }: Failure): boolean {
  return code === 'store-damaged' || code === 'store-conflict';
}

/** Of a delivery whose row cannot be read. */
export function unreadableFailure(reason: string): Failure {
  return new Failure('store-damaged', reason);
}

/** Held until somebody restores it and releases it, or removes it. */
export function toDamaged(delivery: StoredDelivery, error: Failure, nowMs: number): StoredDelivery {
  const lastOutcome: Outcome = {
    kind: 'held',
    cause: 'damaged',
    status: status('4.3.0'),
    reason: `the stored message is damaged: ${error.message}`,
    reply: null,
    remoteMta: null,
    at: new Date(nowMs).toISOString(),
  };
  return { ...delivery, state: 'held', lastOutcome };
}
