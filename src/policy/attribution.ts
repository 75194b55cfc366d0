/**
 * Whose a session is: an organization's own server, proven by certificate or known by address, or
 * anybody from outside.
 *
 * Certificate before address before MAIL FROM before RCPT. *Originating* may relay to anywhere and
 * needs two things: the certificate's name or MAIL FROM is in an accepted domain, and certificate or
 * address match an OnPremises connector of that organization. All else is *incoming*.
 * @see Exchange "Office 365 message attribution", "Updated requirements for SMTP relay"
 */
import type { DomainPattern } from '../mail/domain-pattern.ts';
import { specificityOf } from '../mail/domain-pattern.ts';
import { isUnderDomain, parseDomain } from '../mail/domain.ts';
import { isOpenTo } from './certificate-names.ts';
import { certificateRequirementOf } from './connector-clauses.ts';
import type { OwnServer } from './connector-index.ts';
import { ownServerIndexOf } from './connector-index.ts';
import type { Considered } from './decision.ts';
import { findDomainOwner } from './directory.ts';
import type { CertificateFacts } from './evidence.ts';
import type { InboundSession } from './inbound-session.ts';
import { findMatchingName, presentedNames } from './name-match.ts';
import type { InboundConnector, Organization, Policy } from './policy.ts';
import { judgeTls } from './tls-verdict.ts';

/** How an OnPremises connector knew the session. */
export type KnownBy = 'certificate' | 'address';

/** A session that an OnPremises connector knows; `mayRelay` as soon as it is originating. */
export interface KnownServer extends OwnServer {
  readonly by: KnownBy;
}

/**
 * `known`: everybody's OnPremises connectors that know the session, whether or not it may relay.
 * `tie`: those of several organizations that claim it alike, so that it is nobody's; for gateway
 * administrators only. `considered` speaks of `originating`'s organization alone.
 */
export interface Attribution {
  readonly originating: KnownServer | null;
  readonly known: readonly KnownServer[];
  readonly tie: readonly OwnServer[];
  readonly considered: readonly Considered[];
}

const nobodys: Attribution = { originating: null, known: [], tie: [], considered: [] };

const attributions = new WeakMap<InboundSession, { policy: Policy; result: Attribution }>();

/** Of a session without an account; the same for all its recipients. */
export function attributeSession(
  policy: Policy,
  session: InboundSession,
  nowMs: number,
): Attribution {
  if (ownServerIndexOf(policy).isEmpty || session.listener !== 'mx') return nobodys;
  const made = attributions.get(session);
  if (made?.policy === policy) return made.result;
  const result = attribute(policy, session, nowMs);
  attributions.set(session, { policy, result });
  return result;
}

function attribute(policy: Policy, session: InboundSession, nowMs: number): Attribution {
  const index = ownServerIndexOf(policy);
  const leaf = session.evidence.tls?.chain[0];
  const byCertificate = (leaf === undefined ? [] : index.byCertificate(leaf)).filter((server) =>
    isProven(server.connector, session, nowMs),
  );
  const byAddress = index
    .byAddress(session.clientAddress)
    .filter((server) => !byCertificate.includes(server));
  const known: KnownServer[] = [
    ...byCertificate.map((server) => ({ ...server, by: 'certificate' as const })),
    ...byAddress.map((server) => ({ ...server, by: 'address' as const })),
  ];
  if (known.length === 0) return nobodys;
  const senderOrganization = ownerOfSender(policy, session);
  const { winner, tie } = pickByCertificate(policy, known, leaf, senderOrganization);
  const originating =
    winner ?? known.find(({ organization }) => organization === senderOrganization) ?? null;
  const considered = originating === null ? [] : describe(known, originating);
  return { originating, known, tie: originating === null ? tie : [], considered };
}

function isProven(connector: InboundConnector, session: InboundSession, nowMs: number): boolean {
  const requirement = certificateRequirementOf(connector);
  return judgeTls(requirement, session.evidence, nowMs, null).kind === 'proceed';
}

