/**
 * The connectors of an organization, found without looking at each: by domain, by address, by the
 * names and keys of a client certificate.
 *
 * Within equal places in the order of their names, so that the order in a file decides nothing. Built
 * once per snapshot and forgotten with it.
 */
import { PatternIndex, withAncestors } from '../mail/pattern-index.ts';
import { AddressIndex } from './address-index.ts';
import type { CertificateFacts } from './evidence.ts';
import { presentedNames } from './name-match.ts';
import type { InboundConnector, Organization, OutboundConnector, Policy } from './policy.ts';

/** The Partner connectors of one organization, also those that are off. */
export interface PartnerIndex {
  /** By sender domains. */
  readonly bySender: PatternIndex<InboundConnector>;
  /** Those that concern only sessions from their addresses. */
  readonly narrowed: AddressIndex<InboundConnector>;
  /** Whether any that is on looks at RFC5322.From. */
  readonly looksAtHeader: boolean;
  /** Whether any that is on restricts, as far as its mode lets it. */
  readonly restricts: boolean;
}

export interface OutboundIndex {
  readonly byRecipient: PatternIndex<OutboundConnector>;
  readonly byName: ReadonlyMap<string, OutboundConnector>;
  readonly ofAllAccepted: readonly OutboundConnector[];
  /** Centralized mail transport. */
  readonly ofEverything: readonly OutboundConnector[];
  readonly count: number;
}

/** An OnPremises connector and whose it is. */
export interface OwnServer {
  readonly organization: Organization;
  readonly connector: InboundConnector;
}

const partners = new WeakMap<Organization, PartnerIndex>();
const outbound = new WeakMap<Organization, OutboundIndex>();
const ownServers = new WeakMap<Policy, OwnServerIndex>();

export function partnerIndexOf(organization: Organization): PartnerIndex {
  return known(partners, organization, buildPartners);
}

export function outboundIndexOf(organization: Organization): OutboundIndex {
  return known(outbound, organization, buildOutbound);
}

export function ownServerIndexOf(policy: Policy): OwnServerIndex {
  return known(ownServers, policy, (value) => new OwnServerIndex(value));
}

function known<Key extends object, Index>(
  map: WeakMap<Key, Index>,
  key: Key,
  build: (key: Key) => Index,
): Index {
  const index = map.get(key) ?? build(key);
  map.set(key, index);
  return index;
}

function buildPartners({ inboundConnectors }: Organization): PartnerIndex {
  const all = sorted(inboundConnectors).filter(({ connectorType }) => connectorType === 'Partner');
  const isNarrowed = (connector: InboundConnector): boolean =>
    connector.senderIPAddresses.length > 0 && !connector.restrictDomainsToIPAddresses;
  const live = all.filter(({ enabled, mode }) => enabled && mode === 'enforce');
  return {
    bySender: new PatternIndex(
      all
        .filter((value) => !isNarrowed(value))
        .map((value) => ({ patterns: value.senderDomains, value })),
    ),
    narrowed: new AddressIndex(
      all.filter(isNarrowed).map((value) => ({ ranges: value.senderIPAddresses, value })),
    ),
    looksAtHeader: live.some(({ alsoHeaderFrom }) => alsoHeaderFrom),
    restricts: live.length > 0,
  };
}

function buildOutbound({ outboundConnectors }: Organization): OutboundIndex {
  const all = sorted(outboundConnectors);
  return {
    byRecipient: new PatternIndex(
      all.map((value) => ({ patterns: value.recipientDomains, value })),
    ),
    byName: new Map(all.map((connector) => [connector.name, connector])),
    ofAllAccepted: all.filter(({ allAcceptedDomains }) => allAcceptedDomains),
    ofEverything: all.filter(
      ({ routeAllMessagesViaOnPremises, enabled }) => enabled && routeAllMessagesViaOnPremises,
    ),
    count: all.length,
  };
}

/** Enabled OnPremises connectors of every organization. */
export class OwnServerIndex {
  readonly isEmpty: boolean;
  readonly #byAddress: AddressIndex<OwnServer>;
  readonly #byName: PatternIndex<OwnServer>;
  /** Exact names by their parent, which a certificate's `*.parent` stands for. */
  readonly #byParent = new Map<string, OwnServer[]>();
  readonly #byKey = new Map<string, OwnServer[]>();

  constructor(policy: Policy) {
    const servers = policy.organizations.flatMap((organization) =>
      sorted(organization.inboundConnectors)
        .filter(({ enabled, connectorType }) => enabled && connectorType === 'OnPremises')
        .map((connector) => ({ organization, connector })),
    );
    this.isEmpty = servers.length === 0;
    this.#byAddress = new AddressIndex(
      servers.map((value) => ({ ranges: value.connector.senderIPAddresses, value })),
    );
    this.#byName = new PatternIndex(
      servers.map((value) => ({ patterns: value.connector.tlsSenderCertificateNames, value })),
    );
    for (const server of servers) {
      for (const pattern of server.connector.tlsSenderCertificateNames) {
        if (pattern.kind !== 'exact') continue;
        const [, parent] = withAncestors(pattern.domain);
        if (parent !== undefined) push(this.#byParent, parent, server);
      }
      for (const pin of server.connector.pins) push(this.#byKey, pin, server);
    }
  }

  byAddress(address: string): readonly OwnServer[] {
    return [...new Set(this.#byAddress.containing(address).map(({ value }) => value))];
  }

  /** Those that the certificate may be meant by; whether it is, the verdict says. */
  byCertificate(leaf: CertificateFacts): readonly OwnServer[] {
    const found = new Set<OwnServer>(this.#byKey.get(leaf.spki256));
    for (const name of presentedNames(leaf)) {
      const isWildcard = name.startsWith('*.');
      const domain = isWildcard ? name.slice(2) : name;
      for (const { value } of this.#byName.covering(domain)) found.add(value);
      if (isWildcard) for (const value of this.#byParent.get(domain) ?? []) found.add(value);
    }
    return [...found];
  }
}

function push<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

function sorted<Connector extends { readonly name: string }>(
  connectors: readonly Connector[],
): Connector[] {
  return connectors.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
