/**
 * What mail to a rehearsal address would have come to: the decision about it, and each connector that
 * concerns its sender, demand by demand. Nothing is taken or refused on the strength of it.
 */
import { getDomain } from 'tldts';
import type { Address } from '../mail/address.ts';
import { attributeSession } from './attribution.ts';
import { isForcedBy } from './came-forced.ts';
import { requirementOfInbound } from './connector-clauses.ts';
import { findDomainOwner } from './directory.ts';
import type { InboundClock, InboundDecision, InboundSession } from './inbound-session.ts';
import { senderDomainsOf } from './inbound-session.ts';
import { isInRanges } from './ip-match.ts';
import { judgeAsMailbox } from './judge-recipient.ts';
import type { HeaderFrom, SenderRefusal } from './judge-sender.ts';
import { judgeHeader } from './judge-sender.ts';
import { concerning, judgeConnector } from './partner-verdict.ts';
import type { ConnectorMode, InboundConnector, Organization, Policy } from './policy.ts';
import type { Clause } from './tls-requirement.ts';
import { describeDemand } from './tls-requirement.ts';
import { judgeTls } from './tls-verdict.ts';

/** `atRcpt`, `atContent`: what other mail of this session would be answered; null is no refusal. */
export interface RehearsalVerdict {
  readonly atRcpt: InboundDecision;
  readonly atContent: SenderRefusal | null;
  /** Those that concern the sender, in whatever mode; by name. */
  readonly connectors: readonly RehearsedConnector[];
  /** One of those that enforce demands TLS: what is told of the mail is told under TLS. */
  readonly isForced: boolean;
}

/** `because`: which sender domains, or what else, make it concern the session. */
export interface RehearsedConnector {
  readonly name: string;
  readonly mode: ConnectorMode;
  readonly because: string;
  readonly isMet: boolean;
  /** Never empty for one that is not met. */
  readonly demands: readonly RehearsedDemand[];
}

/** `seen`: why it is not met, a sentence without a full stop; empty where it is. */
export interface RehearsedDemand {
  readonly kind: Clause['kind'] | 'address';
  readonly demand: string;
  readonly isMet: boolean;
  readonly seen: string;
}

/** A mail that was sent to a rehearsal address. */
export interface RehearsalMail {
  readonly session: InboundSession;
  readonly recipient: Address;
  readonly from: HeaderFrom;
}

export function judgeRehearsal(
  policy: Policy,
  organization: Organization,
  mail: RehearsalMail,
  clock: InboundClock,
): RehearsalVerdict {
  const { session, recipient, from } = mail;
  const atRcpt = judgeAsMailbox(policy, session, recipient, clock);
  const header = judgeHeader(policy, session, { from, recipients: [recipient] }, clock);
  const concerned = connectorsFor(policy, organization, mail, clock.nowMs);
  const names = concerned.map(({ connector }) => connector.name);
  return {
    atRcpt,
    atContent: atRcpt.kind === 'refuse' ? null : header.refusal,
    connectors: concerned
      .toSorted((a, b) => (a.connector.name < b.connector.name ? -1 : 1))
      .map(({ connector, because }) => rehearse(connector, because, session, clock.nowMs)),
    isForced: isForcedBy(policy, organization.id, names),
  };
}

/**
 * What answers are counted by: the domain that somebody registered, so that names invented below it
 * share one measure.
 */
export function rehearsalKeyOf({ domain }: Address): string {
  return getDomain(domain, { allowPrivateDomains: true }) ?? domain;
}

interface Concerned {
  readonly connector: InboundConnector;
  readonly because: string;
}

/** By MAIL FROM, by the From of the header, and as our own server; each once. */
function connectorsFor(
  policy: Policy,
  organization: Organization,
  { session, recipient, from }: RehearsalMail,
  nowMs: number,
): readonly Concerned[] {
  const found = new Map<string, Concerned>();
  const add = (connector: InboundConnector, because: string): void => {
    if (!found.has(connector.name)) found.set(connector.name, { connector, because });
  };
  const { known } = attributeSession(policy, session, nowMs);
  for (const server of known) {
    if (server.organization !== organization) continue;
    const how = server.by === 'certificate' ? 'certificate' : 'address';
    add(server.connector, `it knows the session by its ${how}, as the organization's own server`);
  }
  const { clientAddress } = session;
  const acceptedDomain = findDomainOwner(policy, recipient.domain)?.domain.domain ?? '';
  const scope = { organization, acceptedDomain, clientAddress };
  for (const each of concerning({ ...scope, senders: senderDomainsOf(session) })) {
    add(each.connector, `it covers ${each.covers.join(', ')}`);
  }
  if (from.kind !== 'addresses') return [...found.values()];
  const senders = [...new Set(from.addresses.map(({ domain }) => domain))];
  for (const each of concerning({ ...scope, senders, isHeader: true })) {
    add(each.connector, `it covers ${each.covers.join(', ')}, by the From of the header`);
  }
  return [...found.values()];
}

function rehearse(
  connector: InboundConnector,
  because: string,
  { evidence, clientAddress }: InboundSession,
  nowMs: number,
): RehearsedConnector {
  const { name, mode } = connector;
  const unmet = judgeConnector(connector, { clientAddress, evidence, nowMs });
  const from = evidence.encryption === 'internal' ? (evidence.fromOrganization ?? null) : null;
  const demands = requirementOfInbound(connector, from).clauses.map((clause) => {
    const verdict = judgeTls({ clauses: [clause] }, evidence, nowMs, null);
    const isMet = verdict.kind === 'proceed';
    const demand = describeDemand(clause);
    // What is demanded stands before it already.
    const known = `connector "${name}" requires ${demand}; `;
    const seen = isMet ? '' : verdict.reason.replace(known, '');
    return { kind: clause.kind, demand, isMet, seen };
  });
  const address = judgeAddress(connector, clientAddress, from);
  return {
    name,
    mode,
    because,
    isMet: unmet === null,
    demands: address === null ? demands : [address, ...demands],
  };
}

/** Which addresses these are is between the organization and its partner, and not told here. */
function judgeAddress(
  connector: InboundConnector,
  clientAddress: string,
  from: string | null,
): RehearsedDemand | null {
  if (!connector.restrictDomainsToIPAddresses) return null;
  if (from !== null && connector.trustedOrganizations.includes(from)) return null;
  const isMet = isInRanges(clientAddress, connector.senderIPAddresses);
  const seen = isMet
    ? ''
    : `${clientAddress === '' ? 'no address' : clientAddress} is none of them`;
  return { kind: 'address', demand: 'one of the addresses that were agreed', isMet, seen };
}
