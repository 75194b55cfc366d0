/** Connectors of one organization that stand in each other's way: equal scopes, and what is never chosen. */
import type { DomainPattern } from '../mail/domain-pattern.ts';
import { formatDomainPattern } from '../mail/domain-pattern.ts';
import { firstByName } from './check-directions.ts';
import type { Located, Parts, Report } from './parts.ts';
import { groupByPattern, widerPatterns } from './pattern-cover.ts';
import type { ParsedInbound, ParsedOutbound } from './schema-connectors.ts';
import type { ParsedAcceptedDomain } from './schema-organization.ts';

/** Partner connectors with an equal pattern are alternatives, so the one that asks least decides. */
export function warnOfAlternatives(parts: Parts, warn: Report): void {
  const partners = parts.inbound.filter(
    ({ value }) => value.enabled && value.connectorType === 'Partner',
  );
  const strongest = firstThatProve(partners);
  const twins = new Twins();
  for (const connector of partners) {
    const { value, path } = connector;
    const twin = twins.findAndAdd(connector);
    const strong = firstOf(scopesOf(value), strongest);
    if (!provesSource(value) && value.senderIPAddresses.length === 0 && strong !== undefined) {
      const text = `opens "${strong.value.name}", which has the same sender domain and asks for more: meeting either is enough`;
      warn({ path: [...path, 'senderDomains'], at: 'key', text });
      continue;
    }
    if (twin === undefined) continue;
    const text = `"${twin.value.name}" has the same sender domain: meeting either of the two is enough. Where both shall hold, make one connector of them; where one is old, turn it off`;
    warn({ path: [...path, 'senderDomains'], at: 'key', text });
  }
}

type Partner = Located<ParsedInbound>;

/** Connectors of another mode are no alternatives. */
function scopesOf({ senderDomains, mode }: ParsedInbound): readonly string[] {
  return senderDomains.map((pattern) => `${mode} ${formatDomainPattern(pattern)}`);
}

function firstThatProve(partners: readonly Partner[]): ReadonlyMap<string, Partner> {
  const firsts = new Map<string, Partner>();
  for (const partner of partners) {
    if (!provesSource(partner.value)) continue;
    for (const scope of scopesOf(partner.value)) addFirst(firsts, scope, partner);
  }
  return firsts;
}

function firstOf(
  keys: readonly string[],
  partners: ReadonlyMap<string, Partner>,
): Partner | undefined {
  const key = keys.find((each) => partners.has(each));
  return key === undefined ? undefined : partners.get(key);
}

/**
 * Connectors of the same scope: "by certificate or by address" is two connectors, as Exchange wants it;
 * a part of the scope is another scope. Looked up and never compared one by one: a thousand connectors of
 * the same domains would be compared for many seconds.
 */
class Twins {
  /** The first of each scope and way, and of those for each accepted domain; `''` of those for all. */
  readonly #firsts = new Map<string, Partner>();
  readonly #firstsFor = new Map<string, Partner>();

