/** The log lines of an attempt: one per route and kind of outcome, by the queue id. */
import { formatAddress } from '../mail/address.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import type { AttemptReport, Delivery, RouteAttempt } from '../policy/delivery.ts';
import type { Outcome, RecipientOutcome, RemoteMta } from '../policy/outcome.ts';
import type { Log } from '../report/log.ts';
import type { Division } from './divide.ts';

/** Recipients named per line; their number is always told. */
const recipientsMax = 20;

export function logAttempt(
  log: Log,
  delivery: Pick<Delivery, 'id' | 'ordinal' | 'attempts'>,
  report: AttemptReport,
  division: Pick<Division, 'expired' | 'nextAttemptAtMs'>,
): void {
  const { id, ordinal, attempts } = delivery;
  for (const route of report.routes) {
    for (const group of Map.groupBy(route.outcomes, ({ outcome }) => outcome.kind).values()) {
      const [{ outcome }] = group as [RecipientOutcome];
      const hasExpired = outcome.kind === 'deferred' && division.expired.length > 0;
      const fields = {
        queueId: id,
        ordinal,
        attempt: attempts + 1,
        ...describeGroup(route, group, outcome),
        ...(outcome.kind === 'deferred' && !hasExpired ? nextAttempt(division) : {}),
      };
      const text = hasExpired ? 'expired' : outcome.kind;
      if (outcome.kind === 'delivered') log.info(fields, text);
      else log.warn(fields, text);
    }
  }
}

function describeGroup(
  route: RouteAttempt,
  group: readonly RecipientOutcome[],
  outcome: Outcome,
): Readonly<Record<string, unknown>> {
  return {
    connector: route.decision.connector,
    recipients: group.slice(0, recipientsMax).map(({ recipient }) => formatAddress(recipient)),
    recipientCount: group.length,
    remote: outcome.remoteMta === null ? null : formatRemote(outcome.remoteMta),
    status: formatEnhancedStatus(outcome.status),
    reason: outcome.reason,
  };
}

function nextAttempt({ nextAttemptAtMs }: Pick<Division, 'nextAttemptAtMs'>) {
  return nextAttemptAtMs === null ? {} : { nextAttemptAt: new Date(nextAttemptAtMs).toISOString() };
}

function formatRemote({ hostName, address, port }: RemoteMta): string {
  return `${hostName}[${address ?? ''}]:${port}`;
}
