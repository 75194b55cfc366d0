/**
 * A verdict that tells what was not met from what was not examined: a connection says nothing of anchors
 * that it was not opened for.
 */
import type { Requirement } from './tls-requirement.ts';
import type { TlsRefusal } from './tls-verdict.ts';

/**
 * A clause for which nothing was examined hides no other one that is not met: `not-examined` comes back
 * only where all others are met.
 */
export function judgeExamined(
  { clauses }: Requirement,
  judge: (requirement: Requirement) => TlsRefusal | null,
): TlsRefusal | null {
  let left = clauses;
  let unexamined: TlsRefusal | null = null;
  for (;;) {
    const refusal = judge({ clauses: left });
    if (refusal === null) return unexamined;
    const { cause, unmet } = refusal;
    if (cause !== 'not-examined' || unmet === null) return refusal;
    unexamined ??= refusal;
    left = left.filter((clause) => clause !== unmet);
  }
}
