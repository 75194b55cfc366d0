/**
 * Whether a recorded session tells all that a decision about it rests on: certificates are examined
 * for the anchors of the policy of the time, and asked for only where that policy could use them.
 */
import { certificateRequirementOf, requirementOfInbound } from './connector-clauses.ts';
import { ownServerIndexOf } from './connector-index.ts';
import { findOrganization } from './directory.ts';
import type { InboundDecision, InboundSession } from './inbound-session.ts';
import type { InboundConnector, Organization, Policy } from './policy.ts';
import type { Undecidable, Undecided } from './replayed.ts';
import type { Requirement } from './tls-requirement.ts';
import { judgeTls } from './tls-verdict.ts';

/** Null where the decision stands on what was seen. */
export function whatIsUnexamined(
  policy: Policy,
  session: InboundSession,
  decision: InboundDecision,
  nowMs: number,
): Undecided | null {
  if (session.account !== null) return null;
  return (
    findAmongOwnServers(policy, session, decision, nowMs) ??
    (decision.kind === 'refuse' ? findAmongJudged(policy, session, decision, nowMs) : null)
  );
}

/** An own server that the certificate may be meant by would change whose the session is. */
function findAmongOwnServers(
  policy: Policy,
  session: InboundSession,
  decision: InboundDecision,
  nowMs: number,
): Undecided | null {
  const { tls } = session.evidence;
  const index = ownServerIndexOf(policy);
  if (tls === null || index.isEmpty || session.listener !== 'mx') return null;
  const leaf = tls.chain[0];
  if (leaf === undefined) {
    const isRelay = decision.kind === 'refuse' && decision.reply.status?.subject === 7;
    const isUnasked = tls.isCertificateRequested === false && decision.kind === 'refuse';
    return isUnasked && isRelay ? { why: 'not-requested', detail: '' } : null;
  }
  for (const { connector } of index.byCertificate(leaf)) {
    const why = whyUnknown(certificateRequirementOf(connector), session, nowMs);
    if (why !== null) return { why, detail: `connector "${connector.name}"` };
  }
  return null;
}

/** The connectors that restricted the session, any of which might have been met after all. */
function findAmongJudged(
  policy: Policy,
  session: InboundSession,
  decision: InboundDecision & { readonly kind: 'refuse' },
  nowMs: number,
): Undecided | null {
  const organization =
    decision.organization === null ? null : findOrganization(policy, decision.organization);
  if (organization === null || decision.connector === null) return null;
  const from = session.evidence.fromOrganization ?? null;
  const judged = decision.considered.filter(({ result }) => result === 'chosen');
  for (const name of new Set([decision.connector, ...judged.map((each) => each.connector)])) {
    const connector = connectorsOf(organization).get(name);
    if (connector === undefined) continue;
    const why = whyUnknown(requirementOfInbound(connector, from), session, nowMs);
    if (why !== null) return { why, detail: `connector "${name}"` };
  }
  return null;
}

function whyUnknown(
  requirement: Requirement,
  { evidence }: InboundSession,
  nowMs: number,
): Undecidable | null {
  const verdict = judgeTls(requirement, evidence, nowMs, null);
  if (verdict.kind === 'proceed') return null;
  if (verdict.cause === 'not-examined') return 'not-examined';
  const isUnasked = evidence.tls?.isCertificateRequested === false;
  return isUnasked && verdict.problem === 'NoCertificate' ? 'not-requested' : null;
}

const byOrganization = new WeakMap<Organization, ReadonlyMap<string, InboundConnector>>();

function connectorsOf(organization: Organization): ReadonlyMap<string, InboundConnector> {
  const known = byOrganization.get(organization);
  if (known !== undefined) return known;
  const built = new Map(organization.inboundConnectors.map((each) => [each.name, each]));
  byOrganization.set(organization, built);
  return built;
}
