/** Demands that another policy no longer makes, in words. */
import { findWeakened } from '../floor.ts';
import type { Clause, Requirement } from '../tls-requirement.ts';
import { describeDemand } from '../tls-requirement.ts';

/** `no longer requires …`; empty where nothing is lost. */
export function describeLost(before: readonly Clause[], after: Requirement): string[] {
  return describeDropped(findWeakened(before, after));
}

/** The same of demands that are known to be lost. */
export function describeDropped(lost: readonly Clause[]): string[] {
  const demands = lost.filter(({ kind }) => kind !== 'unsatisfiable').map(describeDemand);
  return [
    ...(demands.length === 0 ? [] : [`no longer requires ${[...new Set(demands)].join(', ')}`]),
    ...(demands.length === lost.length
      ? []
      : ['no longer holds mail back until its policy is mended']),
  ];
}
