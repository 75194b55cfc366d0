/** Counts what an attempt came to: outcomes, encryption of what left, and how long it took. */
import type { AttemptReport, RouteAttempt } from '../policy/delivery.ts';
import type { Outcome } from '../policy/outcome.ts';
import type { Meter } from '../report/meter.ts';
import type { Division } from './divide.ts';

export function meterAttempt(
  meter: Meter,
  receivedAtMs: number,
  report: AttemptReport,
  { expired }: Pick<Division, 'expired'>,
): void {
  for (const route of report.routes) {
    let hasDelivered = false;
    for (const { outcome } of route.outcomes) {
      const hasExpired = outcome.kind === 'deferred' && expired.length > 0;
      const cause = outcome.kind === 'delivered' ? '' : outcome.cause;
      meter.count('outcomes', { kind: hasExpired ? 'expired' : outcome.kind, cause });
      if (outcome.kind !== 'delivered') continue;
      hasDelivered = true;
      if (outcome.remoteMta === null) continue;
      const { connector } = route.decision;
      const encryption = encryptionOf(route, outcome);
      meter.count('deliveredEncryption', { encryption, connector: connector ?? '' });
    }
    if (!hasDelivered) continue;
    const seconds = Math.max(0, report.endedAtMs - receivedAtMs) / 1000;
    meter.observe('deliverySeconds', { destination: route.decision.destination.kind }, seconds);
  }
}

/** `TLSv1.3`, `TLSv1.2`, `inside` this gateway, or `none`, of the session with the host that took it. */
function encryptionOf({ candidates }: RouteAttempt, { remoteMta }: Outcome): string {
  const took = candidates.findLast(
    ({ verdict, hostName, address }) =>
      verdict.kind === 'proceed' &&
      hostName === remoteMta?.hostName &&
      address === remoteMta.address,
  );
  if (took?.evidence?.encryption === 'internal') return 'inside';
  return took?.evidence?.tls?.protocol ?? 'none';
}
