/**
 * Which certificate paths an inbound handshake must examine so that every connector can be judged, and
 * which of them an organization may read afterwards.
 */
import { purposeOf } from './connector-clauses.ts';
import { findOrganization } from './directory.ts';
import type { Evidence } from './evidence.ts';
import type { AnchorsName, InboundConnector, Organization, Policy } from './policy.ts';
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
  const pairs = new Map(policy.organizations.flatMap((each) => [...pathsOf(each)]));
  const list = [...pairs.values()];
  wanted.set(policy, list);
  return list;
}

const own = new WeakMap<Organization, ReadonlyMap<string, WantedPath>>();

/** Those of one organization, by purpose and anchors. */
function pathsOf(organization: Organization): ReadonlyMap<string, WantedPath> {
  const known = own.get(organization);
  if (known !== undefined) return known;
  const pairs = new Map<string, WantedPath>();
  for (const connector of organization.inboundConnectors) {
    if (!connector.enabled || !usesCertificate(connector)) continue;
    const path = { anchors: connector.anchors, purpose: purposeOf(connector) };
    pairs.set(keyOf(path), path);
  }
  own.set(organization, pairs);
  return pairs;
}

function keyOf({ anchors, purpose }: WantedPath): string {
  return `${purpose} ${anchors}`;
}

const readable = new WeakMap<Evidence, Map<Organization, Evidence>>();

/**
 * The evidence of a session as one organization may keep it: without the paths that were examined for
 * others, since whom they trust is their own. The same value for the same session. Null is for who runs
 * the gateway.
 */
export function evidenceFor(
  policy: Policy,
  organizationId: string | null,
  evidence: Evidence,
): Evidence {
  if (organizationId === null) return evidence;
  const organization = findOrganization(policy, organizationId);
  const { tls } = evidence;
  if (organization === null || tls === null || policy.organizations.length < 2) return evidence;
  const known = readable.get(evidence) ?? new Map<Organization, Evidence>();
  readable.set(evidence, known);
  const made = known.get(organization);
  if (made !== undefined) return made;
  const mine = pathsOf(organization);
  const paths = tls.paths.filter((path) => mine.has(keyOf(path)));
  const result =
    paths.length === tls.paths.length ? evidence : { ...evidence, tls: { ...tls, paths } };
  known.set(organization, result);
  return result;
}

/** OnPremises connectors know their servers by certificate whether or not they demand one. */
function usesCertificate(connector: InboundConnector): boolean {
  const { connectorType, restrictDomainsToCertificate, tlsSenderCertificateNames } = connector;
  if (connectorType === 'Partner') return restrictDomainsToCertificate;
  return tlsSenderCertificateNames.length > 0;
}
