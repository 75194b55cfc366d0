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
import type { Attribution, KnownServer } from './attribution.ts';
import { attributeSession } from './attribution.ts';
import type { OwnServer } from './connector-index.ts';
import type { DomainOwner } from './directory.ts';
import { findDomainOwner, findUnprovenClaim, firstDomainOf, isDomainOf } from './directory.ts';
import type { FoundRecipient } from './find-recipient.ts';
import { findRecipient } from './find-recipient.ts';
import type { InboundClock, InboundDecision, InboundSession } from './inbound-session.ts';
import { senderDomainsOf } from './inbound-session.ts';
import { lockedDownReply, tlsMissingReply } from './partner-reply.ts';
import type { PartnerVerdict, UnmetConnector } from './partner-verdict.ts';
import { judgeConnector, judgePartners, shadowOf } from './partner-verdict.ts';
import type { Organization, Policy } from './policy.ts';
import type { RecipientVerification } from './recipient-verification.ts';
import type { ShadowOutcome } from './shadow.ts';

export type { InboundClock, InboundDecision, InboundSession } from './inbound-session.ts';

export function judgeRecipient(
  policy: Policy,
  session: InboundSession,
  recipient: Address,
  clock: InboundClock,
): InboundDecision {
  if (session.account !== null) return judgeSubmitted(policy, session.account, recipient);
  const found = findRecipient(policy, recipient);
  return judgeSession({ policy, session, clock, found }, recipient);
}

/**
 * What a session without an account would be answered, were the recipient a mailbox of ours: all but
 * whether it exists. Only for what is said of it; nothing is taken on the strength of this.
 */
export function judgeAsMailbox(
  policy: Policy,
  session: InboundSession,
  recipient: Address,
  clock: InboundClock,
): InboundDecision {
  return judgeSession({ policy, session, clock, found: { kind: 'mailbox' } }, recipient);
}

function judgeSession(asking: Omit<Asked, 'attribution'>, recipient: Address): InboundDecision {
  const { policy, session, clock } = asking;
  const asked = { ...asking, attribution: attributeSession(policy, session, clock.nowMs) };
  if (asked.attribution.originating !== null) return judgeFromOwnServer(asked, recipient);
  const owner = findDomainOwner(policy, recipient.domain);
  return owner === null ? judgeForeign(asked, recipient) : judgeIncoming(asked, recipient, owner);
}

interface Asked {
  readonly policy: Policy;
  readonly session: InboundSession;
  readonly clock: InboundClock;
  readonly attribution: Attribution;
  /** What the recipient is. */
  readonly found: FoundRecipient;
}

/** Our own server may send anywhere, under what its connector demands. */
function judgeFromOwnServer(asked: Asked, recipient: Address): InboundDecision {
  const { policy, attribution } = asked;
  const { organization, connector, by } = attribution.originating!;
  const own = judgeOwnServer(asked, attribution.originating!);
  const considered = [...attribution.considered, ...own.considered];
  if (own.refusal !== null) return { ...own.refusal, considered };
  if (isForAnother(asked, organization, recipient)) {
    const reason = `its server may not send for another organization of this gateway to the outside`;
    const refusal = refuse(reply(550, '5.7.64', relayText), reason, considered);
    return { ...refusal, organization: organization.id };
  }
  const met: Met = {
    organization: organization.id,
    origin: { kind: 'originating', connector: connector.name, by },
    connectors: [connector.name],
    considered,
    shadow: own.shadow,
  };
  return judgeSending({ policy, found: asked.found }, recipient, met);
}

/**
 * From our address mail in another organization's name would pass as theirs (SPF): who is outside
 * could not tell them apart.
 */
function isForAnother(
  { policy, session: { reversePath } }: Asked,
  organization: Organization,
  recipient: Address,
): boolean {
  const owner = reversePath === null ? null : findDomainOwner(policy, reversePath.domain);
  if (owner === null || owner.organization === organization) return false;
  return !isDomainOf(policy, organization.id, recipient.domain);
}

interface OwnServerVerdict {
  readonly refusal: (InboundDecision & { readonly kind: 'refuse' }) | null;
  readonly considered: readonly Considered[];
  readonly shadow: readonly ShadowOutcome[];
}

