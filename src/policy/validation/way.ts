/**
 * What of a connector a validation is worth something for: where it leads, what it demands, which names.
 * Pure. Equal texts: what was validated is what is in force.
 */
import { formatDomainPattern } from '../../mail/domain-pattern.ts';
import type { OutboundConnector } from '../policy.ts';

/** Comments, owners, modes and the like change nothing of it. */
export function wayOf(connector: OutboundConnector): string {
  const { route, tlsSettings, minVersion, postQuantum, anchors, clientCertificate } = connector;
  // By MX the domains are the route.
  const domains = route.kind === 'mx' ? connector.recipientDomains.map(formatDomainPattern) : [];
  return JSON.stringify({
    route,
    domains: domains.sort(),
    tlsSettings,
    minVersion,
    postQuantum,
    anchors,
    clientCertificate,
    tlsDomains: connector.tlsDomains.map(formatDomainPattern).sort(),
    pins: [...connector.pins].sort(),
  });
}
