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
import { parseDomain } from '../mail/domain.ts';
import { requirementOfTarget } from './connector-clauses.ts';
import { outboundIndexOf } from './connector-index.ts';
import type { Choice } from './consider-connectors.ts';
import { considerByDomain, demandingOf, lost, outdo, sayWhatHolds } from './consider-connectors.ts';
import type { Considered, OutboundDecision } from './decision.ts';
import type { DomainOwner } from './directory.ts';
import { findDeliveryTarget, findDomainOwner, findMailbox, findOrganization } from './directory.ts';
import type { DeliveryTarget, OutboundConnector, Policy } from './policy.ts';
import { isRehearsalAddress } from './rehearsal-address.ts';
import type { Routing } from './routing.ts';
import { plainRouting } from './routing.ts';
import type { Requirement } from './tls-requirement.ts';
import { joinRequirements, nothingRequired } from './tls-requirement.ts';
import { demandsOn, inside, via } from './way-of-connector.ts';

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
  if (isOwn && isRehearsalAddress(policy, recipient)) {
    const reason = 'a rehearsal address keeps no mail, and nobody is behind it';
    return { ...base, destination: { kind: 'none', reason, isPermanent: true } };
  }
  if (isOwn && owner.domain.deliveryTarget !== null) {
    return handOver(policy, { organization, owner, routing, base }, owner.domain.deliveryTarget);
  }
  const undeliverable = findUndeliverable(isOwn ? owner : null, domain);
  if (undeliverable !== null) {
    return { ...base, destination: { kind: 'none', reason: undeliverable, isPermanent: true } };
  }
  return sayWhatHolds(chooseConnector({ organization, owner, routing, base }));
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
  const passed = natural
    .filter((each) => each !== connector)
    .map((each) => lost(each, `it covers the domain, but the rule "${rule}" routes to "${name}"`));
  if (connector === null || !connector.enabled) {
    const off = connector === null ? [] : [lost(connector, 'it is off')];
    const { requirement } = demandsOn(choice, connector, natural);
    const considered = [...off, ...passed];
    return { ...base, considered, requirement: brokenBy(rule, name, requirement) };
  }
  const chosen = {
    connector: name,
    result: 'chosen',
    reason: `the rule "${rule}" routes this message here`,
  } as const;
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

/** Such mail waits. It keeps what it would have to find, so that no mend of the rule frees it. */
function brokenBy(rule: string, name: string, demanded: Requirement): Requirement {
  const reason = `the rule "${rule}" names the connector "${name}", which does not exist or is off`;
  const clause = { kind: 'unsatisfiable', reason, origin: { kind: 'rule', name: rule } } as const;
  return joinRequirements({ clauses: [clause] }, demanded);
}