/** RequireTls and RestrictDomainsToCertificate act on OnPremises connectors too (ADR 21). */
function judgeOwnServer({ session, clock }: Asked, server: KnownServer): OwnServerVerdict {
  const { connector, organization } = server;
  const { clientAddress, evidence } = session;
  const unmet = judgeConnector(connector, { clientAddress, evidence, nowMs: clock.nowMs });
  const reason = unmet === null ? 'what it demands is met' : unmet.reason;
  if (connector.mode !== 'enforce') {
    const isAsked = connector.requireTls || connector.restrictDomainsToCertificate;
    const shadow = isAsked ? [shadowOf(connector, unmet, reason)] : [];
    return { refusal: null, considered: [], shadow };
  }
  if (unmet === null) return { refusal: null, considered: [], shadow: [] };
  const considered = [{ connector: connector.name, result: 'chosen', reason } as const];
  const policyOf = { organization, domain: firstDomainOf(organization) ?? organization.name };
  const refusal = refuseUnmet({ unmet, considered }, session, policyOf, clock);
  return { refusal, considered, shadow: [] };
}

/** No domain of ours, and nobody's server that may relay. */
function judgeForeign(asked: Asked, recipient: Address): InboundDecision {
  const { policy, session, attribution } = asked;
  const claim = findUnprovenClaim(policy, recipient.domain);
  if (claim !== null) return notProven(claim);
  if (mayMeanRelay(policy, session, attribution)) return relayRefused(recipient, attribution);
  const reason = `${recipient.domain} is not an accepted domain of this system`;
  return refuse(reply(550, '5.7.1', `Unable to relay: ${reason}`), reason);
}

/** Who looks like a server of somebody's here is told that it is not known as one. */
function mayMeanRelay(policy: Policy, session: InboundSession, { known }: Attribution): boolean {
  if (known.length > 0 || (session.evidence.tls?.chain.length ?? 0) > 0) return true;
  const { reversePath } = session;
  return reversePath !== null && findDomainOwner(policy, reversePath.domain) !== null;
}

const relayText = 'TenantAttribution; Relay Access Denied [SMTP/ATTR36]';

function relayRefused(recipient: Address, { known, tie }: Attribution): InboundDecision {
  const claims = (list: readonly OwnServer[]): string =>
    list.map(({ organization: { id }, connector: { name } }) => `${id}/"${name}"`).join(', ');
  const reason =
    tie.length > 0
      ? `several organizations claim this session alike: ${claims(tie)}`
      : known.length > 0
        ? `${claims(known)} know the session, but neither the certificate's name nor MAIL FROM is in an accepted domain of its organization`
        : `no OnPremises connector knows the session, which sends to ${recipient.domain}`;
  return refuse(reply(550, '5.7.64', relayText), reason);
}

/** Nothing is lost: the sender tries again until the owner has shown that the domain is its. */
function notProven({ organization, domain: { domain } }: DomainOwner): InboundDecision {
  const text = `Recipient domain ${domain} is not verified here yet, try again later`;
  const reason = `${domain} of ${organization.id} is not proved by a TXT record yet: postern domain list`;
  return { ...refuse(reply(450, '4.7.1', text), reason), organization: organization.id };
}

function judgeIncoming(asked: Asked, recipient: Address, owner: DomainOwner): InboundDecision {
  const { policy, session, clock, attribution } = asked;
  const { organization } = owner;
  const server = attribution.known.find((each) => each.organization === organization) ?? null;
  const own = server === null ? nothingOwn : judgeOwnServer(asked, server);
  if (own.refusal !== null) return own.refusal;
  const partners = judgePartners({
    organization,
    acceptedDomain: owner.domain.domain,
    senders: senderDomainsOf(session),
    clientAddress: session.clientAddress,
    evidence: session.evidence,
    nowMs: clock.nowMs,
  });
  const considered = [...own.considered, ...partners.considered];
  if (partners.unmet !== null) {
    const { unmet } = partners;
    const policyOf = { organization, domain: owner.domain.domain };
    return refuseUnmet({ unmet, considered }, session, policyOf, clock);
  }
  if (isDirectSend(policy, session, organization, partners)) {
    return directSendDenied(owner, considered);
  }
  const connector = server?.connector.name ?? null;
  return judgeExistence(asked.found, recipient, {
    organization: organization.id,
    origin: { kind: 'incoming', connector, by: server?.by ?? null },
    connectors: connector === null ? partners.met : [connector, ...partners.met],
    considered,
    shadow: [...own.shadow, ...partners.shadow],
  });
}

