/**
 * After a crash: deliveries that were under way are put off as if their attempt had failed. One that
 * breaks the process each time would else take all other mail down with it, for ever.
 */
import { defaultRetrySchedule, nextAttemptAt } from '../policy/retry.ts';
import type { DeliveryKey, StoredDelivery } from '../store/store.ts';
import { internalError } from './divide.ts';
import type { QueueServices } from './queue-services.ts';
import { toBatch } from './settlement.ts';

/** Before the queue begins with anything. Rejects with the store's Failures. */
export async function postpone(
  services: QueueServices,
  suspects: readonly DeliveryKey[],
): Promise<void> {
  const updated: StoredDelivery[] = [];
  for (const { key, ordinal } of suspects) {
    const rows = await services.store.listQueue({ key, state: 'queued', limit: 10_000 });
    const row = rows.find(({ delivery }) => delivery.ordinal === ordinal);
    if (row !== undefined) updated.push(putOff(services, row.delivery, row.message.organization));
  }
  if (updated.length === 0) return;
  await services.store.commit(toBatch({ updated }));
  const fields = { deliveries: updated.length };
  services.log.warn(fields, 'deliveries that were under way when the lane broke down are put off');
}

/** Beyond its expiry too: else it would be due at once, and break the process again. */
function putOff(
  services: QueueServices,
  delivery: StoredDelivery,
  organizationId: string,
): StoredDelivery {
  const organization = services.policy().organizations.find(({ id }) => id === organizationId);
  const schedule = { ...(organization?.retry ?? defaultRetrySchedule), expiryMs: Infinity };
  const nowMs = services.now();
  const attempts = delivery.attempts + 1;
  const state = { fromMs: delivery.retriesFromMs, attempts, nowMs };
  return {
    ...delivery,
    attempts,
    dueAtMs: nextAttemptAt(schedule, state, services.random),
    lastOutcome: internalError('the gateway broke down during the attempt, see the log', nowMs),
  };
}
