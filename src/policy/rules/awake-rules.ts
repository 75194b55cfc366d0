/**
 * The rules of an organization that act at a time, ready to be found.
 *
 * They change only when a first or last day comes, so they are kept until then.
 */
import type { Organization } from '../policy.ts';
import type { CompiledRule } from './compile-rules.ts';
import { rulesOf } from './compile-rules.ts';
import { RuleIndex } from './rule-index.ts';
import { boundNames } from './rule-record.ts';
import { whyAsleep } from './rule-time.ts';

export interface AwakeRules {
  readonly count: number;
  readonly index: RuleIndex;
  /** By why they do not act; the first ten names of each. */
  readonly skipped: Readonly<Record<string, readonly string[]>>;
}

interface Kept extends AwakeRules {
  readonly fromMs: number;
  readonly untilMs: number;
}

const kept = new WeakMap<Organization, Kept>();

/** One index for each organization: that of the time that was last asked for. */
export function awakeRulesOf(organization: Organization, nowMs: number): AwakeRules {
  const known = kept.get(organization);
  if (known !== undefined && nowMs >= known.fromMs && nowMs < known.untilMs) return known;
  const awake = awakeAt(organization, nowMs);
  kept.set(organization, awake);
  return awake;
}

function awakeAt(organization: Organization, nowMs: number): Kept {
  const rules = awakeListOf(organization, nowMs);
  return {
    count: rules.length,
    index: new RuleIndex(rules),
    skipped: skippedOf(organization, nowMs),
    ...turnsAround(organization, nowMs),
  };
}

/** In their order. */
export function awakeListOf(organization: Organization, nowMs: number): readonly CompiledRule[] {
  return rulesOf(organization).filter(({ rule }) => whyAsleep(rule, nowMs) === null);
}

/** A record says that there are some, not hundreds of names. */
const skippedNamesMax = 10;

function skippedOf({ rules }: Organization, nowMs: number): AwakeRules['skipped'] {
  const names: Record<string, string[]> = {};
  for (const rule of rules) {
    const why = whyAsleep(rule, nowMs);
    if (why !== null) (names[why] ??= []).push(rule.name);
  }
  return Object.fromEntries(
    Object.entries(names).map(([why, all]) => [why, boundNames(all, skippedNamesMax)]),
  );
}

/** The last time before and the first after at which a rule begins or ends to act. */
function turnsAround({ rules }: Organization, nowMs: number): Pick<Kept, 'fromMs' | 'untilMs'> {
  let [fromMs, untilMs] = [-Infinity, Infinity];
  for (const { activationAtMs, expiryAtMs } of rules) {
    for (const turnMs of [activationAtMs, expiryAtMs]) {
      if (turnMs === null) continue;
      if (turnMs <= nowMs) fromMs = Math.max(fromMs, turnMs);
      else untilMs = Math.min(untilMs, turnMs);
    }
  }
  return { fromMs, untilMs };
}
