/**
 * What of a connector a validation is worth something for: where it leads, what it demands, which names.
 * Pure. Equal texts: what was validated is what is in force.
 */
import { formatDomainPattern } from '../../mail/domain-pattern.ts';
import type { OutboundConnector, Route } from '../policy.ts';

/** Comments, owners, modes, whose word it is and the like change nothing of it. */
export function wayOf(connector: OutboundConnector): string {
  const { tlsSettings, minVersion, postQuantum, anchors, clientCertificate } = connector;
  const route = placesOf(connector.route);
  // By MX the domains are the route.
  const isByDomain = route.kind === 'mx';
  const domains = isByDomain ? connector.recipientDomains.map(formatDomainPattern) : [];
  return JSON.stringify({
    route,
    domains: domains.sort(),
    ...(isByDomain && connector.allAcceptedDomains ? { allAcceptedDomains: true } : {}),
    tlsSettings,
    minVersion,
    postQuantum,
    anchors,
    clientCertificate,
    tlsDomains: connector.tlsDomains.map(formatDomainPattern).sort(),
    pins: [...connector.pins].sort(),
    ...(connector.clearTextAfterFailedTls ? { clearTextAfterFailedTls: true } : {}),
  });
}

/** A draft is nobody's word yet, and leads where it leads when it is in force. */
function placesOf(route: Route): Route {
  if (route.kind === 'mx') return route;
  return { ...route, hosts: route.hosts.map(({ host, port }) => ({ host, port })) };
}
