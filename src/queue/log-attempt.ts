/** The log lines of an attempt: one per route and outcome, by the queue id. */
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
    for (const group of Map.groupBy(route.outcomes, kindAndStatus).values()) {
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

function kindAndStatus({ outcome }: RecipientOutcome): string {
  return `${outcome.kind} ${formatEnhancedStatus(outcome.status)}`;
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
    tls: describeTls(route),
    status: formatEnhancedStatus(outcome.status),
    ...(outcome.kind === 'delivered' ? {} : { cause: outcome.cause }),
    reason: outcome.reason,
  };
}

/** Of the last host that was seen; null where none was, as for a mailbox. */
function describeTls(route: RouteAttempt): string | null {
  const evidence = route.candidates.findLast((candidate) => candidate.evidence !== null)?.evidence;
  if (evidence === undefined || evidence === null) return null;
  const { tls } = evidence;
  return tls === null ? evidence.encryption : `${tls.protocol} ${tls.cipher} ${tls.group ?? '-'}`;
}

function nextAttempt({ nextAttemptAtMs }: Pick<Division, 'nextAttemptAtMs'>) {
  return nextAttemptAtMs === null ? {} : { nextAttemptAt: new Date(nextAttemptAtMs).toISOString() };
}

function formatRemote({ hostName, address, port }: RemoteMta): string {
  return `${hostName}[${address ?? ''}]:${port}`;
}
