/**
 * Which mail a connector under validation would take, by the production choice of connectors. Pure.
 *
 * The connector is judged as if it were on and enforced, so that one that is off or only observes can
 * be tried; that it is off is said.
 */
import type { Address } from '../../mail/address.ts';
import { formatAddress } from '../../mail/address.ts';
import { chooseOutbound } from '../choose-outbound.ts';
import type { OutboundDecision } from '../decision.ts';
import type { OutboundConnector, Organization, Policy } from '../policy.ts';
import type { Routing } from '../routing.ts';
import { plainRouting } from '../routing.ts';
import { findingOf } from './findings.ts';
import type { Finding } from './run.ts';

/** The policy with the connector in it: in the place of the one of its name, or besides. */
export function withConnector(
  policy: Policy,
  organizationId: string,
  connector: OutboundConnector,
): Policy {
  const replace = (organization: Organization): Organization => {
    if (organization.id !== organizationId) return organization;
    const others = organization.outboundConnectors.filter(({ name }) => name !== connector.name);
    return { ...organization, outboundConnectors: [...others, connector] };
  };
  return { ...policy, organizations: policy.organizations.map(replace) };
}

/** As it would be if it bound. */
export function asIfInForce(connector: OutboundConnector): OutboundConnector {
  return { ...connector, enabled: true, mode: 'enforce' };
}

/** How mail comes to the connector: by its domain, or since a rule names it. */
export function routingTo({ name, isTransportRuleScoped }: OutboundConnector): Routing {
  if (!isTransportRuleScoped) return plainRouting;
  const ruling = { connector: name, rule: 'validation', overrides: [], clauses: [] };
  return { ruling, isFromOnPremises: false };
}

/** `finding` null where mail for the address takes the connector. */
export interface Coverage {
  readonly decision: OutboundDecision;
  readonly finding: Finding | null;
}

/** `policy` holds the connector as if it were in force. */
export function judgeCoverage(
  policy: Policy,
  organization: string,
  connector: OutboundConnector,
  recipient: Address,
): Coverage {
  const decision = chooseOutbound(policy, organization, recipient, routingTo(connector));
  const { kind } = decision.destination;
  const text = formatAddress(recipient);
  const about = { recipient: text };
  if (kind === 'mailbox' || kind === 'hand-over') {
    const what = `${text} has its mailbox here: mail for it takes no connector`;
    return { decision, finding: findingOf('recipient-stays-inside', what, about) };
  }
  if (kind === 'none') {
    const { reason } = decision.destination as { readonly reason: string };
    return { decision, finding: findingOf('recipient-not-covered', `${text}: ${reason}`, about) };
  }
  if (decision.connector !== connector.name) {
    const way =
      decision.connector === null
        ? 'would leave without any connector'
        : `would take the connector "${decision.connector}"`;
    const what = `mail for ${text} ${way}, not "${connector.name}"`;
    return { decision, finding: findingOf('recipient-not-covered', what, about) };
  }
  if (kind === 'organization') {
    const what = `${text} belongs to another organization of this gateway, which takes the mail inside`;
    return { decision, finding: findingOf('recipient-stays-inside', what, about) };
  }
  return { decision, finding: null };
}

/** Domains that are looked up where no address is given. */
const domainsMax = 5;
/** Stands for any domain where hosts do not depend on it; it exists nowhere. @see RFC 6761 §6.4 */
const anyDomain = 'validation.invalid';

/** Domains for which mail would take the connector; empty where only an address can tell. */
export function domainsToTest(
  connector: OutboundConnector,
  { acceptedDomains }: Organization,
): readonly string[] {
  const { recipientDomains, route } = connector;
  const named = recipientDomains.flatMap((pattern) =>
    pattern.kind === 'any' ? [] : [pattern.domain],
  );
  const relayed = connector.allAcceptedDomains
    ? acceptedDomains.flatMap(({ type, domain }) => (type === 'internal-relay' ? [domain] : []))
    : [];
  const found = [...new Set([...named, ...relayed])].slice(0, domainsMax);
  if (found.length > 0) return found;
  return route.kind === 'smart-hosts' ? [anyDomain] : [];
}