function ownerOfSender(policy: Policy, { reversePath }: InboundSession): Organization | null {
  if (reversePath === null) return null;
  return findDomainOwner(policy, reversePath.domain)?.organization ?? null;
}

interface Pick {
  readonly winner: KnownServer | null;
  readonly tie: readonly OwnServer[];
}

/**
 * Of each name that the certificate presents the connector that is closest to it, where the name is in
 * an accepted domain. Where these are of several organizations, the sender's; else nobody's.
 */
function pickByCertificate(
  policy: Policy,
  known: readonly KnownServer[],
  leaf: CertificateFacts | undefined,
  sender: Organization | null,
): Pick {
  if (leaf === undefined) return { winner: null, tie: [] };
  const best = new Map<KnownServer, number>();
  for (const presented of presentedNames(leaf)) {
    for (const [server, rank] of closestTo(policy, presented, known)) {
      best.set(server, Math.max(rank, best.get(server) ?? 0));
    }
  }
  const servers = [...best].sort(([, a], [, b]) => b - a).map(([server]) => server);
  const organizations = new Set(servers.map(({ organization }) => organization));
  if (organizations.size <= 1) return { winner: servers[0] ?? null, tie: [] };
  const ofSender = servers.find(({ organization }) => organization === sender) ?? null;
  return { winner: ofSender, tie: ofSender === null ? servers : [] };
}

/** Those that name it most closely, with how closely: several only where none is closer. */
function closestTo(
  policy: Policy,
  presented: string,
  known: readonly KnownServer[],
): readonly (readonly [KnownServer, number])[] {
  let best: (readonly [KnownServer, number])[] = [];
  for (const server of known) {
    const rank = server.by === 'certificate' ? rankOfName(policy, server, presented) : null;
    const bestRank = best[0]?.[1] ?? -1;
    if (rank === null || rank < bestRank) continue;
    best = rank === bestRank ? [...best, [server, rank]] : [[server, rank]];
  }
  return best;
}

/** How closely the connector names what is presented, where that is in an accepted domain; else null. */
function rankOfName(
  policy: Policy,
  { organization, connector }: OwnServer,
  presented: string,
): number | null {
  if (!isOpenTo(policy, organization, presented)) return null;
  const names = connector.tlsSenderCertificateNames;
  if (names.length === 0) {
    // Known by its key: what the certificate itself says counts.
    return isAccepted(policy, organization, patternOf(presented)) ? 0 : null;
  }
  const ranks = names
    .filter((name) => findMatchingName([presented], [name]) !== null)
    .filter((name) => isAccepted(policy, organization, name))
    .map(specificityOf);
  return ranks.length === 0 ? null : Math.max(...ranks);
}

function patternOf(presented: string): DomainPattern {
  const isWildcard = presented.startsWith('*.');
  const domain = parseDomain(isWildcard ? presented.slice(2) : presented);
  if (domain === null) return { kind: 'any' };
  return { kind: isWildcard ? 'wildcard' : 'exact', domain };
}

/**
 * An exact name is an accepted domain itself; a wildcard is one, or has one below it. A name in
 * another organization's domain is never ours.
 */
function isAccepted(policy: Policy, organization: Organization, name: DomainPattern): boolean {
  if (name.kind === 'any') return false;
  const owner = findDomainOwner(policy, name.domain);
  if (owner !== null) return owner.organization === organization;
  if (name.kind === 'exact') return false;
  return organization.acceptedDomains.some(
    ({ domain, isProven }) => isProven && isUnderDomain(domain, name.domain),
  );
}

function describe(known: readonly KnownServer[], originating: KnownServer): Considered[] {
  return known
    .filter(({ organization }) => organization === originating.organization)
    .map(({ connector, by }) => {
      const how = by === 'certificate' ? 'the client certificate' : "the client's address";
      const { name } = connector;
      return connector === originating.connector
        ? { connector: name, result: 'chosen', reason: `${how} says that it is our own server` }
        : {
            connector: name,
            result: 'lost',
            reason: `${how} fits, but "${originating.connector.name}" is closer`,
          };
    });
}
