/**
 * The log's lines about an attempt: one per recipient, greppable by queue id, with what an
 * administrator asks first: where to, over what, with which result, and why.
 */
import { formatAddress } from '../mail/address.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import type { AttemptReport, Delivery, RouteAttempt } from '../policy/delivery.ts';
import type { Outcome, RecipientOutcome } from '../policy/outcome.ts';
import type { Log } from './log.ts';

/** Deferred and held are warnings, bounced too; delivered is information. */
export function logAttempt(
  log: Log,
  delivery: Pick<Delivery, 'id' | 'attempts'>,
  report: AttemptReport,
): void {
  for (const route of report.routes) {
    const tls = describeTls(route);
    for (const { recipient, outcome } of route.outcomes) {
      const fields = {
        queueId: delivery.id,
        to: formatAddress(recipient),
        connector: route.decision.connector,
        ...fieldsOf(outcome),
        tls,
        attempt: delivery.attempts + 1,
        durationMs: report.endedAtMs - report.startedAtMs,
      };
      if (outcome.kind === 'delivered') log.info(fields, 'delivered');
      else log.warn(fields, outcome.kind);
    }
  }
}

function fieldsOf(outcome: RecipientOutcome['outcome']) {
  const { remoteMta: remote } = outcome;
  return {
    relay: remote === null ? null : `${remote.hostName}[${remote.address ?? ''}]:${remote.port}`,
    status: formatEnhancedStatus(outcome.status),
    ...causeOf(outcome),
    reason: outcome.reason,
  };
}

function causeOf(outcome: Outcome): { readonly cause?: string } {
  return outcome.kind === 'delivered' ? {} : { cause: outcome.cause };
}

/** Of the last host that was judged; null where none was, as for a mailbox. */
function describeTls(route: RouteAttempt): string | null {
  const evidence = route.candidates.findLast((candidate) => candidate.evidence !== null)?.evidence;
  if (evidence === undefined || evidence === null) return null;
  const { tls } = evidence;
  if (tls === null) return evidence.encryption;
  return `${tls.protocol} ${tls.cipher} ${tls.group ?? '-'}`;
}
