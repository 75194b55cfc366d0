/** Connectors that are there already for the domains of a partner: told before, never overwritten. Pure. */
import type { DomainPattern } from '../../mail/domain-pattern.ts';
import { formatDomainPattern, parseDomainPattern } from '../../mail/domain-pattern.ts';
import { coversPattern } from '../../config/pattern-cover.ts';
import type { ObjectView } from '../policy-objects/policy-objects-client.ts';
import type { ConnectorKind, Existing, Situation } from './answers.ts';
import { listOf } from './answers.ts';

export const domainsKey = {
  'inbound-connector': 'senderDomains',
  'outbound-connector': 'recipientDomains',
} as const;

export const directionOf = {
  'inbound-connector': 'inbound',
  'outbound-connector': 'outbound',
} as const;

/** Own servers restrict nothing, and rules choose by other things than domains. */
export function existingOf({ kind, name, value }: ObjectView): Existing {
  const key = domainsKey[kind as ConnectorKind];
  const isOther =
    (kind === 'inbound-connector' && value['connectorType'] === 'OnPremises') ||
    value['isTransportRuleScoped'] === true;
  const domains = isOther ? [] : patternsOf([value[key] ?? []].flat().map(String));
  return { kind: kind as ConnectorKind, name, isOn: value['enabled'] !== false, domains };
}

/** What is no pattern is left out. */
export function patternsOf(texts: readonly string[]): readonly DomainPattern[] {
  return texts.flatMap((text) => parseDomainPattern(text) ?? []);
}

/** The domains that a direction is for, as far as they are known: at first those of the command. */
export function domainsOf(situation: Situation, kind: ConnectorKind): readonly string[] {
  const own = listOf(situation, domainsKey[kind]);
  if (own.length > 0) return own;
  const other = listOf(situation, 'recipientDomains');
  return other.length > 0 ? other : [situation.pattern];
}

/** The connector of this direction that has one of the domains, written alike; null where none has. */
export function findTaken(
  { connectors }: Situation,
  kind: ConnectorKind,
  domains: readonly string[],
): { readonly existing: Existing; readonly domain: string } | null {
  const wanted = new Set(patternsOf(domains).map(formatDomainPattern));
  for (const existing of connectors) {
    if (existing.kind !== kind) continue;
    const domain = existing.domains.map(formatDomainPattern).find((each) => wanted.has(each));
    if (domain !== undefined) return { existing, domain };
  }
  return null;
}

/** A sentence without a full stop. */
export function describeTaken({ existing, domain }: NonNullable<ReturnType<typeof findTaken>>) {
  const direction = directionOf[existing.kind];
  const off = existing.isOn ? '' : ', which is off';
  return `the ${direction} connector "${existing.name}"${off} is for ${domain} already, and is left as it is`;
}

/** Sentences about connectors that are for more than the domains, or for a part of them. */
export function tellNearby(
  { connectors }: Situation,
  kind: ConnectorKind,
  domains: readonly string[],
): readonly string[] {
  const wanted = patternsOf(domains);
  return connectors
    .filter((each) => each.kind === kind && each.isOn)
    .flatMap(({ name, domains: own }) => {
      const near = own.filter((pattern) => wanted.some((each) => overlap(pattern, each)));
      if (near.length === 0) return [];
      const list = near.map(formatDomainPattern).join(', ');
      const rule =
        kind === 'outbound-connector'
          ? 'mail takes the one that names its domain most closely'
          : 'mail must meet what each of them demands';
      return [`there is the ${directionOf[kind]} connector "${name}" for ${list}: ${rule}`];
    });
}

function overlap(a: DomainPattern, b: DomainPattern): boolean {
  return coversPattern(a, b) || coversPattern(b, a);
}
