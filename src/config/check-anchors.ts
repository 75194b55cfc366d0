/**
 * Two enforcing connectors that hold for the same mail and name different trust anchors: one connection
 * cannot be examined for both, so that mail waits until it expires.
 */
import { isAbsolute } from 'node:path';
import { someOf } from '../policy/some-of.ts';
import { resolveAnchors, modeOfOutbound } from './connectors-to-policy.ts';
import type { Located, Parts, Report } from './parts.ts';
import { groupByPattern, widerPatterns } from './pattern-cover.ts';
import type { ParsedOutbound } from './schema-connectors.ts';
import type { ParsedRule } from './schema-rules.ts';

const namedMax = 3;

export function warnOfTwoAnchorSets(parts: Parts, warn: Report): void {
  const enforcing = parts.outbound
    .map(({ value }) => value)
    .filter((each) => isEnforcing(each) && !each.isTransportRuleScoped);
  const central = parts.outbound.find(({ value }) => value.routeAllMessagesViaOnPremises);
  if (central !== undefined) warnOfCentral(central, enforcing, warn);
  for (const rule of parts.rules) warnOfRoute(parts, rule, { enforcing, warn });
}

function isEnforcing(connector: ParsedOutbound): boolean {
  return connector.enabled && modeOfOutbound(connector) === 'enforce';
}

/** Whether it demands a certificate that leads to its anchors. */
function isTrusting({ tlsSettings }: ParsedOutbound): boolean {
  return tlsSettings === 'CertificateValidation' || tlsSettings === 'DomainValidation';
}

/** It takes no mail to accepted domains, which `allAcceptedDomains` is about. */
function warnOfCentral(
  { value, path, given }: Located<ParsedOutbound>,
  enforcing: readonly ParsedOutbound[],
  warn: Report,
): void {
  if (!isEnforcing(value)) return;
  const others = conflictingWith(
    value,
    enforcing.filter((each) => each.recipientDomains.length > 0),
  );
  if (others.length === 0) return;
  const text = `${describe(value, others)}; give them the same anchors`;
  const key = given.has('anchors') ? 'anchors' : 'tlsSettings';
  warn({ path: [...path, key], at: 'key', text });
}

function warnOfRoute(
  parts: Parts,
  { value: rule, path }: Located<ParsedRule>,
  { enforcing, warn }: { readonly enforcing: readonly ParsedOutbound[]; readonly warn: Report },
): void {
  if (!rule.enabled || rule.mode !== 'Enforce') return;
  const name = rule.routeMessageOutboundConnector;
  const route = parts.outbound.find(({ value }) => value.name === name)?.value;
  if (route === undefined || !isEnforcing(route)) return;
  const concerned = concernedBy(rule, enforcing);
  const others = conflictingWith(
    route,
    concerned.filter((each) => !rule.overrides.includes(each.name)),
  );
  if (others.length === 0) return;
  const one = others.length === 1 ? `"${others[0]!.name}"` : 'them';
  const text = `${describe(route, others)}; give them the same anchors, or name ${one} in overrides`;
  warn({ path: [...path, 'routeMessageOutboundConnector'], at: 'value', text });
}

/** Those whose mail the rule may meet: of a rule for some domains, the closest to each. */
function concernedBy(
  { sentTo, recipientDomainIs }: ParsedRule,
  enforcing: readonly ParsedOutbound[],
): readonly ParsedOutbound[] {
  const domains = sentTo.length > 0 ? sentTo.map(({ domain }) => domain) : recipientDomainIs;
  if (domains.length === 0) return enforcing;
  const byPattern = groupByPattern(enforcing, (each) => each.recipientDomains);
  const found = domains.flatMap((domain) => {
    const wider = widerPatterns({ kind: 'exact', domain });
    const closest = wider
      .map((pattern) => byPattern.get(pattern))
      .find((each) => each !== undefined);
    return closest?.toSorted((a, b) => (a.name < b.name ? -1 : 1)).slice(0, 1) ?? [];
  });
  return [...new Set(found)];
}

function conflictingWith(
  connector: ParsedOutbound,
  others: readonly ParsedOutbound[],
): readonly ParsedOutbound[] {
  if (!isTrusting(connector)) return [];
  return others.filter(
    (each) => isTrusting(each) && areOtherAnchors(connector.anchors, each.anchors),
  );
}

function describe(connector: ParsedOutbound, others: readonly ParsedOutbound[]): string {
  const nameOf = ({ name, anchors }: ParsedOutbound): string => `"${name}" (${anchors})`;
  const list = someOf(others.map(nameOf), namedMax);
  return `${nameOf(connector)} and ${list} demand certificates under different trust anchors: mail for which both hold waits until it expires, since one connection cannot be examined for both`;
}

/** A relative path may lead to the file of an absolute one: where it starts is not known here. */
function areOtherAnchors(one: string, other: string): boolean {
  const areFiles = [one, other].every((each) => each.startsWith('file:'));
  if (areFiles && isAbsolute(one.slice(5)) !== isAbsolute(other.slice(5))) return false;
  return resolveAnchors(one, '/') !== resolveAnchors(other, '/');
}
