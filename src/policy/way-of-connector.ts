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

/**
 * The way of a connector. What `natural`, the connectors of the recipient's domain, demand holds on
 * another way too, unless the rule that led there says otherwise.
 */
export function via(
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

/** The MX of a domain of this gateway would lead to ourselves. */
export function inside({ organization }: DomainOwner): OutboundDecision['destination'] {
  return { kind: 'organization', organization: organization.id };
}
