/**
 * Certificate policies: a path that requires an explicit policy of itself fails.
 *
 * Nobody configures policies here, so none can be met: OpenSSL says the same (`-policy_check`
 * without `-policy`). What is left is to know whether one is required by the end of the path.
 * @see RFC 5280 §6.1.4 (h), (i), §6.1.5 (a), (b)
 */
import type { ParsedCertificate } from './parsed-certificate.ts';

/** Why the path breaks its own policy demands; null where it does not. `path` is leaf first. */
export function policyViolation(path: readonly ParsedCertificate[]): string | null {
  const certificates = path.slice(0, -1).toReversed();
  let explicit = certificates.length + 1;
  for (const [index, certificate] of certificates.entries()) {
    const isLeaf = index === certificates.length - 1;
    const { requireExplicitPolicy } = certificate.extensions;
    if (isLeaf || !certificate.isSelfIssued) explicit = Math.max(0, explicit - 1);
    // In the leaf only 0 has a meaning: nothing follows for larger counts to act on.
    const acts = requireExplicitPolicy !== null && (!isLeaf || requireExplicitPolicy === 0);
    if (acts) explicit = Math.min(explicit, requireExplicitPolicy);
  }
  return explicit === 0 ? 'an explicit certificate policy is required' : null;
}
