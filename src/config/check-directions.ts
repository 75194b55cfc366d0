/**
 * Forced TLS needs one connector per direction: says which half is missing, and of whom.
 *
 * Only what binds counts, so a connector that observes or warns is no half.
 */
import type { DomainPattern } from '../mail/domain-pattern.ts';
import { formatDomainPattern } from '../mail/domain-pattern.ts';
import { modeOfOutbound } from './connectors-to-policy.ts';
import type { Parts, Report } from './parts.ts';
import { coversPattern, groupByPattern, widerPatterns } from './pattern-cover.ts';
import type { ParsedInbound, ParsedOutbound } from './schema-connectors.ts';

export function warnOfMissingHalves(parts: Parts, warn: Report): void {
  const inbound = parts.inbound.map(({ value }) => value);
  const outbound = parts.outbound.map(({ value }) => value);
  warnOfMissingInbound(parts, inbound, warn);
  warnOfMissingOutbound(parts, outbound, warn);
}

function warnOfMissingInbound(parts: Parts, inbound: readonly ParsedInbound[], warn: Report): void {
  const halves = groupByPattern(inbound.filter(forcesInbound), (half) => half.senderDomains);
  for (const { value, path } of parts.outbound) {
    if (!forcesOutbound(value) || modeOfOutbound(value) !== 'enforce') continue;
    if (value.connectorType !== 'Partner') continue;
    const missing = value.recipientDomains.filter(
      (pattern) => pattern.kind !== 'any' && inboundHalf(halves, pattern) === null,
    );
    if (missing.length === 0) continue;
    const list = missing.map(formatDomainPattern).join(', ');
    const tried = missing.flatMap((pattern) => inboundHalf(halves, pattern, false) ?? [])[0];
    const hint = tried === undefined ? '' : ` ("${tried.name}" only has mode ${tried.mode})`;
    const text = `TLS is forced for mail to ${list} but not from it: an inbound connector with requireTls: true for ${list} is the missing half${hint}`;
    warn({ path: [...path, 'tlsSettings'], at: 'key', text });
  }
}

function warnOfMissingOutbound(
  parts: Parts,
  outbound: readonly ParsedOutbound[],
  warn: Report,
): void {
  const usable = outbound.filter(
    ({ enabled, isTransportRuleScoped }) => enabled && !isTransportRuleScoped,
  );
  const byPattern = groupByPattern(usable, (connector) => connector.recipientDomains);
  for (const { value, path } of parts.inbound) {
    if (!forcesInbound(value) || value.mode !== 'enforce') continue;
    const missing = value.senderDomains.filter(
      (pattern) => pattern.kind !== 'any' && !binds(chosenFor(byPattern, pattern)),
    );
    if (missing.length === 0) continue;
    const list = missing.map(formatDomainPattern).join(', ');
    const tried = chosenFor(byPattern, missing[0]!);
    const hint =
      tried === null ? '' : ` (such mail takes "${tried.name}" now, which ${whyNot(tried)})`;
    const text = `TLS is forced for mail from ${list} but not to it: an outbound connector with tlsSettings: DomainValidation for ${list} is the missing half${hint}`;
    warn({ path: [...path, 'senderDomains'], at: 'key', text });
  }
}

function binds(chosen: ParsedOutbound | null): boolean {
  return chosen !== null && forcesOutbound(chosen) && modeOfOutbound(chosen) === 'enforce';
}

function whyNot(connector: ParsedOutbound): string {
  if (!forcesOutbound(connector)) return 'forces nothing';
  return `only has mode ${modeOfOutbound(connector)}`;
}

/** An enforcing one, or with `mustEnforce` false any; null where none covers the pattern. */
function inboundHalf(
  halves: ReadonlyMap<string, readonly ParsedInbound[]>,
  pattern: DomainPattern,
  mustEnforce = true,
): ParsedInbound | null {
  for (const key of widerPatterns(pattern)) {
    const found = halves
      .get(key)
      ?.find((half) => coversInbound(half, pattern) && (!mustEnforce || half.mode === 'enforce'));
    if (found !== undefined) return found;
  }
  return null;
}

/** A connector that is narrowed to addresses or to some accepted domains covers only a part. */
function coversInbound(connector: ParsedInbound, pattern: DomainPattern): boolean {
  const isNarrowed =
    connector.associatedAcceptedDomains.length > 0 ||
    (connector.senderIPAddresses.length > 0 && !connector.restrictDomainsToIPAddresses);
  return !isNarrowed && !connector.except.some((except) => coversPattern(except, pattern));
}

/** The connector that mail to all of the pattern takes, where nothing closer is meant for a part. */
function chosenFor(
  byPattern: ReadonlyMap<string, readonly ParsedOutbound[]>,
  pattern: DomainPattern,
): ParsedOutbound | null {
  for (const key of widerPatterns(pattern)) {
    const found = byPattern.get(key);
    if (found !== undefined) return firstByName(found);
  }
  return null;
}

/** Among connectors that fit equally well the name decides. */
export function firstByName<T extends { readonly name: string }>(connectors: readonly T[]): T {
  return connectors.reduce((first, each) => (each.name < first.name ? each : first));
}

function forcesInbound(connector: ParsedInbound): boolean {
  if (connector.connectorType !== 'Partner') return false;
  return connector.enabled && (connector.requireTls || connector.restrictDomainsToCertificate);
}

function forcesOutbound(connector: ParsedOutbound): boolean {
  const { enabled, tlsSettings, isTransportRuleScoped } = connector;
  const forces = tlsSettings !== null && tlsSettings !== 'Opportunistic';
  return enabled && forces && !isTransportRuleScoped;
}
