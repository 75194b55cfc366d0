/**
 * Where mail for a recipient goes: into a mailbox here; to the delivery target that keeps the others
 * of its domain; else by outbound connector: the one that a rule names, the one that all mail to the
 * outside takes, exact domain, then the longest wildcard, then all accepted domains, then `*`; else
 * inside to the organization of this gateway that owns the domain; else MX with opportunistic TLS.
 *
 * The recipient is a final one: aliases were expanded when the message was accepted.
 *
 * @see New-OutboundConnector; Exchange's worked example puts wildcards before all accepted domains
 */
import type { Address } from '../mail/address.ts';
import { formatDomainPattern, specificityOf } from '../mail/domain-pattern.ts';
import { parseDomain } from '../mail/domain.ts';
import type { Covering } from '../mail/pattern-index.ts';
import { requirementOfOutbound, requirementOfTarget } from './connector-clauses.ts';
import { outboundIndexOf } from './connector-index.ts';
import type { Considered, OutboundDecision, ShadowDemand } from './decision.ts';
import type { DomainOwner } from './directory.ts';
import {
  findDeliveryTarget,
  findDomainOwner,
  findMailbox,
  findOrganization,
  firstDomainOf,
} from './directory.ts';
import type { DeliveryTarget, Organization, OutboundConnector, Policy } from './policy.ts';
import type { Routing } from './routing.ts';
import { plainRouting } from './routing.ts';
import type { Requirement } from './tls-requirement.ts';
import { joinRequirements, nothingRequired } from './tls-requirement.ts';

/** How well a connector fits; `rank` orders, larger first. */
interface Fit {
  readonly connector: OutboundConnector;
  readonly rank: number;
  readonly because: string;
}

const rankOfAllAccepted = 0.5;

/** A connector that a rule names but that is gone or off is a broken policy: it defers mail. */
export function chooseOutbound(
  policy: Policy,
  organizationId: string,
  recipient: Address,
  routing: Routing = plainRouting,
): OutboundDecision {
  const { domain } = recipient;
  const base = baseDecision(policy, organizationId, domain);
  const organization = findOrganization(policy, organizationId);
  if (organization === null) {
    const reason = `there is no organization ${organizationId}`;
    return { ...base, destination: { kind: 'none', reason, isPermanent: false } };
  }
  const owner = findDomainOwner(policy, domain);
  const isOwn = owner?.organization === organization;
  if (isOwn && findMailbox(policy, recipient) !== null) {
    return { ...base, destination: { kind: 'mailbox' } };
  }
  if (isOwn && owner.domain.deliveryTarget !== null) {
    return handOver(policy, { organization, owner, routing, base }, owner.domain.deliveryTarget);
  }
  const undeliverable = findUndeliverable(isOwn ? owner : null, domain);
  if (undeliverable !== null) {
    return { ...base, destination: { kind: 'none', reason: undeliverable, isPermanent: true } };
  }
  return chooseConnector({ organization, owner, routing, base });
}

interface Choice {
  readonly organization: Organization;
  /** Whose the recipient's domain is; null where it is nobody's here. */
  readonly owner: DomainOwner | null;
  readonly routing: Routing;
  readonly base: OutboundDecision;
}

function chooseConnector(choice: Choice): OutboundDecision {
  const { organization, owner, routing, base } = choice;
  const byDomain = considerByDomain(choice);
  const natural = demandingOf(byDomain.fits);
  const named = routing.ruling?.connector ?? null;
  if (named !== null) return chooseByRule(choice, named, natural);
  const central = owner?.organization === organization ? null : findCentral(choice);
  if (central !== null) {
    const because = 'it takes all mail to the outside';
    const others = byDomain.considered.map((each) => outdo(each, central.name));
    const considered = [{ connector: central.name, result: 'chosen', reason: because } as const];
    return {
      ...base,
      considered: [...considered, ...others.filter((each) => each.connector !== central.name)],
      ...via(choice, central, natural),
    };
  }
  const { considered } = byDomain;
  const [first] = natural;
  if (first === undefined) return defaultDecision(choice, considered);
  return { ...base, considered, ...via(choice, first, natural) };
}

/**
 * Whose demands the recipient's domain brings: the connector that fits best, and where that one only
 * watches, also the best of those that enforce. To watch a new connector takes nothing from what is
 * in force.
 */
function demandingOf(fits: readonly Fit[]): readonly OutboundConnector[] {
  const inForce = fits.findIndex(({ connector }) => connector.mode === 'enforce');
  const demanding = inForce > 0 ? [fits[0]!, fits[inForce]!] : fits.slice(0, 1);
  return demanding.map(({ connector }) => connector);
}

