/**
 * Centralized mail transport beside connectors that demand a certificate: your own servers must then
 * show it, since what a recipient's domain demands holds on every way.
 */
import { matchesDomainPattern } from '../mail/domain-pattern.ts';
import { someOf } from '../policy/some-of.ts';
import { modeOfOutbound } from './connectors-to-policy.ts';
import type { Parts, Report } from './parts.ts';
import type { ParsedOutbound } from './schema-connectors.ts';

const namedMax = 3;

export function warnOfUnmeetable(parts: Parts, warn: Report): void {
  const central = parts.outbound.find(
    ({ value }) => value.enabled && value.routeAllMessagesViaOnPremises,
  );
  if (central === undefined) return;
  const hosts = central.value.smartHosts.flat().map(({ host }) => host);
  const demanding = parts.outbound
    .map(({ value }) => value)
    .filter((each) => each !== central.value && isUnmeetable(each, hosts));
  if (demanding.length === 0) return;
  const list = someOf(
    demanding.map(({ name }) => `"${name}"`),
    namedMax,
  );
  const text = `your servers ${hosts.join(', ')} must show the certificate or key that ${list} demand${demanding.length === 1 ? 's' : ''} of the partner, or that mail waits until it expires: a rule that routes such mail straight to the partner lets it go`;
  warn({ path: [...central.path, 'routeAllMessagesViaOnPremises'], at: 'key', text });
}

function isUnmeetable(connector: ParsedOutbound, hosts: readonly string[]): boolean {
  const { enabled, isTransportRuleScoped, tlsSettings, tlsDomain, pins, recipientDomains } =
    connector;
  if (!enabled || isTransportRuleScoped || modeOfOutbound(connector) !== 'enforce') return false;
  if (pins.length > 0) return true;
  if (tlsSettings !== 'DomainValidation') return false;
  const names = tlsDomain.length > 0 ? tlsDomain : recipientDomains;
  const isNamed = (host: string): boolean => names.some((name) => matchesDomainPattern(name, host));
  return names.every(({ kind }) => kind !== 'any') && !hosts.every(isNamed);
}
