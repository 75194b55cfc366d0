/** What a policy asks less than another, in words. */
import type { Organization, Policy } from '../../src/policy/policy.ts';
import { describeWeakening, findWeakenings } from '../../src/policy/weakening/weakening.ts';
import { organization, policy } from './policy.ts';

/** Of one organization, of which these parts are not as usual. */
export function weaker(before: Partial<Organization>, after: Partial<Organization>): string[] {
  return findWeakenings(policy(before), policy(after)).map(describeWeakening);
}

/** Of several; each part has an id. */
export function weakerAll(
  before: readonly Partial<Organization>[],
  after: readonly Partial<Organization>[],
): string[] {
  const of = (parts: readonly Partial<Organization>[]): Policy => ({
    ...policy(),
    organizations: parts.map(organization),
  });
  return findWeakenings(of(before), of(after)).map(describeWeakening);
}
