/** Which accepted domains need no look into DNS before their mail is taken; for `to-policy.ts`. */
import { needsProof } from '../policy/domain-proof.ts';
import type { Organization, Policy } from '../policy/policy.ts';

/** What the key may be. */
export const domainVerifications = ['txt', 'off'] as const;
export type DomainVerification = (typeof domainVerifications)[number];

/** As if every domain were proven: for checks of what a file means once they are. */
export function asIfProven(policy: Policy): Policy {
  const organizations = policy.organizations.map((organization) => ({
    ...organization,
    acceptedDomains: organization.acceptedDomains.map((each) => ({ ...each, isProven: true })),
  }));
  return { ...policy, organizations };
}

/** What the file alone tells: `app` adds what was proven. */
export function withoutProof(
  organizations: readonly Organization[],
  verification: DomainVerification,
): readonly Organization[] {
  if (verification === 'off') return organizations;
  return organizations.map((organization) => ({
    ...organization,
    acceptedDomains: organization.acceptedDomains.map((accepted) => ({
      ...accepted,
      isProven: !needsProof(accepted.domain),
    })),
  }));
}
