/** From a decision and a planned host to what is dialled, and what the handshake there is asked for. */
import type { OutboundDecision } from '../policy/decision.ts';
import { offeredGroupsOf } from '../policy/post-quantum.ts';
import type { Requirement } from '../policy/tls-requirement.ts';
import type { WantedPath } from '../tls/handshake.ts';
import type { Target } from './connect.ts';
import type { PlannedHost } from './planned-host.ts';

/** What a target is made of; `smallClientHello` where this address was deaf to a large one. */
export interface TargetParts {
  readonly decision: OutboundDecision;
  readonly requirement: Requirement;
  readonly host: PlannedHost;
  readonly address: string;
  readonly smallClientHello: boolean;
}

export function targetOf(parts: TargetParts): Target {
  const { decision, requirement, host, address, smallClientHello } = parts;
  const { destination } = decision;
  const { hostName, port, sni } = host;
  return {
    organization: decision.organization,
    protocol: destination.kind === 'hand-over' ? destination.target.protocol : 'smtp',
    hostName,
    address,
    port,
    sni,
    mode: port === 465 ? 'implicit' : 'starttls',
    anchors: decision.anchors,
    wantedPaths: wantedPathsOf(requirement, decision),
    clientCertificate: decision.clientCertificate,
    goesClear: false,
    smallClientHello,
    postQuantum: offeredGroupsOf(decision, requirement),
  };
}

/**
 * What is enforced first. What only watches is examined besides; OpenSSL is asked about `anchors` alone,
 * and a verdict that sends needs its word.
 */
function wantedPathsOf(
  requirement: Requirement,
  { anchors, shadow }: OutboundDecision,
): Target['wantedPaths'] {
  const enforced = pathsOf(requirement);
  const watched = shadow.flatMap((demand) => pathsOf(demand.requirement));
  const wanted = [...enforced, ...watched];
  // Also where nothing asks for it: the evidence tells whether a stricter connector would hold.
  return enforced.length > 0 ? wanted : [{ anchors, purpose: 'serverAuth' }, ...watched];
}

function pathsOf({ clauses }: Requirement): WantedPath[] {
  return clauses.flatMap((clause) =>
    clause.kind === 'trust-anchors' ? [{ anchors: clause.anchors, purpose: clause.purpose }] : [],
  );
}
