/** What the queue reads off an attempt's report, and what stands for one where the attempt broke. */
import type { AttemptReport } from '../policy/delivery.ts';
import type { StoredDelivery } from '../store/store.ts';
import { internalError } from './divide.ts';

/** Nobody of the delivery got any further. */
export function isAllDeferred({ routes }: AttemptReport): boolean {
  return routes.every(({ outcomes }) =>
    outcomes.every(({ outcome }) => outcome.kind === 'deferred'),
  );
}

/** Of an attempt that broke: all wait because of ourselves. */
export function brokenReport(delivery: StoredDelivery, nowMs: number) {
  const outcome = internalError('internal error, see the log', nowMs);
  const outcomes = delivery.recipients.map((recipient) => ({ recipient, outcome }));
  return {
    endedAtMs: nowMs,
    routes: [{ outcomes, clauses: [], candidates: [], hasFailedTlsOnly: false }],
  };
}
