/**
 * Checks between keys of an inbound connector: nothing set is ever silently ignored.
 *
 * What a Partner connector restricts is here; what names your own servers in `check-on-premises.ts`.
 * @see New-InboundConnector
 */
import { formatDomainPattern } from '../mail/domain-pattern.ts';
import { checkProof } from './check-client-certificate.ts';
import { checkEnhancedFiltering } from './check-enhanced-filtering.ts';
import { checkOnPremises } from './check-on-premises.ts';
import type { Refuse } from './check-outbound.ts';
import { findNearest } from './nearest.ts';
import type { Located, Parts, Report } from './parts.ts';
import { coversPattern } from './pattern-cover.ts';
import type { ParsedInbound } from './schema-connectors.ts';

export function checkInbound(parts: Parts, report: Report): void {
  const names = new Set<string>();
  for (const connector of parts.inbound) {
    const { value, path } = connector;
    if (names.has(value.name.toLowerCase())) {
      const text = `there is another inbound connector "${value.name}" (case is ignored)`;
      report({ path: [...path, 'name'], at: 'value', text });
    }
    names.add(value.name.toLowerCase());
    const refuse: Refuse = (key, text) => report({ path: [...path, key], at: 'key', text });
    if (value.connectorType === 'OnPremises') checkOnPremises(value, refuse);
    else checkPartner(connector, report, refuse);
    checkTls(connector, refuse);
    checkAssociated(parts, connector, report);
    checkEnhancedFiltering(parts, connector, report);
  }
}

function checkPartner(connector: Located<ParsedInbound>, report: Report, refuse: Refuse): void {
  checkScope(connector, report, refuse);
  checkRestrictions(connector, refuse);
  checkCertificate(connector, refuse);
  checkPrivileges(connector.value, refuse);
}

function checkScope({ value, path }: Located<ParsedInbound>, report: Report, refuse: Refuse): void {
  if (value.senderDomains.length === 0) {
    refuse('senderDomains', 'needs at least one domain; "*" is everybody');
  }
  value.except.forEach((pattern, place) => {
    if (value.senderDomains.some((domain) => coversPattern(domain, pattern))) return;
    const text = `${formatDomainPattern(pattern)} is not in senderDomains, so it excepts nothing`;
    report({ path: [...path, 'except', place], at: 'value', text });
  });
  const isEverybody = value.senderDomains.some(({ kind }) => kind === 'any');
  if (value.alsoHeaderFrom && isEverybody && value.except.length === 0) {
    refuse('alsoHeaderFrom', 'has no effect: senderDomains "*" covers every message already');
  }
}

function checkAssociated(
  parts: Parts,
  { value, path }: Located<ParsedInbound>,
  report: Report,
): void {
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
  if (
    value.trustedOrganizations.length > 0 &&
    !restrictDomainsToCertificate &&
    !restrictDomainsToIPAddresses
  ) {
    const text =
      'has no effect: mail handed over inside is encrypted, and nothing else is demanded. It acts with restrictDomainsToCertificate or restrictDomainsToIPAddresses';
    refuse('trustedOrganizations', text);
  }
}

/** What acts with `requireTls`, whoever the connector is for. */
function checkTls({ value, given }: Located<ParsedInbound>, refuse: Refuse): void {
  if (value.requireTls) return;
  const text = 'acts only with requireTls: true';
  if (value.minVersion !== 'TLSv1.2') refuse('minVersion', text);
  if (given.has('requireTlsTemporary')) refuse('requireTlsTemporary', text);
  if (value.postQuantum === 'require') refuse('postQuantum', `require ${text}`);
}

function checkCertificate({ value }: Located<ParsedInbound>, refuse: Refuse): void {
  const names = value.tlsSenderCertificateName.length > 0;
  const pins = value.pins.length > 0;
  if (value.restrictDomainsToCertificate) {
    checkProof(value, refuse);
    return;
  }
  const needsSwitch = 'acts only with restrictDomainsToCertificate: true';
  if (names) refuse('tlsSenderCertificateName', needsSwitch);
  if (pins) refuse('pins', needsSwitch);
  if (value.anchors !== 'bundled') refuse('anchors', needsSwitch);
  if (value.acceptServerAuthOnly) refuse('acceptServerAuthOnly', needsSwitch);
}

/** Partner connectors restrict, OnPremises connectors grant; neither stands in for the other. */
function checkPrivileges(value: ParsedInbound, refuse: Refuse): void {
  if (value.treatMessagesAsInternal) {
    const text = 'needs connectorType: OnPremises, since only your own servers send internal mail';
    refuse('treatMessagesAsInternal', text);
  }
  if (value.cloudServicesMailEnabled) {
    const text =
      'needs connectorType: OnPremises: a partner could write what only your own servers may, X-MS-Exchange-Organization-*';
    refuse('cloudServicesMailEnabled', text);
  }
}
