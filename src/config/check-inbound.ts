/**
 * Checks between keys of an inbound connector: nothing set is ever silently ignored.
 *
 * Each refusal says what would make the key act.
 * @see New-InboundConnector
 */
import { formatDomainPattern } from '../mail/domain-pattern.ts';
import { findNearest } from './nearest.ts';
import type { Located, Parts, Report } from './parts.ts';
import { coversPattern } from './pattern-cover.ts';
import type { ParsedInbound } from './schema-organization.ts';

export function checkInbound(parts: Parts, report: Report): void {
  const names = new Set<string>();
  for (const connector of parts.inbound) {
    const { value, path } = connector;
    if (names.has(value.name.toLowerCase())) {
      const text = `there is another inbound connector "${value.name}" (case is ignored)`;
      report({ path: [...path, 'name'], at: 'value', text });
    }
    names.add(value.name.toLowerCase());
    const refuse = (key: string, text: string): void =>
      report({ path: [...path, key], at: 'key', text });
    checkScope(parts, connector, report, refuse);
    checkRestrictions(connector, refuse);
    checkCertificate(connector, refuse);
  }
}

type Refuse = (key: string, text: string) => void;

function checkScope(
  parts: Parts,
  { value, path }: Located<ParsedInbound>,
  report: Report,
  refuse: Refuse,
): void {
  if (value.senderDomains.length === 0) {
    refuse('senderDomains', 'needs at least one domain; "*" is everybody');
  }
  value.except.forEach((pattern, place) => {
    if (value.senderDomains.some((domain) => coversPattern(domain, pattern))) return;
    const text = `${formatDomainPattern(pattern)} is not in senderDomains, so it excepts nothing`;
    report({ path: [...path, 'except', place], at: 'value', text });
  });
  if (!parts.acceptedDomainsAreWhole) return;
  const accepted = parts.acceptedDomains.map((domain) => domain.value.domain);
  value.associatedAcceptedDomains.forEach((domain, place) => {
    if (accepted.includes(domain)) return;
    const text = `${domain} is not in acceptedDomains, which are: ${accepted.join(', ')}`;
    const here = [...path, 'associatedAcceptedDomains', place];
    report({ path: here, at: 'value', text, suggestion: findNearest(domain, accepted) });
  });
}

function checkRestrictions({ value, given }: Located<ParsedInbound>, refuse: Refuse): void {
  const { requireTls, restrictDomainsToCertificate, restrictDomainsToIPAddresses } = value;
  if (!requireTls && !restrictDomainsToCertificate && !restrictDomainsToIPAddresses) {
    const text =
      'restricts nothing: set requireTls, restrictDomainsToCertificate or restrictDomainsToIPAddresses to true, or remove the connector (mail flows without one)';
    refuse(given.has('requireTls') ? 'requireTls' : 'name', text);
  }
  if (restrictDomainsToIPAddresses && value.senderIPAddresses.length === 0) {
    const text = "needs senderIPAddresses: the partner's addresses, as in 192.0.2.0/24";
    refuse('restrictDomainsToIPAddresses', text);
  }
  if (!requireTls && value.minVersion !== 'TLSv1.2') {
    refuse('minVersion', 'acts only with requireTls: true');
  }
  if (!requireTls && given.has('requireTlsTemporary')) {
    refuse('requireTlsTemporary', 'acts only with requireTls: true');
  }
}

function checkCertificate({ value }: Located<ParsedInbound>, refuse: Refuse): void {
  const names = value.tlsSenderCertificateName.length > 0;
  const pins = value.pins.length > 0;
  if (value.restrictDomainsToCertificate && !names && !pins) {
    const text =
      "needs tlsSenderCertificateName (the name on the partner's client certificate) or pins";
    refuse('restrictDomainsToCertificate', text);
  }
  const needsSwitch = 'acts only with restrictDomainsToCertificate: true';
  if (!value.restrictDomainsToCertificate) {
    if (names) refuse('tlsSenderCertificateName', needsSwitch);
    if (pins) refuse('pins', needsSwitch);
    if (value.anchors !== 'bundled') refuse('anchors', needsSwitch);
    if (value.acceptServerAuthOnly) refuse('acceptServerAuthOnly', needsSwitch);
  } else if (!names && pins) {
    const text =
      'has no effect: pins alone decide. Give tlsSenderCertificateName too where the CA is to be checked besides';
    if (value.anchors !== 'bundled') refuse('anchors', text);
    if (value.acceptServerAuthOnly) refuse('acceptServerAuthOnly', text);
  }
}
