/**
 * Mail-flow rules in their order, as far as that decides: what each does to the way of mail, what it
 * is about, and which rules before it may have had the mail already.
 */
import type { MailFlowRule } from '../rules/rule.ts';
import type { Ruling } from '../rules/ruling.ts';

/** `route` null where it routes nothing. Of the rules before it: `routes`, and those that end the rules. */
export interface PlacedRule {
  readonly rule: MailFlowRule;
  readonly route: Ruling | null;
  readonly routes: readonly PlacedRule[];
  readonly ends: readonly PlacedRule[];
}

/** By name; only rules that act. */
export function placeRules(rules: readonly MailFlowRule[]): ReadonlyMap<string, PlacedRule> {
  const placed = new Map<string, PlacedRule>();
  let [routes, ends]: [readonly PlacedRule[], readonly PlacedRule[]] = [[], []];
  for (const rule of rules.filter(acts)) {
    const place = { rule, route: routeOf(rule), routes, ends };
    placed.set(rule.name, place);
    if (place.route !== null) routes = [...routes, place];
    if (rule.stopRuleProcessing) ends = [...ends, place];
  }
  return placed;
}

function acts({ enabled, mode }: MailFlowRule): boolean {
  return enabled && mode === 'Enforce';
}

/** The last of its routes counts. */
function routeOf({ name, actions, overrides }: MailFlowRule): Ruling | null {
  const action = actions.findLast(({ kind }) => kind === 'route-to-connector');
  if (action?.kind !== 'route-to-connector') return null;
  return { connector: action.connector, rule: name, overrides, clauses: [] };
}

/** Whether today's rule surely meets all mail that the earlier one met. */
export function meetsAsMuch(today: MailFlowRule, earlier: MailFlowRule): boolean {
  return (
    timeAndPlaceOf(today) === timeAndPlaceOf(earlier) &&
    isPart(today.conditions, earlier.conditions) &&
    isPart(today.exceptions, earlier.exceptions)
  );
}

function timeAndPlaceOf(rule: MailFlowRule): string {
  return JSON.stringify([rule.activationAtMs, rule.expiryAtMs, rule.senderAddressLocation]);
}

/** Fewer conditions are met by more mail, and so are fewer exceptions. */
function isPart(part: readonly unknown[], whole: readonly unknown[]): boolean {
  const texts = new Set(whole.map((each) => JSON.stringify(each)));
  return part.every((each) => texts.has(JSON.stringify(each)));
}

/** The rules that end the rules before `place`, and did not before `other`, or for less mail. */
export function newEnds(place: PlacedRule, other: PlacedRule): readonly PlacedRule[] {
  const known = new Map(other.ends.map(({ rule }) => [rule.name, rule]));
  return place.ends.filter(({ rule }) => {
    const before = known.get(rule.name);
    return before === undefined || !meetsAsMuch(before, rule);
  });
}

/** Of mail that is refused or deleted nothing goes any way. */
export function letsNothingPass({ actions }: MailFlowRule): boolean {
  return actions.some(({ kind }) => kind === 'reject' || kind === 'delete');
}