/** Of several the first by name. Nothing goes back to where it came from. */
function findCentral({ organization, routing }: Choice): OutboundConnector | null {
  if (routing.isFromOnPremises) return null;
  return outboundIndexOf(organization).ofEverything[0] ?? null;
}

function chooseByRule(
  choice: Choice,
  name: string,
  natural: readonly OutboundConnector[],
): OutboundDecision {
  const { organization, base, routing } = choice;
  const connector = outboundIndexOf(organization).byName.get(name) ?? null;
  const rule = routing.ruling?.rule ?? name;
  if (connector === null || !connector.enabled) {
    const off = { connector: name, result: 'lost', reason: 'it is off' } as const;
    return brokenRule(base, connector === null ? [] : [off], { rule, name });
  }
  const chosen = {
    connector: name,
    result: 'chosen',
    reason: `the rule "${rule}" routes this message here`,
  } as const;
  const passed = natural
    .filter((each) => each !== connector)
    .map((each) => lost(each, `it covers the domain, but the rule "${rule}" routes to "${name}"`));
  return { ...base, considered: [chosen, ...passed], ...via(choice, connector, natural) };
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
    shadow: [],
    anchors: 'bundled',
    clientCertificate: null,
    clearTextAfterFailedTls: false,
    postQuantum: 'prefer',
    cloudServicesMailEnabled: false,
    originatorOrg: null,
  };
}

