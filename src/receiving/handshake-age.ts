/** Whether a session's handshake is too old for the policy and the trust anchors of now. */
import type { Evidence } from '../policy/evidence.ts';
import { wantedInboundPaths } from '../policy/inbound-paths.ts';
import type { Policy } from '../policy/policy.ts';
import type { AnchorRegistry } from '../tls/anchors.ts';

/** The sets of anchors that the client's certificate was examined with, and those of now. */
export interface OldAndCurrentAnchors {
  readonly old: AnchorRegistry;
  readonly current: AnchorRegistry;
}

/**
 * True where the client showed a certificate, and a connector wants a path that was not examined at
 * the handshake or that was examined with anchors which changed since. Such a session would be refused
 * for a reason that is not the client's, or let in by a CA that is trusted no more.
 */
export function isHandshakeOld(
  evidence: Evidence,
  policy: Policy,
  { old, current }: OldAndCurrentAnchors,
): boolean {
  const { tls } = evidence;
  if (tls === null || tls.chain.length === 0) return false;
  return wantedInboundPaths(policy).some(
    ({ anchors, purpose }) =>
      !tls.paths.some((path) => path.anchors === anchors && path.purpose === purpose) ||
      old.get(anchors) !== current.get(anchors),
  );
}
