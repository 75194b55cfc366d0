/**
 * Mail that rules may route otherwise than before: for each rule that routes, from what to what.
 *
 * Of several rules that meet a message the last one routes it. Nobody knows which rules meet the same
 * mail, so that any rule before a changed one may have routed that mail, or may now.
 */
import type { PlacedRule } from './placed-rules.ts';
import { letsNothingPass, meetsAsMuch, newEnds, placeRules } from './placed-rules.ts';
import type { MailFlowRule } from '../rules/rule.ts';
import type { Ruling } from '../rules/ruling.ts';

/** Null where no rule routes it. `rule` is the one that changed. */
export interface Rerouted {
  readonly rule: string;
  readonly was: Ruling | null;
  readonly is: Ruling | null;
}

type Placed = ReadonlyMap<string, PlacedRule>;

export function reroutedMail(
  before: readonly MailFlowRule[],
  after: readonly MailFlowRule[],
): readonly Rerouted[] {
  const [earlier, today] = [placeRules(before), placeRules(after)];
  return [
    ...routing(earlier).flatMap((was) => leaving(was, today)),
    ...routing(today).flatMap((is) => arriving(is, earlier)),
  ];
}

function routing(placed: Placed): readonly PlacedRule[] {
  return [...placed.values()].filter(({ route }) => route !== null);
}

/** What becomes of the mail that the rule routed. */
function leaving(was: PlacedRule, placed: Placed): readonly Rerouted[] {
  const { name } = was.rule;
  const today = placed.get(name) ?? null;
  const to = (ruling: Ruling | null): Rerouted => ({ rule: name, was: was.route, is: ruling });
  if (today === null || today.route === null) {
    return [null, ...routesOf(was.routes, placed)].map(to);
  }
  const isLeft = !meetsAsMuch(today.rule, was.rule);
  const left = isLeft ? [null, ...routesOf(today.routes, placed)] : [];
  const ended = newEnds(today, was)
    .filter(({ rule }) => !letsNothingPass(rule))
    .flatMap((end) => (end.route === null ? [null, ...routesOf(end.routes, placed)] : [end.route]));
  return [today.route, ...left, ...ended].map(to);
}

/** What became of the mail that the rule newly routes. */
function arriving(is: PlacedRule, placed: Placed): readonly Rerouted[] {
  const { name } = is.rule;
  const was = placed.get(name) ?? null;
  const from = (ruling: Ruling | null): Rerouted => ({ rule: name, was: ruling, is: is.route });
  const isNew =
    was === null ||
    was.route === null ||
    !meetsAsMuch(was.rule, is.rule) ||
    newEnds(was, is).length > 0;
  if (isNew) return [null, ...routesOf(is.routes, placed)].map(from);
  const known = new Set(was.routes.map(({ rule }) => rule.name));
  return routesOf(
    is.routes.filter(({ rule }) => !known.has(rule.name)),
    placed,
  ).map(from);
}

/** Each different one once, as the rules of these names route in the other list. */
function routesOf(places: readonly PlacedRule[], placed: Placed): readonly Ruling[] {
  const routes = places.flatMap(({ rule }) => placed.get(rule.name)?.route ?? []);
  return [...new Map(routes.map((route) => [textOfRoute(route), route])).values()];
}

/** Equal for routes that lead the same way. */
export function textOfRoute(route: Ruling | null): string {
  return route === null ? '' : [route.connector, ...[...route.overrides].sort()].join('\n');
}