/** Like a mailbox it wins over every connector. */
function handOver(policy: Policy, choice: Choice, name: string): OutboundDecision {
  const { organization, base } = choice;
  const target = findDeliveryTarget(policy, organization.id, name);
  const { recipientDomain } = base;
  if (target === null) {
    const reason = `there is no delivery target "${name}", which is to keep the mailboxes of ${recipientDomain}`;
    return { ...base, destination: { kind: 'none', reason, isPermanent: false } };
  }
  const keeps = `the delivery target "${name}" keeps the mailboxes of ${recipientDomain}`;
  const { fits, considered } = considerByDomain(choice);
  const passed = fits.map(({ connector }) => lost(connector, keeps));
  return {
    ...base,
    ...ofTarget(target),
    considered: [...passed, ...considered.slice(fits.length)],
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

/** Why mail for the domain can never go anywhere; null where it may. */
function findUndeliverable(own: DomainOwner | null, domain: string): string | null {
  if (parseDomain(domain) === null) return 'mail to address literals is not supported';
  if (own === null || own.domain.type !== 'authoritative') return null;
  return `${domain} is ours and has no such mailbox`;
}

/** An internal-relay domain never goes by MX: the MX may be ourselves. */
function defaultDecision(
  { organization, owner, base }: Choice,
  considered: readonly Considered[],
): OutboundDecision {
  if (owner?.organization === organization) {
    const reason = `${base.recipientDomain} is an accepted domain and no connector leads to its server`;
    return { ...base, considered, destination: { kind: 'none', reason, isPermanent: false } };
  }
  if (owner !== null) {
    return { ...base, considered, destination: inside(owner) };
  }
  const { clearTextAfterFailedTls } = organization.defaultConnector;
  return { ...base, considered, clearTextAfterFailedTls };
}

/** The MX of a domain of this gateway would lead to ourselves. */
function inside({ organization }: DomainOwner): OutboundDecision['destination'] {
  return { kind: 'organization', organization: organization.id };
}

/**
 * The way of a connector. What `natural`, the connectors of the recipient's domain, demand holds on
 * another way too, unless the rule that led there says otherwise.
 */
function via(
  { organization, owner, routing, base }: Choice,
  connector: OutboundConnector,
  natural: readonly OutboundConnector[],
): Partial<OutboundDecision> {
  const foreign = owner !== null && owner.organization !== organization ? owner : null;
  const isInside = foreign !== null && connector.route.kind === 'mx';
  const handedTo = isInside ? foreign.organization.id : null;
  const overrides = routing.ruling?.overrides ?? [];
  const passed = natural.filter((each) => each !== connector && !overrides.includes(each.name));
  const demanding = [connector, ...passed];
  const demandOf = (each: OutboundConnector): Requirement =>
    requirementOfOutbound(each, base.recipientDomain, handedTo);
  const enforced = demanding.filter(({ mode }) => mode === 'enforce').map(demandOf);
  const [only] = enforced;
  const requirement =
    only !== undefined && enforced.length === 1 ? only : joinRequirements(...enforced);
  return {
    connector: connector.name,
    destination: isInside ? inside(foreign) : connector.route,
    requirement,
    shadow: demanding.flatMap((each) => shadowOf(each, demandOf)),
    anchors: anchorsOf(requirement) ?? connector.anchors,
    clientCertificate: connector.clientCertificate,
    clearTextAfterFailedTls:
      demanding.every(({ tlsSettings }) => tlsSettings === null) &&
      connector.clearTextAfterFailedTls,
    postQuantum: connector.postQuantum,
    cloudServicesMailEnabled: connector.cloudServicesMailEnabled,
    originatorOrg: connector.cloudServicesMailEnabled ? firstDomainOf(organization) : null,
  };
}

/** The set that the certificate is looked at with: that of the demands, which may be of another. */
function anchorsOf({ clauses }: Requirement): string | null {
  const sets = new Set(
    clauses.flatMap((each) => (each.kind === 'trust-anchors' ? [each.anchors] : [])),
  );
  const [only] = sets;
  return sets.size === 1 ? only! : null;
}

/** Empty where it enforces, or would demand nothing. */
function shadowOf(
  connector: OutboundConnector,
  demandOf: (connector: OutboundConnector) => Requirement,
): ShadowDemand[] {
  const { name, mode } = connector;
  if (mode === 'enforce') return [];
  const requirement = demandOf(connector);
  return requirement.clauses.length === 0 ? [] : [{ connector: name, mode, requirement }];
}

function brokenRule(
  base: OutboundDecision,
  considered: readonly Considered[],
  { rule, name }: { readonly rule: string; readonly name: string },
): OutboundDecision {
  const reason = `the rule "${rule}" names the connector "${name}", which does not exist or is off`;
  const clause = { kind: 'unsatisfiable', reason, origin: { kind: 'rule', name: rule } } as const;
  return { ...base, considered, requirement: { clauses: [clause] } };
}

function considerByDomain({ organization, owner, base }: Choice): {
  fits: readonly Fit[];
  considered: readonly Considered[];
} {
  const index = outboundIndexOf(organization);
  const fits: Fit[] = [];
  const losers: Considered[] = [];
  const seen = new Set<OutboundConnector>();
  const consider = (connector: OutboundConnector, fit: Omit<Fit, 'connector'>): void => {
    if (seen.has(connector)) return;
    seen.add(connector);
    const unfit = whyUnfit(connector);
    if (unfit === null) fits.push({ connector, ...fit });
    else losers.push(lost(connector, unfit));
  };
  const isAccepted = owner?.organization === organization;
  const covering = index.byRecipient.covering(base.recipientDomain);
  const closer = covering.filter(({ pattern }) => pattern.kind !== 'any');
  for (const found of closer) consider(found.value, fitByPattern(found));
  if (isAccepted) {
    const fit = { rank: rankOfAllAccepted, because: 'it takes all accepted domains' };
    for (const connector of index.ofAllAccepted) consider(connector, fit);
  }
  for (const found of covering.slice(closer.length)) consider(found.value, fitByPattern(found));
  fits.sort((a, b) => b.rank - a.rank || (a.connector.name < b.connector.name ? -1 : 1));
  return { fits, considered: [...describeFits(fits), ...losers] };
}

function whyUnfit({ enabled, isTransportRuleScoped }: OutboundConnector): string | null {
  if (!enabled) return 'it is off';
  return isTransportRuleScoped ? 'it is used by a rule only' : null;
}

function fitByPattern({ pattern }: Covering<OutboundConnector>): Omit<Fit, 'connector'> {
  const because = `its recipient domains have ${formatDomainPattern(pattern)}`;
  return { rank: specificityOf(pattern), because };
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

function outdo(considered: Considered, central: string): Considered {
  if (considered.result === 'lost') return considered;
  const reason = `${considered.reason}, but "${central}" takes all mail to the outside`;
  return { ...considered, result: 'lost', reason };
}

/**
 * For whoever asks why: the organization's connectors that the decision left out, since they do not
 * cover the domain; at most `most`, by name.
 */
export function considerOthers(
  policy: Policy,
  { organization, recipientDomain, considered }: OutboundDecision,
  most: number,
): Considered[] {
  const named = new Set(considered.map(({ connector }) => connector));
  const all = findOrganization(policy, organization)?.outboundConnectors ?? [];
  return all
    .filter(({ name }) => !named.has(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map((connector) =>
      lost(
        connector,
        whyUnfit(connector) ?? `its recipient domains do not cover ${recipientDomain}`,
      ),
    );
}
