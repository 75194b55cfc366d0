/**
 * The way of a chosen outbound connector: where the mail goes, and what it must find there. That is
 * what the connector demands, joined with what the connectors of the recipient's domain demand that
 * it leads past.
 */
import type { Choice } from './consider-connectors.ts';
import type { OutboundDecision, ShadowDemand } from './decision.ts';
import { requirementOfOutbound } from './connector-clauses.ts';
import { firstDomainOf } from './directory.ts';
import type { DomainOwner } from './directory.ts';
import type { OutboundConnector } from './policy.ts';
import type { Requirement } from './tls-requirement.ts';
import { joinRequirements } from './tls-requirement.ts';

/** What must hold on a way, and what would have to if all that only watch enforced. */
export interface Demands {
  readonly requirement: Requirement;
  readonly shadow: readonly ShadowDemand[];
  /** Whose demands these are. */
  readonly demanding: readonly OutboundConnector[];
}

/**
 * The way of a connector. What `natural`, the connectors of the recipient's domain, demand holds on
 * another way too, unless the rule that led there says otherwise.
 */
export function via(
  choice: Choice,
  connector: OutboundConnector,
  natural: readonly OutboundConnector[],
): Partial<OutboundDecision> {
  const { requirement, shadow, demanding } = demandsOn(choice, connector, natural);
  const foreign = findForeign(choice, connector);
  return {
    connector: connector.name,
    destination: foreign === null ? connector.route : inside(foreign),
    requirement,
    shadow,
    anchors: anchorsOf(requirement) ?? connector.anchors,
    clientCertificate: connector.clientCertificate,
    clearTextAfterFailedTls:
      demanding.every(({ tlsSettings }) => tlsSettings === null) &&
      connector.clearTextAfterFailedTls,
    postQuantum: connector.postQuantum,
    cloudServicesMailEnabled: connector.cloudServicesMailEnabled,
    originatorOrg: connector.cloudServicesMailEnabled ? firstDomainOf(choice.organization) : null,
  };
}

/** `connector` null where a rule names one that does not exist: the others' demands remain. */
export function demandsOn(
  choice: Choice,
  connector: OutboundConnector | null,
  natural: readonly OutboundConnector[],
): Demands {
  const overrides = choice.routing.ruling?.overrides ?? [];
  const passed = natural.filter((each) => each !== connector && !overrides.includes(each.name));
  const demanding = connector === null ? passed : [connector, ...passed];
  const handedTo = findForeign(choice, connector)?.organization.id ?? null;
  const demandOf = (each: OutboundConnector): Requirement =>
    requirementOfOutbound(each, choice.base.recipientDomain, handedTo);
  const enforced = demanding.filter(({ mode }) => mode === 'enforce').map(demandOf);
  const [only] = enforced;
  return {
    // The same value each time where it is one connector's: what was found out about it is found again.
    requirement: only !== undefined && enforced.length === 1 ? only : joinRequirements(...enforced),
    shadow: demanding.flatMap((each) => shadowOf(each, demandOf)),
    demanding,
  };
}

/** The other organization of this gateway that the mail is handed to inside; null elsewhere. */
function findForeign(
  { organization, owner }: Choice,
  connector: OutboundConnector | null,
): DomainOwner | null {
  const isForeign = owner !== null && owner.organization !== organization;
  return isForeign && connector?.route.kind !== 'smart-hosts' ? owner : null;
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

/** The MX of a domain of this gateway would lead to ourselves. */
export function inside({ organization }: DomainOwner): OutboundDecision['destination'] {
  return { kind: 'organization', organization: organization.id };
}
