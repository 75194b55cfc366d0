/**
 * What connectors in the modes `warn` and `observe` would have said of a connection: kept for the
 * readiness of a partner, and without any power over mail.
 */
import type { ShadowDemand } from './decision.ts';
import type { Evidence } from './evidence.ts';
import { judgeTls } from './tls-verdict.ts';

/** `reason`: what held, or the verdict's words. */
export interface ShadowOutcome {
  readonly connector: string;
  readonly mode: 'warn' | 'observe';
  readonly isMet: boolean;
  readonly reason: string;
}

export function judgeShadow(
  demands: readonly ShadowDemand[],
  evidence: Evidence,
  nowMs: number,
): readonly ShadowOutcome[] {
  return demands.map(({ connector, mode, requirement }) => {
    // Only the words are used: the permit that a verdict may bring sends nothing.
    const verdict = judgeTls(requirement, evidence, nowMs, null);
    const isMet = verdict.kind === 'proceed';
    return { connector, mode, isMet, reason: isMet ? verdict.met.join('; ') : verdict.reason };
  });
}
