/**
 * At the start: deliveries that are due later than any schedule says. The clock was set back while the
 * gateway stood still, and without this they would wait until it has caught up.
 */
import { defaultRetrySchedule } from '../policy/retry.ts';
import type { QueueServices } from './queue-services.ts';

/** What waits is due within the longest retry; rejects with the store's Failures. */
export async function capDueTimes(services: QueueServices): Promise<void> {
  const { organizations } = services.policy();
  const intervals = organizations.map(({ retry }) => retry.maxRetryMs);
  const latestMs = Math.max(defaultRetrySchedule.maxRetryMs, ...intervals);
  const deliveries = await services.store.capDueTimes(services.now() + latestMs);
  if (deliveries === 0) return;
  const text = 'deliveries were due later than any retry, as after a clock that was set back';
  services.log.warn({ deliveries, nowWithinMs: latestMs }, text);
}
