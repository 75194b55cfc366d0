/** Domains of senders that stand for all those for whom changed Partner connectors may differ. */
import type { DomainPattern } from '../../mail/domain-pattern.ts';
import { PatternIndex, withAncestors } from '../../mail/pattern-index.ts';
import type { Compared, SharedDomain } from './compared-organizations.ts';
import type { InboundConnector } from '../policy.ts';
import type { DomainSampler, SampledDomain } from './sampled-domains.ts';
import { samplerFor } from './sampled-domains.ts';

/** A sender, and the changed connectors for which it is one to look at. */
export interface Sender {
  readonly sender: SampledDomain;
  readonly concerned: readonly InboundConnector[];
}

/** Of each changed connector its own patterns, what any connector excepts of them, and an own domain. */
export function sendersFor(
  { domains }: Compared,
  all: readonly InboundConnector[],
  changed: readonly InboundConnector[],
): Iterable<Sender> {
  const patterns: DomainPattern[] = [
    ...all.flatMap(({ senderDomains, exceptDomains }) => [...senderDomains, ...exceptDomains]),
    ...domains.map(({ domain }) => ({ kind: 'exact', domain }) as const),
  ];
  const sampler = samplerFor(patterns);
  const senders = new Map<string, { sender: SampledDomain; concerned: InboundConnector[] }>();
  const add = (sender: SampledDomain, connector: InboundConnector): void => {
    const known = senders.get(sender.domain) ?? { sender, concerned: [] };
    senders.set(sender.domain, known);
    known.concerned.push(connector);
  };
  for (const connector of changed) {
    for (const pattern of connector.senderDomains) add(sampler(pattern), connector);
  }
  const index = bySenderDomain(changed);
  for (const sender of exceptedBy(all, sampler)) {
    for (const { value } of index.covering(sender.domain)) add(sender, value);
  }
  const own = ownDomains(domains, bySenderDomain(all));
  for (const connector of changed) {
    for (const pattern of connector.senderDomains) {
      const sender = pattern.kind === 'exact' ? undefined : own(pattern);
      if (sender !== undefined) add(sender, connector);
    }
  }
  return senders.values();
}

function exceptedBy(
  all: readonly InboundConnector[],
  sampler: DomainSampler,
): Iterable<SampledDomain> {
  const samples = all.flatMap(({ exceptDomains }) => exceptDomains.map(sampler));
  return new Map(samples.map((sample) => [sample.domain, sample])).values();
}

/** The own domain below a pattern that the fewest connectors cover: there a new one opens most. */
function ownDomains(
  domains: readonly SharedDomain[],
  index: PatternIndex<InboundConnector>,
): (pattern: DomainPattern) => SharedDomain | undefined {
  const below = new Map<string, { readonly own: SharedDomain; readonly count: number }>();
  for (const own of domains) {
    const count = index.covering(own.domain).length;
    for (const name of ['', ...withAncestors(own.domain)]) {
      const known = below.get(name);
      if (known === undefined || count < known.count) below.set(name, { own, count });
    }
  }
  return (pattern) => below.get(pattern.kind === 'any' ? '' : pattern.domain)?.own;
}

/** Also of those that only concern some addresses. */
export function bySenderDomain(
  connectors: readonly InboundConnector[],
): PatternIndex<InboundConnector> {
  return new PatternIndex(connectors.map((value) => ({ patterns: value.senderDomains, value })));
}
