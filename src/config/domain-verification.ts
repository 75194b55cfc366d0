/** Which accepted domains need no look into DNS before their mail is taken; for `to-policy.ts`. */
import { needsProof } from '../policy/domain-proof.ts';
import type { Organization } from '../policy/policy.ts';

/** What the key may be. */
export const domainVerifications = ['txt', 'off'] as const;
export type DomainVerification = (typeof domainVerifications)[number];

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
