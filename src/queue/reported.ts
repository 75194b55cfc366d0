/** Whom the sender is told about, by what it asked for with NOTIFY. Pure. @see RFC 3461 §4.1 */
import type { Address } from '../mail/address.ts';
import type { Recipient } from '../mail/recipient.ts';
import { wantsNotice } from '../mail/recipient.ts';
import { status } from '../mail/enhanced-status.ts';
import type { CandidateRecord } from '../policy/delivery.ts';
import type { RecipientOutcome } from '../policy/outcome.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import { joinRequirements } from '../policy/tls-requirement.ts';
import type { DsnRecipient } from '../report/dsn-recipient.ts';
import { actionOfOutcome, notifyWordOf } from '../report/dsn-recipient.ts';
import type { StoredDelivery } from '../store/store.ts';

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
 * What is told when a message is accepted: a named recipient became several, and success was asked
 * for. Whoever expands an alias so leaves SUCCESS out for those behind it: that "it" was delivered
 * nobody can tell. From then on only their failures and delays are told.
 */
export function reportExpansions(
  named: readonly Recipient[],
  deliveries: readonly Pick<StoredDelivery, 'recipients' | 'floor'>[],
  nowMs: number,
): readonly DsnRecipient[] {
  const asking = named.filter((each) => wantsNotice(each, 'success'));
  if (asking.length === 0) return [];
  return asking.flatMap((recipient): DsnRecipient[] => {
    const isBehind = (each: Recipient): boolean =>
      isSilentTarget(each) && isSame(each.aliasedFrom!, recipient);
    const behind = deliveries.filter(({ recipients }) => recipients.some(isBehind));
    if (behind.length === 0) return [];
    const expanded = {
      recipient,
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
      // What protects the mail behind the alias protects what is told of it.
      clauses: joinRequirements(...behind.map(({ floor }) => ({ clauses: floor }))).clauses,
      candidates: [],
      nextAttemptAtMs: null,
      willRetryUntilMs: null,
    } as const;
    return [expanded];
  });
}

function isSilentTarget(recipient: Recipient): boolean {
  return recipient.aliasedFrom !== undefined && !wantsNotice(recipient, 'success');
}

function isSame(a: Address, b: Address): boolean {
  return a.localPart === b.localPart && a.domain === b.domain;
}
