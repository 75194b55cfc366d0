/** Which accepted domains of a configuration have to be proven, and which of those are not yet. */
import { needsProof } from '../../policy/domain-proof.ts';
import type { AcceptedDomain } from '../../policy/policy.ts';
import type { Configuration } from '../configuration.ts';

/** A domain as an organization claims it. */
export interface Claim {
  readonly organization: string;
  readonly accepted: AcceptedDomain;
  /** False where the file says that nobody has to prove anything, or nobody could. */
  readonly needsProof: boolean;
}

/** In the order of the file. */
export function claimsOf({
  config,
  policy,
}: Pick<Configuration, 'config' | 'policy'>): readonly Claim[] {
  const isAsked = config.domainVerification === 'txt';
  return policy.organizations.flatMap(({ id, acceptedDomains }) =>
    acceptedDomains.map((accepted) => ({
      organization: id,
      accepted,
      needsProof: isAsked && needsProof(accepted.domain),
    })),
  );
}

/** Mail for these is put off. */
export function unprovenOf(
  configuration: Pick<Configuration, 'config' | 'policy'>,
): readonly Claim[] {
  return claimsOf(configuration).filter(({ accepted }) => !accepted.isProven);
}

/** The claim as text, for maps. */
export function keyOf({ organization, accepted }: Claim): string {
  return `${organization}\n${accepted.domain}`;
}
