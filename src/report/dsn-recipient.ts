/**
 * A recipient of whom a DSN speaks, and what the sender may know of it.
 *
 * Mail to an alias of ours is reported as mail to that alias: where it leads is nobody's business but
 * ours, and a server behind it would tell with its name, its certificate and its words.
 * @see RFC 3461 §5.2.7, RFC 3464 §2.3.2 (confidential forwarding addresses)
 */
import { formatAddress } from '../mail/address.ts';
import type { NotifyOn, Recipient } from '../mail/recipient.ts';
import type { CandidateRecord } from '../policy/delivery.ts';
import type { Outcome } from '../policy/outcome.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import type { DsnAction } from '../standards/dsn/delivery-status.ts';

/** What is told of one recipient. */
export interface DsnRecipient {
  readonly recipient: Recipient;
  readonly action: DsnAction;
  readonly outcome: Outcome;
  /** What was required of its delivery; empty where nothing was. */
  readonly clauses: readonly Clause[];
  /** The hosts of the last attempt; empty where none was tried. */
  readonly candidates: readonly CandidateRecord[];
  /** When it is tried again; null where it is not, or not before somebody releases it. */
  readonly nextAttemptAtMs: number | null;
  /** When it is given up; null where it is not waiting, or held. */
  readonly willRetryUntilMs: number | null;
  /** The recipient is an alias of ours, in the place of those behind it. */
  readonly isAlias?: true;
}

/** The gravest first: so they are told, and so a DSN is named by its first. */
export const dsnActions: readonly DsnAction[] = [
  'failed',
  'delayed',
  'expanded',
  'relayed',
  'delivered',
];

/** The gravest action among them; they are never none. */
export function actionOf(recipients: readonly DsnRecipient[]): DsnAction {
  return dsnActions.find((action) => recipients.some((each) => each.action === action))!;
}

/** What an outcome is called in a DSN; null where the next hop tells the sender itself. */
export function actionOfOutcome(outcome: Outcome): DsnAction | null {
  switch (outcome.kind) {
    case 'bounced':
      return 'failed';
    case 'deferred':
    case 'held':
      return 'delayed';
    case 'delivered':
      if (outcome.handedTo === 'relay-with-dsn') return null;
      return outcome.handedTo === 'mailbox' ? 'delivered' : 'relayed';
  }
}

/** The word of NOTIFY that asks for it. */
export function notifyWordOf(action: DsnAction): NotifyOn {
  if (action === 'failed') return 'failure';
  return action === 'delayed' ? 'delay' : 'success';
}

/** In the place of those behind an alias the alias, each once for an action. */
export function hideAliasTargets(recipients: readonly DsnRecipient[]): readonly DsnRecipient[] {
  const seen = new Set<string>();
  const shown: DsnRecipient[] = [];
  for (const each of recipients) {
    const { aliasedFrom } = each.recipient;
    if (aliasedFrom === undefined) {
      shown.push(each);
      continue;
    }
    const name = `${each.action} ${formatAddress(aliasedFrom)}`;
    if (seen.has(name)) continue;
    seen.add(name);
    shown.push(hideTarget(each));
  }
  return shown;
}

function hideTarget(each: DsnRecipient): DsnRecipient {
  const { aliasedFrom, ...asked } = each.recipient;
  const outcome = { ...each.outcome, reason: reasons[each.action], reply: null, remoteMta: null };
  return {
    ...each,
    recipient: { ...asked, ...aliasedFrom! },
    outcome,
    clauses: [],
    candidates: [],
    isAlias: true,
  };
}

const reasons: Readonly<Record<DsnAction, string>> = {
  failed: 'it leads to another address, which could not be reached',
  delayed: 'it leads to another address, which cannot be reached now',
  delivered: 'delivered',
  relayed: 'passed on to another address',
  expanded: 'passed on to several addresses',
};
