/**
 * Mail for which less is demanded since it takes another way: by a closer connector, by one whose
 * name sorts first, by none, or by a delivery target that demands less.
 *
 * One recipient stands for each pattern of outbound connectors and each accepted domain, of both.
 */
import type { DomainPattern } from '../mail/domain-pattern.ts';
import { chooseOutbound } from './choose-outbound.ts';
import type { Organization, Policy } from './policy.ts';
import { describeLost } from './weakened-demands.ts';

/** Completes "the organization …"; `told` are connectors of which it was said that they ask for less. */
export function weakenedWays(
  before: Policy,
  after: Policy,
  organizations: { readonly was: Organization; readonly is: Organization },
  told: ReadonlySet<string>,
): string[] {
  const { was, is } = organizations;
  const domains = new Set([...domainsOf(was), ...domainsOf(is)]);
  const found = new Map<string, string[]>();
  for (const domain of domains) {
    const recipient = { localPart: 'somebody', domain };
    const earlier = chooseOutbound(before, was.id, recipient);
    if (earlier.connector !== null && told.has(earlier.connector)) continue;
    const { clauses } = earlier.requirement;
    if (clauses.length === 0) continue;
    const today = chooseOutbound(after, is.id, recipient);
    if (today.destination.kind === 'none') continue;
    const lost = describeLost(clauses, today.requirement);
    if (lost.length === 0) continue;
    const way = today.connector === null ? 'without a connector' : `by "${today.connector}"`;
    const what = `${way} ${lost.join(' and ')}`;
    found.set(what, [...(found.get(what) ?? []), domain]);
  }
  return [...found].map(([what, of]) => `sends mail to ${someOf(of)} ${what}`);
}

function domainsOf({ outboundConnectors, acceptedDomains }: Organization): string[] {
  const patterns = outboundConnectors.flatMap(({ recipientDomains }) => recipientDomains);
  return [...patterns.map(sampleOf), ...acceptedDomains.map(({ domain }) => domain)];
}

/** A domain that the pattern covers. */
function sampleOf(pattern: DomainPattern): string {
  if (pattern.kind === 'any') return 'any-other-domain.example';
  return pattern.kind === 'wildcard' ? `any.${pattern.domain}` : pattern.domain;
}

const namedMax = 5;

function someOf(domains: readonly string[]): string {
  const named = domains.slice(0, namedMax).join(', ');
  const others = domains.length - namedMax;
  return others > 0 ? `${named} and ${others} more` : named;
}
