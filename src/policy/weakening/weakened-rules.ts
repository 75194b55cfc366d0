/**
 * Mail-flow rules that protected mail and no longer do, or do it for other mail. Where rules route to
 * is looked at apart, in `weakened-routes.ts`.
 */
import type { PlacedRule } from './placed-rules.ts';
import { letsNothingPass, meetsAsMuch, newEnds, placeRules } from './placed-rules.ts';
import type { MailFlowRule, RuleAction } from '../rules/rule.ts';

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
  const placed = placeRules(after);
  return [...placeRules(before).values()].flatMap((place) => {
    const kinds = protectionOf(place.rule);
    if (kinds.length === 0) return [];
    const today = placed.get(place.rule.name) ?? null;
    if (today !== null) return whatIsLost({ place, kinds }, today);
    const isThere = byName.has(place.rule.name);
    return [`no longer ${isThere ? 'acts by' : 'has'} the rule "${place.rule.name}"`];
  });
}

function protectionOf({ actions }: MailFlowRule): readonly RuleAction['kind'][] {
  return actions.map(({ kind }) => kind).filter((kind) => protective.has(kind));
}

function whatIsLost(
  { place, kinds }: { readonly place: PlacedRule; readonly kinds: readonly RuleAction['kind'][] },
  today: PlacedRule,
): string[] {
  const { name } = place.rule;
  const gone = withoutKindsOf(kinds, today.rule);
  if (gone.length > 0) return [`no longer has ${gone.join(', ')} in the rule "${name}"`];
  const lost: string[] = [];
  if (!meetsAsMuch(today.rule, place.rule)) lost.push(`acts by the rule "${name}" on other mail`);
  const ends = newEnds(today, place)
    .map(({ rule }) => rule)
    .filter((rule) => !letsNothingPass(rule) && withoutKindsOf(kinds, rule).length > 0);
  if (ends.length > 0) {
    const by = ends.map((rule) => `"${rule.name}"`).join(', ');
    lost.push(`ends the rules before "${name}" by ${by}`);
  }
  return lost;
}

function withoutKindsOf(
  kinds: readonly RuleAction['kind'][],
  { actions }: MailFlowRule,
): readonly RuleAction['kind'][] {
  return kinds.filter((kind) => !actions.some((action) => action.kind === kind));
}
