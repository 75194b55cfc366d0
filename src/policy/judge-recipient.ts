/**
 * The verdict at RCPT, per recipient: is the domain ours, may this session send to it, does the
 * mailbox exist.
 *
 * Codes are Exchange's, wording ours; the caller appends the id by which both sides name the event.
 * @see RFC 5321 §3.3, Exchange Online's refusals 5.7.51, 5.7.68, 5.4.1, 4.7.0
 */
import type { Address } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import { chooseOutbound } from './choose-outbound.ts';
import type { Considered } from './decision.ts';
import type { DomainOwner } from './directory.ts';
import { findDomainOwner, findMailbox } from './directory.ts';
import type { InboundClock, InboundDecision, InboundSession } from './inbound-session.ts';
import { senderDomainsOf } from './inbound-session.ts';
import { lockedDownReply, tlsMissingReply } from './partner-reply.ts';
import type { PartnerVerdict, UnmetConnector } from './partner-verdict.ts';
import { judgePartners } from './partner-verdict.ts';
import type { Policy } from './policy.ts';

export type { InboundClock, InboundDecision, InboundSession } from './inbound-session.ts';

export function judgeRecipient(
  policy: Policy,
  session: InboundSession,
  recipient: Address,
  clock: InboundClock,
): InboundDecision {
  if (session.account !== null) return judgeSubmitted(policy, session.account, recipient);
  const owner = findDomainOwner(policy, recipient.domain);
  if (owner === null) return relayDenied(recipient);
  const partners = judgePartners({
    organization: owner.organization,
    acceptedDomain: owner.domain.domain,
    senders: senderDomainsOf(session),
    clientAddress: session.clientAddress,
    evidence: session.evidence,
    nowMs: clock.nowMs,
  });
  if (partners.unmet !== null) {
    const reversePath = session.reversePath === null ? '<>' : formatAddress(session.reversePath);
    return refuseUnmet({ ...partners, unmet: partners.unmet }, reversePath, owner, clock);
  }
  if (isDirectSend(policy, session, partners)) return directSendDenied(owner, partners);
  return judgeExistence(policy, owner, recipient, partners);
}

/** A signed-in account may send anywhere, but not to mailboxes that its own domains do not have. */
function judgeSubmitted(
  policy: Policy,
  account: { readonly organization: string },
  recipient: Address,
): InboundDecision {
  const decision = chooseOutbound(policy, account.organization, recipient);
  if (decision.destination.kind === 'none' && decision.destination.isPermanent) {
    return refuse(unknownRecipient(recipient), decision.destination.reason, decision.considered);
  }
  const { organization } = account;
  return { kind: 'accept', organization, connectors: [], considered: [], mustVerify: false };
}

function judgeExistence(
  policy: Policy,
  owner: DomainOwner,
  recipient: Address,
  partners: PartnerVerdict,
): InboundDecision {
  const isKnown = findMailbox(policy, recipient) !== null;
  if (!isKnown && owner.domain.type === 'authoritative') {
    const reason = `${formatAddress(recipient)} is no mailbox of ${owner.organization.name}`;
    return refuse(unknownRecipient(recipient), reason, partners.considered);
  }
  return {
    kind: 'accept',
    organization: owner.organization.id,
    connectors: partners.met,
    considered: partners.considered,
    mustVerify: false,
  };
}

function unknownRecipient(recipient: Address): Reply {
  const text = `Recipient address rejected: there is no mailbox ${formatAddress(recipient)} here`;
  return reply(550, '5.4.1', text);
}

function relayDenied(recipient: Address): InboundDecision {
  const reason = `${recipient.domain} is not an accepted domain of this system`;
  return refuse(reply(550, '5.7.1', `Unable to relay: ${reason}`), reason, []);
}

function refuseUnmet(
  partners: PartnerVerdict & { readonly unmet: UnmetConnector },
  sender: string,
  owner: DomainOwner,
  clock: InboundClock,
): InboundDecision {
  const { unmet, considered } = partners;
  const { connector, reason } = unmet;
  const { domain } = owner.domain;
  if (!unmet.needsTls) {
    const answer = lockedDownReply(unmet, domain, 'this sender');
    return { ...refuse(answer, reason, considered), connector: connector.name };
  }
  const temporaryKey = `${owner.organization.id} ${connector.name} ${sender.toLowerCase()}`;
  const sinceMs = clock.firstRefusedAtMs(temporaryKey) ?? clock.nowMs;
  const isFinal = clock.nowMs - sinceMs >= connector.requireTlsTemporaryMs;
  const answer = tlsMissingReply(unmet, domain, isFinal);
  return { ...refuse(answer, reason, considered), connector: connector.name, temporaryKey };
}

/** Our own domain as MAIL FROM from outside, where no connector proves who sends. */
function isDirectSend(policy: Policy, session: InboundSession, partners: PartnerVerdict): boolean {
  if (session.reversePath === null || partners.proven.length > 0) return false;
  const sender = findDomainOwner(policy, session.reversePath.domain);
  return sender !== null && sender.organization.rejectDirectSend;
}

function directSendDenied(owner: DomainOwner, partners: PartnerVerdict): InboundDecision {
  const text =
    'TenantInboundAttribution; Direct Send not allowed: the sender domain is ours and this session is not';
  const reason = `MAIL FROM is in a domain of ${owner.organization.name} and no connector proves the sender`;
  return refuse(reply(550, '5.7.68', text), reason, partners.considered);
}

function refuse(
  answer: Reply,
  reason: string,
  considered: readonly Considered[],
): InboundDecision & { readonly kind: 'refuse' } {
  return { kind: 'refuse', reply: answer, reason, connector: null, temporaryKey: null, considered };
}
