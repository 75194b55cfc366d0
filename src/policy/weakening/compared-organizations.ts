/**
 * Two policies side by side: which organization is to be held against which.
 *
 * An organization against itself, and against whichever has one of its accepted domains now: what
 * binds the mail of a domain may not be lost by moving the domain.
 */
import type { DomainPattern } from '../../mail/domain-pattern.ts';
import { withAncestors } from '../../mail/pattern-index.ts';
import { findDomainOwner, findOrganization } from '../directory.ts';
import type { AcceptedDomain, Organization, Policy } from '../policy.ts';
import type { SampledDomain } from './sampled-domains.ts';
import { labelsOf, pushTo, samplerFor } from './sampled-domains.ts';

/** A domain that takes mail in both; `was` and `is` name the accepted domain that holds it. */
export interface SharedDomain extends SampledDomain {
  readonly was: string;
  readonly is: string;
}

/**
 * `domains` of `was` before and of `is` today; these are the same organization unless they moved.
 * `owners` are of both policies whole.
 */
export interface Compared {
  readonly before: Policy;
  readonly after: Policy;
  readonly was: Organization;
  readonly is: Organization;
  readonly domains: readonly SharedDomain[];
  readonly owners: Owners;
}

/**
 * `moved`: what somebody newly accepts, accepts no longer, or another organization accepts now, by the
 * id of who has it today; null for nobody.
 * `nested`: what others accept below domains that an organization accepts with all below, by its id.
 * `labels`: with which accepted domains begin, of anybody; a sample with one of these may be another's.
 */
export interface Owners {
  readonly moved: ReadonlyMap<string | null, readonly DomainPattern[]>;
  readonly nested: ReadonlyMap<string, readonly DomainPattern[]>;
  readonly labels: ReadonlySet<string>;
}

/** An organization that is in both, with or without domains; then those that took over some. */
export function compareOrganizations(before: Policy, after: Policy): readonly Compared[] {
  const [earlier, today] = [asProven(before), asProven(after)];
  const pairs = new Map<string, Compared & { readonly domains: SharedDomain[] }>();
  const patterns = acceptedIn(earlier, today);
  const moved = new Map<string | null, DomainPattern[]>();
  const nested = nestedIn([earlier, today], patterns);
  const owners = { moved, nested, labels: labelsOf(patterns) };
  const pairOf = (was: Organization, is: Organization): { readonly domains: SharedDomain[] } => {
    const key = `${was.id} ${is.id}`;
    const pair = pairs.get(key) ?? { before: earlier, after: today, was, is, domains: [], owners };
    pairs.set(key, pair);
    return pair;
  };
  for (const was of earlier.organizations) {
    const is = findOrganization(today, was.id);
    if (is !== null) pairOf(was, is);
  }
  for (const { pattern, ...sample } of sampleAccepted(patterns)) {
    const owner = findDomainOwner(earlier, sample.domain);
    const heir = findDomainOwner(today, sample.domain);
    const id = heir?.organization.id ?? null;
    if (id !== (owner?.organization.id ?? null)) pushTo(moved, id, pattern);
    if (owner === null || heir === null) continue;
    const { domains } = pairOf(owner.organization, heir.organization);
    domains.push({ ...sample, was: owner.domain.domain, is: heir.domain.domain });
  }
  return [...pairs.values()];
}

/** What an accepted domain accepts. */
export function patternsOfAccepted({ domain, matchSubDomains }: AcceptedDomain): DomainPattern[] {
  const exact = { kind: 'exact', domain } as const;
  return matchSubDomains ? [exact, { kind: 'wildcard', domain }] : [exact];
}

function acceptedIn(...policies: readonly Policy[]): readonly DomainPattern[] {
  return policies.flatMap(({ organizations }) =>
    organizations.flatMap(({ acceptedDomains }) => acceptedDomains.flatMap(patternsOfAccepted)),
  );
}

function nestedIn(
  policies: readonly Policy[],
  patterns: readonly DomainPattern[],
): ReadonlyMap<string, readonly DomainPattern[]> {
  const nested = new Map<string, DomainPattern[]>();
  for (const pattern of patterns) {
    if (pattern.kind === 'any') continue;
    const [, ...above] = withAncestors(pattern.domain);
    const owners = policies.flatMap((policy) =>
      above.map((name) => findDomainOwner(policy, name)?.organization.id ?? null),
    );
    for (const id of new Set(owners)) if (id !== null) pushTo(nested, id, pattern);
  }
  return nested;
}

function sampleAccepted(
  patterns: readonly DomainPattern[],
): Iterable<SampledDomain & { readonly pattern: DomainPattern }> {
  const sampler = samplerFor(patterns);
  const samples = patterns.map((pattern) => ({ ...sampler(pattern), pattern }));
  return new Map(samples.map((sample) => [sample.domain, sample])).values();
}

/** What is not proven yet will be: by then nobody is asked any more. */
function asProven(policy: Policy): Policy {
  const isProven = policy.organizations.every(({ acceptedDomains }) =>
    acceptedDomains.every((each) => each.isProven),
  );
  if (isProven) return policy;
  const organizations = policy.organizations.map((organization) => ({
    ...organization,
    acceptedDomains: organization.acceptedDomains.map((each) => ({ ...each, isProven: true })),
  }));
  return { ...policy, organizations };
}
