/**
 * What one recorded message says of one domain: whether its TLS would have met a validating connector,
 * and what was seen. Judged by the functions that judge mail.
 */
import type { CertificateFacts, Evidence } from '../evidence.ts';
import type { AnchorsName } from '../policy.ts';
import type { PathPurpose, Requirement } from '../tls-requirement.ts';
import { describeDemand } from '../tls-requirement.ts';
import type { TlsRefusal } from '../tls-verdict.ts';
import { judgeTls } from '../tls-verdict.ts';
import { judgeExamined } from '../unexamined.ts';

export type Direction = 'inbound' | 'outbound';

/** Which CAs a path was to lead to, and for what. */
export interface Terms {
  readonly anchors: AnchorsName;
  readonly purpose: PathPurpose;
}

/** One connection. `host`: the server's name, or how the client greeted; `leaf` null: none was shown. */
export interface SeenPeer {
  readonly host: string;
  readonly version: string;
  readonly leaf: CertificateFacts | null;
}

/** `unmet`: it would not have passed. `undecided`: the record does not tell. A sentence without a full stop. */
export interface Problem {
  readonly kind: 'unmet' | 'undecided';
  readonly reason: string;
}

export interface Observation {
  readonly direction: Direction;
  readonly organization: string;
  /** The recipient's, or the sender's. */
  readonly domain: string;
  /** Of the message. */
  readonly id: string;
  readonly atMs: number;
  /** It was delivered, or accepted: counts as a message. */
  readonly isMail: boolean;
  readonly peers: readonly SeenPeer[];
  /** Under which everything that was seen holds; empty where under none, and then `problem` says why. */
  readonly met: readonly Terms[];
  readonly problem: Problem | null;
}

/** Equal for equal terms. */
export function keyOfTerms({ anchors, purpose }: Terms): string {
  return `${purpose} ${anchors}`;
}

/** Null where the evidence meets the requirement at each of the times. */
export function findProblem(
  requirement: Requirement,
  evidence: Evidence,
  times: readonly number[],
): Problem | null {
  for (const nowMs of times) {
    const refusal = judgeExamined(requirement, (part) => refusalOf(part, evidence, nowMs));
    if (refusal === null) continue;
    const kind = refusal.cause === 'not-examined' ? 'undecided' : 'unmet';
    return { kind, reason: seenOf(refusal) };
  }
  return null;
}

function refusalOf(requirement: Requirement, evidence: Evidence, nowMs: number): TlsRefusal | null {
  const verdict = judgeTls(requirement, evidence, nowMs, null);
  return verdict.kind === 'refuse' ? verdict : null;
}

/** What was seen, without what a connector that does not exist requires. */
function seenOf({ reason, unmet }: TlsRefusal): string {
  if (unmet === null) return reason;
  return reason.replace(`connector "${unmet.origin.name}" requires ${describeDemand(unmet)}; `, '');
}

export function peerOf(host: string, { tls }: Evidence): SeenPeer {
  return { host, version: tls?.protocol ?? 'none', leaf: tls?.chain[0] ?? null };
}
