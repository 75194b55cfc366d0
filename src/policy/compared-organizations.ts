/**
 * Two policies side by side: which organization is to be held against which.
 *
 * An organization against itself, and against whichever has one of its accepted domains now: what
 * binds the mail of a domain may not be lost by moving the domain.
 */
import type { DomainPattern } from '../mail/domain-pattern.ts';
import { findDomainOwner, findOrganization } from './directory.ts';
import type { AcceptedDomain, Organization, Policy } from './policy.ts';
import type { SampledDomain } from './sampled-domains.ts';
import { samplerFor } from './sampled-domains.ts';

/** A domain that takes mail in both; `was` and `is` name the accepted domain that holds it. */
export interface SharedDomain extends SampledDomain {
  readonly was: string;
  readonly is: string;
}

/** `domains` of `was` before and of `is` today; these are the same organization unless they moved. */
export interface Compared {
  readonly before: Policy;
  readonly after: Policy;
  readonly was: Organization;
  readonly is: Organization;
  readonly domains: readonly SharedDomain[];
}

/** An organization that is in both, with or without domains; then those that took over some. */
export function compareOrganizations(before: Policy, after: Policy): readonly Compared[] {
  const [earlier, today] = [asProven(before), asProven(after)];
  const pairs = new Map<string, Compared & { readonly domains: SharedDomain[] }>();
  const pairOf = (was: Organization, is: Organization): { readonly domains: SharedDomain[] } => {
    const key = `${was.id} ${is.id}`;
    const pair = pairs.get(key) ?? { before: earlier, after: today, was, is, domains: [] };
    pairs.set(key, pair);
    return pair;
  };
  for (const was of earlier.organizations) {
    const is = findOrganization(today, was.id);
    if (is !== null) pairOf(was, is);
  }
  for (const sample of sampleAccepted(earlier, today)) {
    const owner = findDomainOwner(earlier, sample.domain);
    const heir = findDomainOwner(today, sample.domain);
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

function sampleAccepted(before: Policy, after: Policy): Iterable<SampledDomain> {
  const patterns = [before, after].flatMap(({ organizations }) =>
    organizations.flatMap(({ acceptedDomains }) => acceptedDomains.flatMap(patternsOfAccepted)),
  );
  const samples = patterns.map(samplerFor(patterns));
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
