/** A queued delivery as the API shows it: times as text, clauses in words. */
import { formatAddress } from '../mail/address.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import type { Reply } from '../mail/reply.ts';
import type { Outcome } from '../policy/outcome.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import { describeDemand } from '../policy/tls-requirement.ts';
import type { WeakerPolicy } from '../policy/weaker-policy.ts';
import type { QueueRowView } from './contract.ts';
import type { QueuedMessageView, WeakerView } from './contract/queue-orders.ts';
import type { IdentifiedQueueRow } from './services.ts';

export function describeQueueRow(row: IdentifiedQueueRow): QueueRowView {
  const { message, delivery } = row;
  return {
    id: row.id,
    ordinal: delivery.ordinal,
    organization: message.organization,
    state: delivery.state,
    from: message.reversePath === null ? null : formatAddress(message.reversePath),
    recipients: delivery.recipients.map(formatAddress),
    source: message.source,
    sizeBytes: message.sizeBytes,
    receivedAt: formatTime(message.receivedAtMs),
    dueAt: delivery.state === 'held' ? null : formatTime(delivery.dueAtMs),
    attempts: delivery.attempts,
    routeKey: delivery.routeKey,
    clauses: [...new Set(delivery.floor.map(describeDemand))],
    lastOutcome: delivery.lastOutcome === null ? null : describeOutcome(delivery.lastOutcome),
  };
}

/** Demands in words, each once. */
export function describeWeaker({ lost, today, connector }: WeakerPolicy): WeakerView {
  const words = (clauses: readonly Clause[]) => [...new Set(clauses.map(describeDemand))];
  return { lost: words(lost), today: words(today), connector };
}

/** One message with its deliveries; `header` null where it is not to be had. */
export function describeQueuedMessage(
  rows: readonly IdentifiedQueueRow[],
  header: Buffer | null,
  weakerOf: (row: IdentifiedQueueRow) => WeakerPolicy | null,
): QueuedMessageView | null {
  const [first] = rows;
  if (first === undefined) return null;
  return {
    id: first.id,
    header: header === null ? null : header.toString('utf8'),
    bodyType: first.message.bodyType,
    deliveries: rows.map((row) => {
      const weaker = weakerOf(row);
      return {
        ...describeQueueRow(row),
        floor: row.delivery.floor.map((clause) => ({
          demand: describeDemand(clause),
          origin: `${clause.origin.kind} "${clause.origin.name}"`,
        })),
        weaker: weaker === null ? null : describeWeaker(weaker),
      };
    }),
  };
}

function describeOutcome(outcome: Outcome): NonNullable<QueueRowView['lastOutcome']> {
  return {
    kind: outcome.kind,
    cause: outcome.kind === 'delivered' ? null : outcome.cause,
    status: formatEnhancedStatus(outcome.status),
    reason: outcome.reason,
    reply: outcome.reply === null ? null : formatReplyLine(outcome.reply),
    remoteMta: outcome.remoteMta,
    at: formatTime(Date.parse(outcome.at)),
  };
}

/** A reply on one line, as people quote it: `550 5.1.1 no such mailbox`. */
export function formatReplyLine(reply: Reply): string {
  const status = reply.status === null ? '' : `${formatEnhancedStatus(reply.status)} `;
  return `${reply.code} ${status}${reply.lines.join(' ')}`.trimEnd();
}

/** RFC 3339, UTC, milliseconds. @see RFC 3339 §5.6 */
export function formatTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
