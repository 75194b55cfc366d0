/** Whether a session's handshake is too old for the policy of now. */
import type { Evidence } from '../policy/evidence.ts';
import { wantedInboundPaths } from '../policy/inbound-paths.ts';
import type { Policy } from '../policy/policy.ts';

/**
 * True where the client showed a certificate and a connector made since the handshake wants a path
 * that was not examined then. Such a session would be refused for a reason that is not the client's.
 */
export function lacksPaths(evidence: Evidence, policy: Policy): boolean {
  const { tls } = evidence;
  if (tls === null || tls.chain.length === 0) return false;
  return wantedInboundPaths(policy).some(
    (wanted) =>
      !tls.paths.some((path) => path.anchors === wanted.anchors && path.purpose === wanted.purpose),
  );
}
