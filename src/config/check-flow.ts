/** What is legal and yet probably not what was meant: warnings about connectors as a whole. */
import type { DomainPattern } from '../mail/domain-pattern.ts';
import { formatDomainPattern } from '../mail/domain-pattern.ts';
import type { Parts, Report } from './parts.ts';
import { coversPattern } from './pattern-cover.ts';
import type { ParsedInbound, ParsedOutbound } from './schema-connectors.ts';

export function checkFlow(parts: Parts, report: Report): void {
  const warn: Report = (finding) => report({ ...finding, severity: 'warning' });
  warnOfRevocation(parts, warn);
  warnOfUnusedRules(parts, warn);
  warnOfTwins(parts, warn);
  warnOfWeakAlternatives(parts, warn);
  if (parts.inboundAreWhole && parts.outboundAreWhole) warnOfMissingHalves(parts, warn);
}

function warnOfRevocation(parts: Parts, warn: Report): void {
  const text = (name: string): string =>
    `revocation is not checked: a revoked certificate of the partner passes the connector "${name}"`;
  for (const { value, path } of parts.outbound) {
    const validates =
      value.tlsSettings === 'CertificateValidation' || value.tlsSettings === 'DomainValidation';
    if (!value.enabled || !validates) continue;
    warn({ path: [...path, 'tlsSettings'], at: 'key', text: text(value.name) });
  }
  for (const { value, path } of parts.inbound) {
    if (!value.enabled || !value.restrictDomainsToCertificate) continue;
    if (value.tlsSenderCertificateName.length === 0) continue;
    warn({ path: [...path, 'tlsSenderCertificateName'], at: 'key', text: text(value.name) });
  }
}

function warnOfUnusedRules(parts: Parts, warn: Report): void {
  for (const { value, path } of parts.outbound) {
    if (!value.enabled || !value.isTransportRuleScoped) continue;
    const text = 'rules are not supported yet, so nothing uses this connector';
    warn({ path: [...path, 'isTransportRuleScoped'], at: 'key', text });
  }
}

/** Equal patterns on two outbound connectors: the name decides, which nobody remembers. */
function warnOfTwins(parts: Parts, warn: Report): void {
  const owners = new Map<string, string>();
  for (const { value, path } of parts.outbound) {
    if (!value.enabled) continue;
    value.recipientDomains.forEach((pattern, place) => {
      const domain = formatDomainPattern(pattern);
      const owner = owners.get(domain);
      if (owner === undefined) owners.set(domain, value.name);
      else if (owner !== value.name) {
        const [first] = [owner, value.name].sort();
        const text = `"${owner}" and "${value.name}" both take ${domain}; "${first!}" is used, since its name sorts first`;
        warn({ path: [...path, 'recipientDomains', place], at: 'value', text });
      }
    });
  }
}

/** Connectors with an equal pattern are alternatives, so the one that asks least decides. */
function warnOfWeakAlternatives(parts: Parts, warn: Report): void {
  for (const { value: weak, path } of parts.inbound) {
    if (!weak.enabled || provesSource(weak) || weak.senderIPAddresses.length > 0) continue;
    const strong = parts.inbound.find(
      ({ value }) =>
        value.enabled &&
        provesSource(value) &&
        value.senderDomains.some((pattern) => hasPattern(weak.senderDomains, pattern)),
    );
    if (strong === undefined) continue;
    const text = `opens "${strong.value.name}", which has the same sender domain and asks for more: meeting either is enough`;
    warn({ path: [...path, 'senderDomains'], at: 'key', text });
  }
}

function provesSource(connector: ParsedInbound): boolean {
  return connector.restrictDomainsToCertificate || connector.restrictDomainsToIPAddresses;
}

function hasPattern(patterns: readonly DomainPattern[], wanted: DomainPattern): boolean {
  return patterns.some((pattern) => formatDomainPattern(pattern) === formatDomainPattern(wanted));
}

/** Forced TLS needs one connector per direction: says which half is missing. */
function warnOfMissingHalves(parts: Parts, warn: Report): void {
  const inbound = parts.inbound.map(({ value }) => value).filter(forcesInbound);
  const outbound = parts.outbound.map(({ value }) => value).filter(forcesOutbound);
  for (const { value, path } of parts.outbound) {
    if (!forcesOutbound(value) || value.connectorType !== 'Partner') continue;
    const missing = value.recipientDomains.filter(
      (pattern) => pattern.kind !== 'any' && !inbound.some((half) => coversInbound(half, pattern)),
    );
    if (missing.length === 0) continue;
    const list = missing.map(formatDomainPattern).join(', ');
    const text = `TLS is forced for mail to ${list} but not from it: an inbound connector with requireTls: true for ${list} is the missing half`;
    warn({ path: [...path, 'tlsSettings'], at: 'key', text });
  }
  for (const { value, path } of parts.inbound) {
    if (!forcesInbound(value)) continue;
    const missing = value.senderDomains.filter(
      (pattern) =>
        pattern.kind !== 'any' && !outbound.some((half) => coversOutbound(half, pattern)),
    );
    if (missing.length === 0) continue;
    const list = missing.map(formatDomainPattern).join(', ');
    const text = `TLS is forced for mail from ${list} but not to it: an outbound connector with tlsSettings: DomainValidation for ${list} is the missing half`;
    warn({ path: [...path, 'senderDomains'], at: 'key', text });
  }
}

function forcesInbound(connector: ParsedInbound): boolean {
  return connector.enabled && (connector.requireTls || connector.restrictDomainsToCertificate);
}

function forcesOutbound(connector: ParsedOutbound): boolean {
  const { enabled, tlsSettings, isTransportRuleScoped } = connector;
  const forces = tlsSettings !== null && tlsSettings !== 'Opportunistic';
  return enabled && forces && !isTransportRuleScoped;
}

/** A connector that is narrowed to addresses or to some accepted domains covers only a part. */
function coversInbound(connector: ParsedInbound, pattern: DomainPattern): boolean {
  const isNarrowed =
    connector.associatedAcceptedDomains.length > 0 ||
    (connector.senderIPAddresses.length > 0 && !connector.restrictDomainsToIPAddresses);
  if (isNarrowed || connector.except.some((except) => coversPattern(except, pattern))) return false;
  return connector.senderDomains.some((domain) => coversPattern(domain, pattern));
}

function coversOutbound(connector: ParsedOutbound, pattern: DomainPattern): boolean {
  return connector.recipientDomains.some((domain) => coversPattern(domain, pattern));
}
