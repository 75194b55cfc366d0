/**
 * The verdicts about who sends: at MAIL FROM, and on the header once it is there.
 *
 * @see RFC 6409 §6.1, Exchange Online's 5.7.57 and 5.7.60
 */
import type { Address } from '../mail/address.ts';
import { formatAddress, isSameMailbox } from '../mail/address.ts';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import { attributeSession } from './attribution.ts';
import { partnerIndexOf } from './connector-index.ts';
import type { DomainOwner } from './directory.ts';
import { findAccount, findDomainOwner, isDomainOf } from './directory.ts';
import type { InboundClock, InboundSession } from './inbound-session.ts';
import { lockedDownReply } from './partner-reply.ts';
import { judgePartners } from './partner-verdict.ts';
import type { Policy } from './policy.ts';

/** RFC5322.From as found: `none` without the field, `unreadable` where it is not unambiguous. */
export type HeaderFrom =
  | { readonly kind: 'addresses'; readonly addresses: readonly Address[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable' };

/** A refusal of the sender: null from these functions means that nothing speaks against it. */
export interface SenderRefusal {
  readonly reply: Reply;
  readonly reason: string;
}

/** `met`: the enforcing connectors that the header's From met, by organization; where nothing refuses. */
export interface HeaderVerdict {
  readonly refusal: SenderRefusal | null;
  readonly met: ReadonlyMap<string, readonly string[]>;
}

const nobodyMet: HeaderVerdict['met'] = new Map();

/** On a submission listener only signed-in accounts send, and only as themselves. */
export function judgeMailFrom(policy: Policy, session: InboundSession): SenderRefusal | null {
  if (session.listener !== 'submission') return null;
  if (session.account === null) {
    const reason = 'the client did not sign in';
    return { reply: reply(530, '5.7.57', 'Client was not authenticated to send mail'), reason };
  }
  if (session.reversePath === null) return notAllowed('the null reverse-path');
  return isOwnAddress(policy, session, session.reversePath)
    ? null
    : notAllowed(formatAddress(session.reversePath));
}

function isOwnAddress(policy: Policy, session: InboundSession, address: Address): boolean {
  const { account } = session;
  if (account === null || !isDomainOf(policy, account.organization, address.domain)) return false;
  const mailbox = findAccount(policy, account.organization, account.account);
  return mailbox?.addresses.some((own) => isSameMailbox(own, address)) ?? false;
}

function notAllowed(sender: string): SenderRefusal {
  const text = `Client does not have permissions to send as this sender: ${sender}`;
  return {
    reply: reply(550, '5.7.60', text),
    reason: `${sender} is not an address of the account`,
  };
}

/**
 * At the end of the content. A submission's From must be addresses of the account. For the null
 * reverse-path, and for connectors that say so, the From domain restricts as MAIL FROM would; a From
 * that cannot be read is refused there as soon as any of these restricts, since it could hide a
 * partner's name.
 */
export function judgeHeader(
  policy: Policy,
  session: InboundSession,
  message: { readonly from: HeaderFrom; readonly recipients: readonly Address[] },
  clock: InboundClock,
): HeaderVerdict {
  if (session.listener === 'submission') {
    return { refusal: judgeSubmittedFrom(policy, session, message.from), met: nobodyMet };
  }
  if (attributeSession(policy, session, clock.nowMs).originating !== null) {
    return { refusal: null, met: nobodyMet };
  }
  const met = new Map<string, string[]>();
  // Recipients in one accepted domain share one verdict: it is not made a thousand times.
  const judged = new Set<string>();
  for (const recipient of message.recipients) {
    const owner = findDomainOwner(policy, recipient.domain);
    if (owner === null || judged.has(owner.domain.domain)) continue;
    judged.add(owner.domain.domain);
    const arrived = judgeArrivedFrom(session, message.from, owner, clock.nowMs);
    if (arrived.refusal !== null) return { refusal: arrived.refusal, met: nobodyMet };
    const { id } = owner.organization;
    met.set(id, [...(met.get(id) ?? []), ...arrived.met]);
  }
  return { refusal: null, met };
}

function judgeSubmittedFrom(
  policy: Policy,
  session: InboundSession,
  from: HeaderFrom,
): SenderRefusal | null {
  if (from.kind === 'none') return notAllowed('a message without From');
  if (from.kind === 'unreadable') return notAllowed('a From that cannot be read');
  const foreign = from.addresses.find((address) => !isOwnAddress(policy, session, address));
  return foreign === undefined ? null : notAllowed(formatAddress(foreign));
}

/** Of the null reverse-path for every connector, else for those that look at From. */
function judgeArrivedFrom(
  session: InboundSession,
  from: HeaderFrom,
  { organization, domain }: DomainOwner,
  nowMs: number,
): { readonly refusal: SenderRefusal | null; readonly met: readonly string[] } {
  const { restricts, looksAtHeader } = partnerIndexOf(organization);
  const isBounce = session.reversePath === null;
  if (!(isBounce ? restricts : looksAtHeader) || from.kind === 'none') {
    return { refusal: null, met: [] };
  }
  if (from.kind === 'unreadable') {
    const what = isBounce ? 'null reverse-path, and its From' : 'its From';
    const reason = `${what} cannot be read while connectors restrict senders`;
    const answer = reply(550, '5.7.51', `TenantInboundAttribution; ${reason}`);
    return { refusal: { reply: answer, reason }, met: [] };
  }
  const { unmet, met } = judgePartners({
    organization,
    acceptedDomain: domain.domain,
    senders: [...new Set(from.addresses.map((address) => address.domain))],
    isHeader: !isBounce,
    clientAddress: session.clientAddress,
    evidence: session.evidence,
    nowMs,
  });
  if (unmet === null) return { refusal: null, met };
  const whom = isBounce ? 'the From of this bounce' : 'the From of this message';
  const answer = lockedDownReply(unmet, domain.domain, whom);
  return { refusal: { reply: answer, reason: unmet.reason }, met: [] };
}
