/**
 * When opportunistic mail may leave in clear although STARTTLS is offered: an explicit setting, never
 * where any clause or floor exists, after two attempts that failed in TLS at least 15 minutes apart.
 */
import type { OutboundDecision } from './decision.ts';
import type { Clause, Requirement } from './tls-requirement.ts';
import { isForced } from './tls-requirement.ts';

/** Given to `judgeTls` for a new connection on which an offered STARTTLS is left unused. */
export interface ClearTextAllowance {
  readonly kind: 'clear-text-after-failed-tls';
  readonly failedAttempts: number;
}

/** How far apart the two failed attempts must at least be. */
export const failedTlsApartMs = 15 * 60_000;

export function mayGoClear(
  decision: OutboundDecision,
  requirement: Requirement,
  floor: readonly Clause[],
  failedTlsAtMs: readonly number[],
): ClearTextAllowance | null {
  if (!decision.clearTextAfterFailedTls || isForced(requirement) || floor.length > 0) return null;
  const first = failedTlsAtMs[0];
  const last = failedTlsAtMs.at(-1);
  if (first === undefined || last === undefined || last - first < failedTlsApartMs) return null;
  return { kind: 'clear-text-after-failed-tls', failedAttempts: failedTlsAtMs.length };
}
