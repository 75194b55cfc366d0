/**
 * The verdict at RCPT, per recipient: is the domain ours, may this session send to it, does the
 * recipient exist, or must the server that keeps it be asked.
 *
 * Codes are Exchange's, wording ours; the caller appends the id by which both sides name the event.
 * @see RFC 5321 §3.3, Exchange Online's refusals 5.7.51, 5.7.68, 5.4.1, 4.7.0
 */
import type { Address } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import { chooseOutbound } from './choose-outbound.ts';
import type { Considered } from './decision.ts';
import type { DomainOwner } from './directory.ts';
import { findDomainOwner } from './directory.ts';
import type { FoundRecipient } from './find-recipient.ts';
import { findRecipient } from './find-recipient.ts';
import type { InboundClock, InboundDecision, InboundSession } from './inbound-session.ts';
import { senderDomainsOf } from './inbound-session.ts';
import { lockedDownReply, tlsMissingReply } from './partner-reply.ts';
import type { PartnerVerdict, UnmetConnector } from './partner-verdict.ts';
import { judgePartners } from './partner-verdict.ts';
import type { Policy } from './policy.ts';
import type { RecipientVerification } from './recipient-verification.ts';

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
  return judgeExistence(findRecipient(policy, recipient), recipient, {
    organization: owner.organization.id,
    connectors: partners.met,
    considered: partners.considered,
  });
}

/** A signed-in account may send anywhere, but not to recipients that its own domains do not have. */
export function judgeSubmitted(
  policy: Policy,
  account: { readonly organization: string },
  recipient: Address,
): InboundDecision {
  const { organization } = account;
  const owner = findDomainOwner(policy, recipient.domain);
  const met = { organization, connectors: [], considered: [] };
  if (owner?.organization.id === organization) {
    return judgeExistence(findRecipient(policy, recipient), recipient, met);
  }
  const { destination, considered } = chooseOutbound(policy, organization, recipient);
  if (destination.kind === 'none' && destination.isPermanent) {
    return refuse(unknownRecipient(recipient), destination.reason, considered);
  }
  return { kind: 'accept', ...met, mustVerify: false };
}

type Met = Pick<
  InboundDecision & { readonly kind: 'accept' },
  'organization' | 'connectors' | 'considered'
>;

/** Last of all, so that who is refused anyway learns nothing about our recipients. */
function judgeExistence(found: FoundRecipient, recipient: Address, met: Met): InboundDecision {
  if (found.kind === 'unknown') {
    return refuse(unknownRecipient(recipient), found.reason, met.considered);
  }
  const mustVerify = found.kind === 'elsewhere' && found.existence === 'verify';
  return { kind: 'accept', ...met, mustVerify };
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

/** The refusal of a recipient that its server was asked about. `status` 4.4.1: it did not answer. */
export function refuseUnverified(
  recipient: Address,
  verification: RecipientVerification & { readonly kind: 'unknown' | 'silent' },
): { readonly reply: Reply; readonly reason: string } {
  const { kind } = verification;
  const reason = sanitizePeerText(verification.reason);
  const who = formatAddress(recipient);
  if (kind === 'silent') {
    const text = `Recipient not verified: the server that keeps ${who} cannot be asked now, try again later`;
    // Names and troubles of inner servers are for the log and the trace alone.
    return { reply: reply(451, '4.4.1', text), reason };
  }
  const text = `Recipient address rejected: the server that keeps it does not know ${who}: ${reason}`;
  return { reply: reply(550, '5.1.1', text), reason };
}

function refuse(
  answer: Reply,
  reason: string,
  considered: readonly Considered[],
): InboundDecision & { readonly kind: 'refuse' } {
  return { kind: 'refuse', reply: answer, reason, connector: null, temporaryKey: null, considered };
}