  /** The first before it. */
  findAndAdd(partner: Partner): Partner | undefined {
    const { value } = partner;
    const { associatedAcceptedDomains: domains } = value;
    if (value.senderIPAddresses.length > 0 && !value.restrictDomainsToIPAddresses) return undefined;
    const scopes = scopesOf(value).map((scope) => `${wayOf(value)} ${scope}`);
    let found: Partner | undefined;
    for (const scope of scopes) {
      found ??= domains.length === 0 ? this.#firsts.get(scope) : this.#firstFor(scope, domains);
    }
    for (const scope of scopes) {
      addFirst(this.#firsts, scope, partner);
      for (const domain of domains.length === 0 ? [''] : domains) {
        addFirst(this.#firstsFor, `${scope} ${domain}`, partner);
      }
    }
    return found;
  }

  #firstFor(scope: string, domains: readonly string[]): Partner | undefined {
    const firsts = ['', ...domains].flatMap(
      (domain) => this.#firstsFor.get(`${scope} ${domain}`) ?? [],
    );
    return firsts.sort((a, b) => Number(a.path.at(-1)) - Number(b.path.at(-1)))[0];
  }
}

function addFirst(firsts: Map<string, Partner>, key: string, partner: Partner): void {
  if (!firsts.has(key)) firsts.set(key, partner);
}

function provesSource(connector: ParsedInbound): boolean {
  return connector.restrictDomainsToCertificate || connector.restrictDomainsToIPAddresses;
}

function wayOf(connector: ParsedInbound): string {
  return `${connector.restrictDomainsToCertificate} ${connector.restrictDomainsToIPAddresses}`;
}

/** Your own servers by one name or address range twice: the name of the connector decides. */
export function warnOfEqualServers(parts: Parts, warn: Report): void {
  const owners = new Map<string, string>();
  for (const { value, path } of parts.inbound) {
    if (!value.enabled || value.connectorType !== 'OnPremises') continue;
    for (const [key, place, what] of marksOf(value)) {
      const owner = owners.get(what);
      owners.set(what, owner ?? value.name);
      if (owner === undefined) continue;
      const [first] = [owner, value.name].sort();
      const text = `"${owner}" and "${value.name}" both name ${what}; "${first!}" is used, since its name sorts first`;
      warn({ path: [...path, key, place], at: 'value', text });
    }
  }
}

/** Each certificate name and address range by which a connector knows a server, and where it stands. */
function marksOf(value: ParsedInbound): readonly (readonly [string, number, string])[] {
  return [
    ...value.tlsSenderCertificateName.map(
      (name, place) => ['tlsSenderCertificateName', place, formatDomainPattern(name)] as const,
    ),
    ...value.senderIPAddresses.map((range, place) => ['senderIPAddresses', place, range] as const),
  ];
}

/** An outbound connector that no mail can take, though it is on. */
export function warnOfShadowed(parts: Parts, warn: Report): void {
  const usable = parts.outbound.filter(
    ({ value }) => value.enabled && !value.isTransportRuleScoped,
  );
  const values = usable.map(({ value }) => value);
  const byPattern = groupByPattern(values, (connector) => connector.recipientDomains);
  const domains = parts.acceptedDomains.map(({ value }) => value);
  for (const { value, path } of usable) {
    if (value.routeAllMessagesViaOnPremises) continue;
    const reasons = [
      ...value.recipientDomains.map((pattern) => whyNever(value, pattern, { byPattern, domains })),
      ...(value.allAcceptedDomains ? [whyNoneAccepted(value, { byPattern, domains })] : []),
    ];
    const areTwins = reasons.every((reason) => reason === isTwin);
    if (reasons.includes(null) || areTwins || !parts.acceptedDomainsAreWhole) continue;
    const told = reasons.filter((reason) => reason !== isTwin).join('; ');
    const text = `is never chosen: ${told}. Remove it, or correct its domains`;
    warn({ path: [...path, 'name'], at: 'value', text });
  }
}

interface Rivals {
  readonly byPattern: ReadonlyMap<string, readonly ParsedOutbound[]>;
  readonly domains: readonly ParsedAcceptedDomain[];
}

/** Said of each pattern already, where the twins are. */
const isTwin = 'twin';

/** Null where mail to the pattern takes this connector. */
function whyNever(
  value: ParsedOutbound,
  pattern: DomainPattern,
  { byPattern, domains }: Rivals,
): string | null {
  const rivals = byPattern.get(formatDomainPattern(pattern)) ?? [];
  if (firstByName(rivals) !== value) return isTwin;
  if (pattern.kind !== 'exact') return null;
  const own = domains.find(({ domain }) => domain === pattern.domain);
  if (own === undefined || own.type !== 'Authoritative') return null;
  return `${pattern.domain} is Authoritative here, so mail to it stays here or is refused (InternalRelay hands it on)`;
}

function whyNoneAccepted(value: ParsedOutbound, { byPattern, domains }: Rivals): string | null {
  const relayed = domains.filter(({ type }) => type === 'InternalRelay');
  if (relayed.length === 0) {
    return 'allAcceptedDomains takes mail of InternalRelay domains, and there is none';
  }
  const isFree = relayed.some(({ domain, matchSubDomains }) => {
    const pattern = { kind: matchSubDomains ? 'wildcard' : 'exact', domain } as const;
    const closer = widerPatterns(pattern).filter((key) => key !== '*' && byPattern.has(key));
    return closer.length === 0;
  });
  if (isFree) return null;
  return `each InternalRelay domain has a connector that is closer than "${value.name}"`;
}