const nothingOwn: OwnServerVerdict = { refusal: null, considered: [], shadow: [] };

/** A signed-in account may send anywhere, but not to recipients that its own domains do not have. */
export function judgeSubmitted(
  policy: Policy,
  account: { readonly organization: string },
  recipient: Address,
): InboundDecision {
  const found = findRecipient(policy, recipient);
  return judgeSending({ policy, found }, recipient, {
    organization: account.organization,
    origin: { kind: 'originating', connector: null, by: 'account' },
    connectors: [],
    considered: [],
    shadow: [],
  });
}

function judgeSending(
  { policy, found }: Pick<Asked, 'policy' | 'found'>,
  recipient: Address,
  met: Met,
): InboundDecision {
  const { organization } = met;
  if (isDomainOf(policy, organization, recipient.domain)) {
    return judgeExistence(found, recipient, met);
  }
  const { destination, considered } = chooseOutbound(policy, organization, recipient);
  if (destination.kind === 'none' && destination.isPermanent) {
    const refusal = refuse(unknownRecipient(recipient), destination.reason, considered);
    return { ...refusal, organization };
  }
  return { kind: 'accept', ...met, mustVerify: false };
}

type Met = Omit<InboundDecision & { readonly kind: 'accept' }, 'kind' | 'mustVerify'>;

/** Last of all, so that who is refused anyway learns nothing about our recipients. */
function judgeExistence(found: FoundRecipient, recipient: Address, met: Met): InboundDecision {
  if (found.kind === 'unknown') {
    const refusal = refuse(unknownRecipient(recipient), found.reason, met.considered);
    return { ...refusal, organization: met.organization };
  }
  const mustVerify = found.kind === 'elsewhere' && found.existence === 'verify';
  return { kind: 'accept', ...met, mustVerify };
}

function unknownRecipient(recipient: Address): Reply {
  const text = `Recipient address rejected: there is no mailbox ${formatAddress(recipient)} here`;
  return reply(550, '5.4.1', text);
}

/** Whose policy an unmet connector is, and the domain that the other side is told. */
interface PolicyOf {
  readonly organization: Organization;
  readonly domain: string;
}

function refuseUnmet(
  { unmet, considered }: { unmet: UnmetConnector; considered: readonly Considered[] },
  session: InboundSession,
  { organization, domain }: PolicyOf,
  clock: InboundClock,
): InboundDecision & { readonly kind: 'refuse' } {
  const { connector, reason } = unmet;
  const ours = { organization: organization.id, connector: connector.name };
  if (!unmet.needsTls) {
    const answer = lockedDownReply(unmet, domain, 'this sender');
    return { ...refuse(answer, reason, considered), ...ours };
  }
  const { reversePath } = session;
  const sender = reversePath === null ? '<>' : formatAddress(reversePath);
  const temporaryKey = `${organization.id} ${connector.name} ${sender.toLowerCase()}`;
  const sinceMs = clock.firstRefusedAtMs(temporaryKey) ?? clock.nowMs;
  const isFinal = clock.nowMs - sinceMs >= connector.requireTlsTemporaryMs;
  const answer = tlsMissingReply(unmet, domain, isFinal);
  return { ...refuse(answer, reason, considered), ...ours, temporaryKey };
}

/** The organization's own domain as MAIL FROM from outside, where no connector proves who sends. */
function isDirectSend(
  policy: Policy,
  { reversePath, evidence }: InboundSession,
  organization: Organization,
  partners: PartnerVerdict,
): boolean {
  if (!organization.rejectDirectSend || reversePath === null) return false;
  if (partners.proven.length > 0 || evidence.fromOrganization === organization.id) return false;
  return isDomainOf(policy, organization.id, reversePath.domain);
}

function directSendDenied(
  { organization }: DomainOwner,
  considered: readonly Considered[],
): InboundDecision {
  const text =
    'TenantInboundAttribution; Direct Send not allowed: the sender domain is ours and this session is not';
  const reason = `MAIL FROM is in a domain of ${organization.name} and no connector proves the sender`;
  const refusal = refuse(reply(550, '5.7.68', text), reason, considered);
  return { ...refusal, organization: organization.id };
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
  considered: readonly Considered[] = [],
): InboundDecision & { readonly kind: 'refuse' } {
  return {
    kind: 'refuse',
    reply: answer,
    reason,
    organization: null,
    connector: null,
    temporaryKey: null,
    considered,
  };
}
