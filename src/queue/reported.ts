/** Whom the sender is told about, by what it asked for with NOTIFY. Pure. @see RFC 3461 §4.1 */
import type { Recipient } from '../mail/recipient.ts';
import { wantsNotice } from '../mail/recipient.ts';
import { status } from '../mail/enhanced-status.ts';
import type { CandidateRecord } from '../policy/delivery.ts';
import type { RecipientOutcome } from '../policy/outcome.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import type { DsnRecipient } from '../report/dsn-recipient.ts';
import { actionOfOutcome, notifyWordOf } from '../report/dsn-recipient.ts';

/** What outcomes have in common: requirement and hosts, and for mail that waits what comes next. */
export interface Circumstances {
  readonly clauses: readonly Clause[];
  readonly candidates: readonly CandidateRecord[];
  readonly nextAttemptAtMs?: number;
  readonly willRetryUntilMs?: number;
}

/** Those of the recipients that want to hear of their outcome. */
export function reportOutcomes(
  outcomes: readonly RecipientOutcome[],
  circumstances: Circumstances,
): readonly DsnRecipient[] {
  const { clauses, candidates, nextAttemptAtMs = null, willRetryUntilMs = null } = circumstances;
  const reported: DsnRecipient[] = [];
  for (const { recipient, outcome } of outcomes) {
    const action = actionOfOutcome(outcome);
    if (action === null || !wantsNotice(recipient, notifyWordOf(action))) continue;
    const waiting = { nextAttemptAtMs, willRetryUntilMs };
    reported.push({ recipient, action, outcome, clauses, candidates, ...waiting });
  }
  return reported;
}

/**
 * What is told when a message is accepted: an alias that leads to several addresses has expanded.
 * Once per alias, where success was asked for.
 */
export function reportExpansions(recipients: readonly Recipient[], nowMs: number): DsnRecipient[] {
  const expanded: DsnRecipient[] = [];
  for (const [first] of groupByAlias(recipients).values()) {
    const { aliasedFrom, ...asked } = first!;
    expanded.push({
      recipient: { ...asked, ...aliasedFrom! },
      action: 'expanded',
      outcome: {
        kind: 'delivered',
        handedTo: 'mailbox',
        status: status('2.0.0'),
        reason: 'passed on to several addresses',
        reply: null,
        remoteMta: null,
        at: new Date(nowMs).toISOString(),
      },
      clauses: [],
      candidates: [],
      nextAttemptAtMs: null,
      willRetryUntilMs: null,
    });
  }
  return expanded;
}

/** After an expansion was told, only failures and delays of those behind the alias are. */
export function withoutToldSuccess(recipients: readonly Recipient[]): readonly Recipient[] {
  const told = new Set([...groupByAlias(recipients).values()].flat());
  if (told.size === 0) return recipients;
  return recipients.map((each) =>
    told.has(each) ? { ...each, notify: each.notify!.filter((word) => word !== 'success') } : each,
  );
}

/** Aliases with several recipients that asked for success, by address. */
function groupByAlias(recipients: readonly Recipient[]): ReadonlyMap<string, Recipient[]> {
  const groups = new Map<string, Recipient[]>();
  for (const recipient of recipients) {
    const { aliasedFrom, notify } = recipient;
    if (aliasedFrom === undefined || notify?.includes('success') !== true) continue;
    const name = `${aliasedFrom.localPart}@${aliasedFrom.domain}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [recipient]);
    else group.push(recipient);
  }
  for (const [name, group] of groups) if (group.length < 2) groups.delete(name);
  return groups;
}
