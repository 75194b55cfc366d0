/**
 * Which mail-flow rules may act on a recorded message: the envelope is recorded, header and content
 * are not. Whatever cannot be known may hold.
 */
import { formatAddress, isSameMailbox } from '../mail/address.ts';
import type { Address } from '../mail/address.ts';
import { isUnderDomain } from '../mail/domain.ts';
import type { InboundSession } from './inbound-session.ts';
import { isInRanges } from './ip-match.ts';
import type { Organization } from './policy.ts';
import type { RecordedMessage } from './recorded.ts';
import type { MailFlowRule, RuleCondition } from './rules/rule.ts';

/** Names the first; null where none may. Our own notices are exempt from rules. */
export function findRuleThatMayAct(
  organization: Organization,
  message: RecordedMessage,
  session: InboundSession | null,
): string | null {
  if (message.source.kind === 'dsn') return null;
  const found = organization.rules.find(
    (rule) =>
      isAwake(rule, message.atMs) &&
      rule.conditions.every((each) => holds(rule, each, message, session) !== false) &&
      rule.exceptions.every((each) => holds(rule, each, message, session) !== true),
  );
  return found?.name ?? null;
}

export function isAwake(rule: MailFlowRule, atMs: number): boolean {
  const { enabled, mode, activationAtMs, expiryAtMs } = rule;
  if (!enabled || mode !== 'Enforce') return false;
  return (activationAtMs ?? -Infinity) <= atMs && atMs < (expiryAtMs ?? Infinity);
}

/** Null where the record does not tell. */
function holds(
  rule: MailFlowRule,
  condition: RuleCondition,
  message: RecordedMessage,
  session: InboundSession | null,
): boolean | null {
  const isEnvelope = rule.senderAddressLocation === 'Envelope';
  switch (condition.kind) {
    case 'from':
      return isEnvelope ? isOneOf(message.reversePath, condition.addresses) : null;
    case 'sender-domain-is':
      return isEnvelope ? isIn(message.reversePath, condition.domains) : null;
    case 'sent-to':
      return someNamed(message, (named) => isOneOf(named, condition.addresses));
    case 'recipient-domain-is':
      return someNamed(message, (named) => isIn(named, condition.domains));
    case 'sender-ip-ranges':
      if (session === null || session.clientAddress === '') return null;
      return isInRanges(session.clientAddress, condition.ranges);
    case 'received-over-tls':
      if (session === null || session.evidence.encryption === 'internal') return null;
      return (session.evidence.encryption === 'established') === condition.isOverTls;
    case 'from-scope':
    case 'sent-to-scope':
    case 'contains-words':
    case 'matches-patterns':
    case 'message-size-over':
    case 'attachment-extension-is':
    case 'attachment-type-is':
    case 'has-no-classification':
    case 'has-classification':
      return null;
  }
}

function someNamed(
  { arrival, recipients }: RecordedMessage,
  fits: (named: Address) => boolean,
): boolean | null {
  const all = arrival?.accepted.map(({ recipient }) => recipient) ?? [];
  const named = all.length > 0 ? all : recipients.map((each) => each.named);
  // Of several, some copies may meet it and others not.
  if (!named.some(fits)) return false;
  return named.every(fits) ? true : null;
}

function isOneOf(address: Address | null, wanted: readonly Address[]): boolean {
  if (address === null) return false;
  const text = formatAddress(address).toLowerCase();
  return wanted.some(
    (each) => isSameMailbox(each, address) || formatAddress(each).toLowerCase() === text,
  );
}

function isIn(address: Address | null, domains: readonly string[]): boolean {
  return address !== null && domains.some((domain) => isUnderDomain(address.domain, domain));
}
