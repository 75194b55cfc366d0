/** Which certificate paths an inbound handshake must examine so that every connector can be judged. */
import { purposeOf } from './connector-clauses.ts';
import { findOrganization } from './directory.ts';
import type { Evidence } from './evidence.ts';
import type { AnchorsName, InboundConnector, Organization, Policy } from './policy.ts';
import type { PathPurpose } from './tls-requirement.ts';

export interface WantedPath {
  readonly anchors: AnchorsName;
  readonly purpose: PathPurpose;
}

const wantedByAll = new WeakMap<Policy, readonly WantedPath[]>();
const wantedByOne = new WeakMap<Organization, readonly WantedPath[]>();

/** Each pair once; empty where no enabled connector asks for a name under a CA. */
export function wantedInboundPaths(policy: Policy): readonly WantedPath[] {
  const known = wantedByAll.get(policy);
  if (known !== undefined) return known;
  const list = once(policy.organizations.flatMap(wantedPathsOf));
  wantedByAll.set(policy, list);
  return list;
}

/** The same of one organization's connectors. */
export function wantedPathsOf(organization: Organization): readonly WantedPath[] {
  const known = wantedByOne.get(organization);
  if (known !== undefined) return known;
  const connectors = organization.inboundConnectors.filter(
    (connector) => connector.enabled && usesCertificate(connector),
  );
  const list = once(
    connectors.map((connector) => ({
      anchors: connector.anchors,
      purpose: purposeOf(connector),
    })),
  );
  wantedByOne.set(organization, list);
  return list;
}

function once(paths: readonly WantedPath[]): WantedPath[] {
  return [...new Map(paths.map((path) => [keyOf(path), path])).values()];
}

function keyOf({ anchors, purpose }: WantedPath): string {
  return `${purpose} ${anchors}`;
}

/**
 * The evidence as the organization may read it: a session is examined for the connectors of all, and
 * which CAs another trusts is nobody's business. Null is for gateway administrators, who see all.
 */
export function evidenceFor(
  policy: Policy,
  organizationId: string | null,
  evidence: Evidence,
): Evidence {
  const { tls } = evidence;
  if (organizationId === null || policy.organizations.length <= 1) return evidence;
  if (tls === null || tls.paths.length === 0) return evidence;
  const organization = findOrganization(policy, organizationId);
  const wanted = new Set(organization === null ? [] : wantedPathsOf(organization).map(keyOf));
  const paths = tls.paths.filter((path) => wanted.has(keyOf(path)));
  return paths.length === tls.paths.length ? evidence : { ...evidence, tls: { ...tls, paths } };
}

/** OnPremises connectors know their servers by certificate whether or not they demand one. */
function usesCertificate(connector: InboundConnector): boolean {
  const { connectorType, restrictDomainsToCertificate, tlsSenderCertificateNames } = connector;
  if (connectorType === 'Partner') return restrictDomainsToCertificate;
  return tlsSenderCertificateNames.length > 0;
}
