/** What is legal and yet probably not what was meant: warnings about connectors as a whole. */
import { formatDomainPattern } from '../mail/domain-pattern.ts';
import { warnOfTwoAnchorSets } from './check-anchors.ts';
import { warnOfUnmeetable } from './check-central.ts';
import { warnOfMissingHalves } from './check-directions.ts';
import { warnOfAlternatives, warnOfEqualServers, warnOfShadowed } from './check-overlaps.ts';
import { warnOfOwnServers } from './check-own-servers.ts';
import { modeOfOutbound } from './connectors-to-policy.ts';
import type { AllParts, Located, Parts, Report } from './parts.ts';

export function checkFlow(parts: Parts, report: Report): void {
  const warn: Report = (finding) => report({ ...finding, severity: 'warning' });
  warnOfRevocation(parts, warn);
  warnOfUnusedRules(parts, warn);
  warnOfTwins(parts, warn);
  warnOfAlternatives(parts, warn);
  warnOfEqualServers(parts, warn);
  warnOfShadowed(parts, warn);
  warnOfIdleModes(parts, warn);
  warnOfUnmeetable(parts, warn);
  warnOfTwoAnchorSets(parts, warn);
  if (parts.inboundAreWhole && parts.outboundAreWhole) warnOfMissingHalves(parts, warn);
}

/** What organizations claim as their own servers. */
export function checkOwnServers({ organizations }: AllParts, report: Report): void {
  warnOfOwnServers(organizations, (finding) => report({ ...finding, severity: 'warning' }));
}

/** One for each direction: it is the same for all connectors, and must not hide what is said of one. */
function warnOfRevocation(parts: Parts, warn: Report): void {
  const tell = (connectors: readonly Located<{ readonly name: string }>[], key: string): void => {
    const [first] = connectors;
    if (first === undefined) return;
    const others = connectors.length - 1;
    const rest = others === 0 ? '' : ` and ${others} more`;
    const text = `revocation is not checked: a revoked certificate of the partner passes the connector "${first.value.name}"${rest}`;
    warn({ path: [...first.path, key], at: 'key', text });
  };
  const validating = parts.outbound.filter(
    ({ value: { enabled, tlsSettings } }) =>
      enabled && (tlsSettings === 'CertificateValidation' || tlsSettings === 'DomainValidation'),
  );
  tell(validating, 'tlsSettings');
  const named = parts.inbound.filter(
    ({ value }) => value.enabled && value.tlsSenderCertificateName.length > 0,
  );
  tell(named, 'tlsSenderCertificateName');
}

function warnOfUnusedRules(parts: Parts, warn: Report): void {
  for (const { value, path } of parts.outbound) {
    if (!value.enabled || !value.isTransportRuleScoped) continue;
    const isUsed = parts.rules.some(
      ({ value: rule }) => rule.enabled && rule.routeMessageOutboundConnector === value.name,
    );
    if (isUsed) continue;
    const text =
      'no rule routes to this connector (routeMessageOutboundConnector): nothing uses it';
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

/** What does not bind is for what is demanded; where nothing is, nothing is seen. */
function warnOfIdleModes(parts: Parts, warn: Report): void {
  for (const { value, path, given } of parts.outbound) {
    const mode = modeOfOutbound(value);
    const demands = value.tlsSettings !== null && value.tlsSettings !== 'Opportunistic';
    if (!value.enabled || mode === 'enforce' || demands) continue;
    const text = `demands nothing, so ${mode} has nothing to judge: set tlsSettings to what shall be demanded`;
    warn({ path: [...path, given.has('testMode') ? 'testMode' : 'mode'], at: 'key', text });
  }
  for (const { value, path } of parts.inbound) {
    const { enabled, mode, requireTls, restrictDomainsToCertificate: needsCertificate } = value;
    if (!enabled || mode === 'enforce' || value.connectorType === 'Partner') continue;
    if (requireTls || needsCertificate) continue;
    const text = `demands nothing, so ${mode} has nothing to judge: set requireTls or restrictDomainsToCertificate to true`;
    warn({ path: [...path, 'mode'], at: 'key', text });
  }
}
