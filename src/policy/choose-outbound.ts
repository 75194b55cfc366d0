/**
 * Where mail for a recipient goes: into a mailbox here; to the delivery target that keeps the others
 * of its domain; else by outbound connector: exact domain, then the longest wildcard, then all
 * accepted domains, then `*`; else MX with opportunistic TLS.
 *
 * The recipient is a final one: aliases were expanded when the message was accepted.
 *
 * @see New-OutboundConnector; Exchange's worked example puts wildcards before all accepted domains
 */
import type { Address } from '../mail/address.ts';
import type { DomainPattern } from '../mail/domain-pattern.ts';
import {
  formatDomainPattern,
  matchesDomainPattern,
  specificityOf,
} from '../mail/domain-pattern.ts';
import { parseDomain } from '../mail/domain.ts';
import { requirementOfOutbound, requirementOfTarget } from './connector-clauses.ts';
import type { Considered, OutboundDecision } from './decision.ts';
import { findDeliveryTarget, findDomainOwner, findMailbox, findOrganization } from './directory.ts';
import type { DeliveryTarget, Organization, OutboundConnector, Policy } from './policy.ts';
import { nothingRequired } from './tls-requirement.ts';

/** How well a connector fits; `rank` orders, larger first. */
interface Fit {
  readonly connector: OutboundConnector;
  readonly rank: number;
  readonly because: string;
}

const rankOfAllAccepted = 0.5;

/**
 * `ruleConnector` is the connector that a rule routed the message to; null where none did.
 * A connector that a rule names but that is gone or off is a broken policy: it defers mail.
 */
export function chooseOutbound(
  policy: Policy,
  organizationId: string,
  recipient: Address,
  ruleConnector: string | null = null,
): OutboundDecision {
  const base = baseDecision(policy, organizationId, recipient.domain);
  if (findMailbox(policy, recipient) !== null) {
    return { ...base, destination: { kind: 'mailbox' } };
  }
  const organization = findOrganization(policy, organizationId);
  const targetName = organization === null ? null : targetOf(policy, organization, recipient);
  if (organization !== null && targetName !== null) {
    return handOver(policy, organization, targetName, base);
  }
  const undeliverable = findUndeliverable(policy, organization, recipient.domain);
  if (organization === null || undeliverable !== null) {
    const reason = undeliverable ?? `there is no organization ${organizationId}`;
    return { ...base, destination: { kind: 'none', reason, isPermanent: organization !== null } };
  }
  const { fits, considered } = considerAll(policy, organization, recipient.domain, ruleConnector);
  if (ruleConnector !== null && fits.length === 0) {
    return brokenRule(base, considered, ruleConnector);
  }
  const chosen = fits[0];
  if (chosen === undefined) return defaultDecision(policy, organization, { ...base, considered });
  return { ...base, considered, ...ofConnector(chosen.connector, recipient.domain) };
}

function baseDecision(policy: Policy, organization: string, domain: string): OutboundDecision {
  return {
    formatVersion: 1,
    policyRevision: policy.revision,
    organization,
    recipientDomain: domain,
    considered: [],
    connector: null,
    destination: { kind: 'mx' },
    requirement: nothingRequired,
    anchors: 'bundled',
    clientCertificate: null,
    clearTextAfterFailedTls: false,
  };
}

/** The name of the delivery target of the recipient's domain, where that is this organization's. */
function targetOf(policy: Policy, organization: Organization, recipient: Address): string | null {
  const owner = findDomainOwner(policy, recipient.domain);
  return owner?.organization.id === organization.id ? owner.domain.deliveryTarget : null;
}

/** Like a mailbox it wins over every connector; the connectors are shown as having lost. */
function handOver(
  policy: Policy,
  organization: Organization,
  name: string,
  base: OutboundDecision,
): OutboundDecision {
  const target = findDeliveryTarget(policy, organization.id, name);
  const { recipientDomain } = base;
  if (target === null) {
    const reason = `there is no delivery target "${name}", which is to keep the mailboxes of ${recipientDomain}`;
    return { ...base, destination: { kind: 'none', reason, isPermanent: false } };
  }
  const lose = `the delivery target "${name}" keeps the mailboxes of ${recipientDomain}`;
  return {
    ...base,
    ...ofTarget(target),
    considered: organization.outboundConnectors.map((connector) =>
      lost(connector, connector.enabled ? lose : 'it is off'),
    ),
  };
}

function ofTarget(target: DeliveryTarget): Partial<OutboundDecision> {
  return {
    destination: { kind: 'hand-over', target },
    requirement: requirementOfTarget(target),
    anchors: target.anchors,
    clientCertificate: target.clientCertificate,
  };
}

