/**
 * Inbound sessions that stand for all sessions for which two policies may differ in what restricts
 * them: by the sender's domain, the recipient's, the client's address, and whether From is looked at.
 */
import type { PatternIndex } from '../../mail/pattern-index.ts';
import { AddressParts } from '../address-cover.ts';
import type { Compared, SharedDomain } from './compared-organizations.ts';
import type { PartnerScope } from '../partner-verdict.ts';
import type { InboundConnector, Organization } from '../policy.ts';
import type { SampledDomain } from './sampled-domains.ts';
import { pushTo } from './sampled-domains.ts';
import { bySenderDomain, sendersFor } from './sampled-senders.ts';

/** The same session under both; `shown` says which mail it is, for people. */
export interface SampledSession {
  readonly was: PartnerScope;
  readonly is: PartnerScope;
  readonly shown: string;
}

/** Empty where no connector that restricts has changed. */
export function* sampleSessions(compared: Compared): Generator<SampledSession> {
  const { was, is, domains } = compared;
  const [earlier, today] = [was, is].map(restricting) as [InboundConnector[], InboundConnector[]];
  const isMoved = domains.some((domain) => domain.was !== domain.is);
  const changed = isMoved ? [...earlier, ...today] : changedOf(earlier, today);
  if (changed.length === 0 || domains.length === 0) return;
  const all = [...earlier, ...today];
  const addressesFor = addressesOf(all);
  const recipientsFor = recipientsOf(all, domains);
  for (const { sender, concerned } of sendersFor(compared, all, changed)) {
    const looksAtHeader = concerned.some(({ alsoHeaderFrom }) => alsoHeaderFrom);
    const addresses = addressesFor(sender, concerned);
    for (const domain of recipientsFor(sender)) {
      for (const isHeader of looksAtHeader ? [false, true] : [false]) {
        for (const address of addresses) {
          yield sessionOf(compared, { sender, domain, isHeader, address });
        }
      }
    }
  }
}

interface Sample {
  readonly sender: SampledDomain;
  readonly domain: { readonly of: SharedDomain; readonly isNamed: boolean };
  readonly isHeader: boolean;
  readonly address: { readonly of: string; readonly isNamed: boolean };
}

function sessionOf({ was, is }: Compared, sample: Sample): SampledSession {
  const { sender, domain, isHeader, address } = sample;
  const session = { senders: [sender.domain], isHeader, clientAddress: address.of };
  const to = domain.isNamed ? ` to ${domain.of.shown}` : '';
  const from = address.isNamed ? ` from ${address.of}` : '';
  return {
    was: { ...session, organization: was, acceptedDomain: domain.of.was },
    is: { ...session, organization: is, acceptedDomain: domain.of.is },
    shown: `${sender.shown}${to}${from}${isHeader ? ' in From' : ''}`,
  };
}

function restricting({ inboundConnectors }: Organization): InboundConnector[] {
  return inboundConnectors.filter(
    ({ enabled, mode, connectorType }) =>
      enabled && mode === 'enforce' && connectorType === 'Partner',
  );
}

/** Both versions of each that is not the same in both. */
function changedOf(
  earlier: readonly InboundConnector[],
  today: readonly InboundConnector[],
): readonly InboundConnector[] {
  const before = new Map(earlier.map((each) => [JSON.stringify(each), each]));
  const after = new Map(today.map((each) => [JSON.stringify(each), each]));
  return [
    ...[...before].filter(([text]) => !after.has(text)).map(([, each]) => each),
    ...[...after].filter(([text]) => !before.has(text)).map(([, each]) => each),
  ];
}

function isNarrowed({ senderIPAddresses, ...connector }: InboundConnector): boolean {
  return senderIPAddresses.length > 0 && !connector.restrictDomainsToIPAddresses;
}

function narrowingOf(connectors: readonly InboundConnector[]): readonly string[] {
  return connectors.filter(isNarrowed).flatMap(({ senderIPAddresses }) => senderIPAddresses);
}

const everywhere = ['0.0.0.0/0', '::/0'];

/** One that no connector names, and where addresses narrow what changed, one for each part of these. */
function addressesOf(
  all: readonly InboundConnector[],
): (sender: SampledDomain, concerned: readonly InboundConnector[]) => readonly Sample['address'][] {
  const parts = new AddressParts(narrowingOf(all));
  const narrowed = bySenderDomain(all.filter(isNarrowed));
  const outsideOf = ({ domain }: SampledDomain): readonly string[] => {
    if (parts.outside.length === 2) return parts.outside;
    const near = new AddressParts(narrowingOf(coveringIn(narrowed, domain)));
    // Where addresses narrow a connector to all of them, each part of these is somewhere else.
    return near.outside.length === 2 ? near.outside : [...near.outside, ...near.within(everywhere)];
  };
  return (sender, concerned) => [
    ...outsideOf(sender).map((of) => ({ of, isNamed: false })),
    ...parts.within(narrowingOf(concerned)).map((of) => ({ of, isNamed: true })),
  ];
}

/** Each own domain that a connector for the sender names, and one that none does. */
function recipientsOf(
  all: readonly InboundConnector[],
  domains: readonly SharedDomain[],
): (sender: SampledDomain) => readonly Sample['domain'][] {
  const naming = bySenderDomain(all.filter((each) => each.associatedAcceptedDomains.length > 0));
  const byAccepted = new Map<string, SharedDomain[]>();
  for (const domain of domains) {
    for (const name of new Set([domain.was, domain.is])) pushTo(byAccepted, name, domain);
  }
  return (sender) => {
    const connectors = coveringIn(naming, sender.domain);
    const names = new Set(connectors.flatMap((each) => each.associatedAcceptedDomains));
    const named = new Set([...names].flatMap((name) => byAccepted.get(name) ?? []));
    const other = domains.find((domain) => !named.has(domain));
    return [
      ...(other === undefined ? [] : [{ of: other, isNamed: false }]),
      ...[...named].map((of) => ({ of, isNamed: true })),
    ];
  };
}

function coveringIn(
  index: PatternIndex<InboundConnector>,
  domain: string,
): readonly InboundConnector[] {
  return index.covering(domain).map(({ value }) => value);
}
