/** Mail-flow rules that protected mail and no longer do, or do it for other mail. */
import type { MailFlowRule, RuleAction } from './rules/rule.ts';

const protective: ReadonlySet<RuleAction['kind']> = new Set([
  'require-tls',
  'reject',
  'quarantine',
  'delete',
]);

/** Completes "the organization …". */
export function weakenedRules(
  before: readonly MailFlowRule[],
  after: readonly MailFlowRule[],
): string[] {
  const byName = new Map(after.map((rule) => [rule.name, rule]));
  const lost = before.filter(acts).flatMap((rule) => {
    const actions = rule.actions.filter(({ kind }) => protective.has(kind));
    const today = byName.get(rule.name);
    const what = actions.length === 0 ? null : whatIsLost(rule, actions, today);
    return what === null ? [] : [what];
  });
  const known = new Map(before.filter(acts).map((rule) => [rule.name, rule.overrides]));
  const past = after.filter(acts).flatMap(({ name, overrides }) => {
    const added = overrides.filter((each) => known.get(name)?.includes(each) !== true);
    if (added.length === 0) return [];
    return [`lets the rule "${name}" route mail past ${added.join(', ')}`];
  });
  return [...lost, ...past];
}

function whatIsLost(
  rule: MailFlowRule,
  actions: readonly RuleAction[],
  today: MailFlowRule | undefined,
): string | null {
  if (today === undefined) return `no longer has the rule "${rule.name}"`;
  if (!acts(today)) return `no longer acts by the rule "${rule.name}"`;
  const kinds = new Set(today.actions.map(({ kind }) => kind));
  const gone = actions.filter(({ kind }) => !kinds.has(kind)).map(({ kind }) => kind);
  if (gone.length > 0) return `no longer has ${gone.join(', ')} in the rule "${rule.name}"`;
  if (asText(rule) === asText(today)) return null;
  return `acts by the rule "${rule.name}" on other mail`;
}

/** Which mail it is about. */
function asText(rule: MailFlowRule): string {
  const { conditions, exceptions, activationAtMs, expiryAtMs, senderAddressLocation } = rule;
  return JSON.stringify([
    conditions,
    exceptions,
    activationAtMs,
    expiryAtMs,
    senderAddressLocation,
  ]);
}

function acts({ enabled, mode }: MailFlowRule): boolean {
  return enabled && mode === 'Enforce';
}
