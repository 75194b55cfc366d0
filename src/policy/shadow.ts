/**
 * What connectors in the modes `warn` and `observe` would have said of a connection: kept for the
 * readiness of a partner, and without any power over mail.
 */
import type { ShadowDemand } from './decision.ts';
import type { Evidence } from './evidence.ts';
import type { Requirement } from './tls-requirement.ts';
import { describeDemand } from './tls-requirement.ts';
import { isExaminedAlone, judgeWatched } from './tls-verdict.ts';
import { judgeExamined } from './unexamined.ts';

/**
 * `isMet` null where nothing tells: the connection was opened for other mail, and not examined for the
 * connector's anchors. `reason`: what held, or the verdict's words.
 */
export interface ShadowOutcome {
  readonly connector: string;
  readonly mode: 'warn' | 'observe';
  readonly isMet: boolean | null;
  readonly reason: string;
}

export function judgeShadow(
  demands: readonly ShadowDemand[],
  evidence: Evidence,
  nowMs: number,
): readonly ShadowOutcome[] {
  return demands.map(({ connector, mode, requirement }) => {
    const refusal = judgeExamined(requirement, (part) => judgeWatched(part, evidence, nowMs));
    if (refusal === null) {
      return { connector, mode, isMet: true, reason: describeMet(requirement, evidence) };
    }
    const isMet = refusal.cause === 'not-examined' ? null : false;
    return { connector, mode, isMet, reason: refusal.reason };
  });
}

/** Says what the connector would still have to pass where it enforces: OpenSSL's word. */
function describeMet({ clauses }: Requirement, evidence: Evidence): string {
  const met = clauses.map(describeDemand).join('; ');
  const isAlone = clauses.some(
    (clause) => clause.kind === 'trust-anchors' && isExaminedAlone(clause.anchors, evidence),
  );
  if (!isAlone) return met;
  const asked = evidence.tls?.openssl?.anchors ?? 'none';
  return `${met}; by our own examination alone; OpenSSL was asked about ${asked}`;
}
