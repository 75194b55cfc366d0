/** Which certificate paths an inbound handshake must examine so that every connector can be judged. */
import { purposeOf } from './connector-clauses.ts';
import type { AnchorsName, InboundConnector, Policy } from './policy.ts';
import type { PathPurpose } from './tls-requirement.ts';

export interface WantedPath {
  readonly anchors: AnchorsName;
  readonly purpose: PathPurpose;
}

const wanted = new WeakMap<Policy, readonly WantedPath[]>();

/** Each pair once; empty where no enabled connector asks for a name under a CA. */
export function wantedInboundPaths(policy: Policy): readonly WantedPath[] {
  const known = wanted.get(policy);
  if (known !== undefined) return known;
  const pairs = new Map<string, WantedPath>();
  for (const organization of policy.organizations) {
    for (const connector of organization.inboundConnectors) {
      if (!connector.enabled || !usesCertificate(connector)) continue;
      const purpose = purposeOf(connector);
      pairs.set(`${purpose} ${connector.anchors}`, { anchors: connector.anchors, purpose });
    }
  }
  const list = [...pairs.values()];
  wanted.set(policy, list);
  return list;
}

/** OnPremises connectors know their servers by certificate whether or not they demand one. */
function usesCertificate(connector: InboundConnector): boolean {
  const { connectorType, restrictDomainsToCertificate, tlsSenderCertificateNames } = connector;
  if (connectorType === 'Partner') return restrictDomainsToCertificate;
  return tlsSenderCertificateNames.length > 0;
}