/** Why mail for the domain cannot go anywhere; null where it can. */
function findUndeliverable(
  policy: Policy,
  organization: Organization | null,
  domain: string,
): string | null {
  if (parseDomain(domain) === null) return 'mail to address literals is not supported';
  const owner = findDomainOwner(policy, domain);
  if (owner === null || owner.domain.type !== 'authoritative') return null;
  if (organization !== null && owner.organization.id !== organization.id) return null;
  return `${domain} is ours and has no such mailbox`;
}

/** An internal-relay domain never goes by MX: the MX may be ourselves. */
function defaultDecision(
  policy: Policy,
  organization: Organization,
  base: OutboundDecision,
): OutboundDecision {
  if (findDomainOwner(policy, base.recipientDomain) !== null) {
    const reason = `${base.recipientDomain} is an accepted domain and no connector leads to its server`;
    return { ...base, destination: { kind: 'none', reason, isPermanent: false } };
  }
  const { clearTextAfterFailedTls } = organization.defaultConnector;
  return { ...base, clearTextAfterFailedTls };
}

function ofConnector(connector: OutboundConnector, domain: string): Partial<OutboundDecision> {
  return {
    connector: connector.name,
    destination: connector.route,
    requirement: requirementOfOutbound(connector, domain),
    anchors: connector.anchors,
    clientCertificate: connector.clientCertificate,
    clearTextAfterFailedTls: connector.tlsSettings === null && connector.clearTextAfterFailedTls,
  };
}

function brokenRule(
  base: OutboundDecision,
  considered: readonly Considered[],
  name: string,
): OutboundDecision {
  const reason = `a rule names the connector "${name}", which does not exist or is off`;
  const clause = { kind: 'unsatisfiable', reason, origin: { kind: 'rule', name } } as const;
  return { ...base, considered, requirement: { clauses: [clause] } };
}

function considerAll(
  policy: Policy,
  organization: Organization,
  domain: string,
  ruleConnector: string | null,
): { fits: readonly Fit[]; considered: readonly Considered[] } {
  const fits: Fit[] = [];
  const losers: Considered[] = [];
  const isAccepted = findDomainOwner(policy, domain)?.organization.id === organization.id;
  for (const connector of organization.outboundConnectors) {
    const fit =
      ruleConnector === null
        ? fitByDomain(connector, domain, isAccepted)
        : fitByRule(connector, ruleConnector);
    if (typeof fit === 'string') losers.push(lost(connector, fit));
    else fits.push(fit);
  }
  fits.sort((a, b) => b.rank - a.rank || (a.connector.name < b.connector.name ? -1 : 1));
  return { fits, considered: [...describeFits(fits), ...losers] };
}

function describeFits(fits: readonly Fit[]): Considered[] {
  return fits.map((fit, place) => {
    const winner = fits[0]!;
    if (place === 0)
      return { connector: fit.connector.name, result: 'chosen', reason: fit.because };
    const why = fit.rank === winner.rank ? 'its name sorts first' : `it is more specific`;
    return lost(fit.connector, `${fit.because}, but "${winner.connector.name}" wins: ${why}`);
  });
}

function lost(connector: OutboundConnector, reason: string): Considered {
  return { connector: connector.name, result: 'lost', reason };
}

function fitByRule(connector: OutboundConnector, name: string): Fit | string {
  if (connector.name !== name) return `a rule routes this message to "${name}"`;
  if (!connector.enabled) return 'it is off';
  return { connector, rank: 1, because: 'a rule routes this message here' };
}

function fitByDomain(
  connector: OutboundConnector,
  domain: string,
  isAccepted: boolean,
): Fit | string {
  if (!connector.enabled) return 'it is off';
  if (connector.isTransportRuleScoped) return 'it is used by a rule only';
  const pattern = bestPattern(connector.recipientDomains, domain);
  const byAccepted = connector.allAcceptedDomains && isAccepted;
  if (pattern !== null && (pattern.kind !== 'any' || !byAccepted)) {
    const because = `its recipient domains have ${formatDomainPattern(pattern)}`;
    return { connector, rank: specificityOf(pattern), because };
  }
  if (!byAccepted) return `its recipient domains do not cover ${domain}`;
  return { connector, rank: rankOfAllAccepted, because: 'it takes all accepted domains' };
}

/** The most specific of the patterns that match; null where none does. */
export function bestPattern(
  patterns: readonly DomainPattern[],
  domain: string,
): DomainPattern | null {
  let best: DomainPattern | null = null;
  for (const pattern of patterns) {
    if (!matchesDomainPattern(pattern, domain)) continue;
    if (best === null || specificityOf(pattern) > specificityOf(best)) best = pattern;
  }
  return best;
}
