/** What an inbound connector lets in that it, or its organization, did not let in before. */
import { formatDomainPattern } from '../mail/domain-pattern.ts';
import type { DomainPattern } from '../mail/domain-pattern.ts';
import { requirementOfInbound } from './connector-clauses.ts';
import type { InboundConnector, Organization } from './policy.ts';
import { describeLost } from './weakened-demands.ts';

/** `after` null where it enforces nothing any more. */
export function inboundLosses(before: InboundConnector, after: InboundConnector | null): string[] {
  const requirement = after === null ? { clauses: [] } : requirementOfInbound(after);
  return [
    ...describeLost(requirementOfInbound(before).clauses, requirement),
    ...lostAddresses(before, after),
    ...(after === null || before.connectorType !== 'Partner' ? [] : lostScope(before, after)),
  ];
}

function lostAddresses(before: InboundConnector, after: InboundConnector | null): string[] {
  if (!before.restrictDomainsToIPAddresses) return [];
  if (after === null || !after.restrictDomainsToIPAddresses) return ['takes mail from any address'];
  return textOf('also takes mail from', added(before.senderIPAddresses, after.senderIPAddresses));
}

function lostScope(before: InboundConnector, after: InboundConnector): string[] {
  const lost = [
    ...textOf('no longer covers', added(texts(after.senderDomains), texts(before.senderDomains))),
    ...textOf('excepts', added(texts(before.exceptDomains), texts(after.exceptDomains))),
    ...textOf('trusts', added(before.trustedOrganizations, after.trustedOrganizations)),
  ];
  if (before.alsoHeaderFrom && !after.alsoHeaderFrom) lost.push('no longer looks at From');
  const some = narrowed(before.associatedAcceptedDomains, after.associatedAcceptedDomains);
  if (some) lost.push(`acts only for mail to ${after.associatedAcceptedDomains.join(', ')}`);
  const isLoose = !after.restrictDomainsToIPAddresses && !before.restrictDomainsToIPAddresses;
  if (isLoose && narrowed(before.senderIPAddresses, after.senderIPAddresses)) {
    lost.push(`acts only for mail from ${after.senderIPAddresses.join(', ')}`);
  }
  return lost;
}

/** An empty list is everything. */
function narrowed(before: readonly string[], after: readonly string[]): boolean {
  if (after.length === 0) return false;
  return before.length === 0 || added(after, before).length > 0;
}

/**
 * Who may newly relay through an OnPremises connector, and which Partner connector newly is another,
 * weaker way in beside one that enforces for the same domain: of connectors with an equal scope one
 * is enough.
 */
export function newWaysIn(
  before: Organization,
  after: Organization,
): { readonly connector: string; readonly what: string }[] {
  const byName = new Map(before.inboundConnectors.map((each) => [each.name, each]));
  const enforcing = enforcingByDomain(before.inboundConnectors);
  return after.inboundConnectors.flatMap((today) => {
    if (!today.enabled) return [];
    const known = byName.get(today.name);
    const earlier = known !== undefined && known.enabled ? known : null;
    const found =
      today.connectorType === 'OnPremises'
        ? newlyOwn(earlier?.connectorType === 'OnPremises' ? earlier : null, today)
        : newAlternatives(enforcing, earlier, today);
    return found.map((what) => ({ connector: today.name, what }));
  });
}

function newlyOwn(before: InboundConnector | null, today: InboundConnector): string[] {
  const servers = ({
    tlsSenderCertificateNames,
    senderIPAddresses,
    pins,
  }: InboundConnector): string[] => [
    ...texts(tlsSenderCertificateNames),
    ...senderIPAddresses,
    ...pins.map((pin) => `the key ${pin}`),
  ];
  return textOf('lets relay', added(before === null ? [] : servers(before), servers(today)));
}

function newAlternatives(
  enforcing: ReadonlyMap<string, readonly InboundConnector[]>,
  earlier: InboundConnector | null,
  today: InboundConnector,
): string[] {
  if (today.mode !== 'enforce') return [];
  const isOld = earlier !== null && earlier.mode === 'enforce';
  const fresh = added(isOld ? texts(earlier.senderDomains) : [], texts(today.senderDomains));
  return fresh.flatMap((domain) =>
    (enforcing.get(domain) ?? [])
      .filter(({ name }) => name !== today.name)
      .flatMap((other) => {
        const losses = [
          ...describeLost(requirementOfInbound(other).clauses, requirementOfInbound(today)),
          ...lostAddresses(other, today),
        ];
        if (losses.length === 0) return [];
        return [`is another way for ${domain} beside "${other.name}": ${losses.join(' and ')}`];
      }),
  );
}

/** Partner connectors that enforce, by each of their sender domains. */
function enforcingByDomain(connectors: readonly InboundConnector[]) {
  const found = new Map<string, InboundConnector[]>();
  for (const connector of connectors) {
    const { enabled, mode, connectorType, senderDomains } = connector;
    if (!enabled || mode !== 'enforce' || connectorType !== 'Partner') continue;
    for (const domain of texts(senderDomains)) {
      const known = found.get(domain);
      if (known === undefined) found.set(domain, [connector]);
      else known.push(connector);
    }
  }
  return found;
}

function texts(patterns: readonly DomainPattern[]): string[] {
  return patterns.map(formatDomainPattern);
}

function added(before: readonly string[], after: readonly string[]): string[] {
  const known = new Set(before);
  return after.filter((each) => !known.has(each));
}

function textOf(what: string, list: readonly string[]): string[] {
  return list.length === 0 ? [] : [`${what} ${list.join(', ')}`];
}
