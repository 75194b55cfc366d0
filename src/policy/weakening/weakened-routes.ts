/**
 * Mail to the outside for which less is demanded than before, by the domain of its recipient and by
 * the rules that route it.
 */
import type { Compared } from './compared-organizations.ts';
import type { ComparisonBudget } from './comparison-budget.ts';
import { requirementOfOutbound } from '../connector-clauses.ts';
import { outboundIndexOf } from '../connector-index.ts';
import { findWeakened } from '../floor.ts';
import type { Organization, OutboundConnector } from '../policy.ts';
import type { Rerouted } from './rerouted.ts';
import { reroutedMail, textOfRoute } from './rerouted.ts';
import type { Ruling } from '../rules/ruling.ts';
import { pushTo } from './sampled-domains.ts';
import { someOf } from '../some-of.ts';
import type { SampledRecipient } from './sampled-recipients.ts';
import { isSameWay, sampleRecipients } from './sampled-recipients.ts';
import { touchedDomains } from './touched-domains.ts';
import type { Clause } from '../tls-requirement.ts';
import type { Decided } from './weakened-ways.ts';
import { decide, kindOfWay, lostOnWay, mayBeClear, sourcesOf, stepsOf } from './weakened-ways.ts';

/** Completes "the organization …". */
export function weakenedRoutes(compared: Compared, budget: ComparisonBudget): string[] {
  if (isSameWay(compared)) return [];
  const found = new Map<string, string[]>();
  const demanded = new Map<string, SampledRecipient[]>();
  const kinds = new Map<string, SampledRecipient>();
  let isAnyClear = false;
  const rerouted = reroutedMail(compared.was.rules, compared.is.rules);
  // What rules route is judged by all other ways.
  const isTouched = rerouted.length > 0 ? () => true : touchedDomains(compared);
  const recipients = sampleRecipients(compared).filter(({ domain }) => isTouched(domain));
  for (const isFromOnPremises of sourcesOf(compared)) {
    const from = isFromOnPremises ? 'from its own servers ' : '';
    const plain = { ruling: null, isFromOnPremises };
    const ways = { was: plain, is: plain };
    for (const recipient of recipients) {
      const decided = decide(compared, recipient, ways);
      if (!budget.take(stepsOf(decided))) break;
      const lost = lostOnWay(compared, decided, ways);
      if (lost !== null) pushTo(found, `${from}${lost}`, recipient.shown);
      if (rerouted.length === 0) continue;
      for (const name of demandingIn(decided)) pushTo(demanded, name, recipient);
      isAnyClear ||= mayBeClear(decided.today);
      // What takes all mail hides whose demands a rule leads past: mail of own servers shows them.
      const kind = `${from}${kindOfWay(decided, recipient.owner)}`;
      if (!kinds.has(kind)) kinds.set(kind, recipient);
    }
  }
  const byDomain = [...found].map(([what, to]) => `sends mail to ${someOf(to)} ${what}`);
  const rules = new RuleComparison(
    compared,
    { kinds: [...kinds.values()], demanded, isAnyClear },
    budget,
  );
  return [...byDomain, ...rules.losses(rerouted)];
}

/** Names of what demands something. */
function demandingIn({ earlier, today }: Decided): ReadonlySet<string> {
  const clauses = [earlier, today].flatMap(({ requirement }) => requirement.clauses);
  return new Set(clauses.map(({ origin }) => origin.name));
}

/** `kinds`: one recipient of each; `demanded`: of whose mail each connector demands something. */
interface Recipients {
  readonly kinds: readonly SampledRecipient[];
  readonly demanded: ReadonlyMap<string, readonly SampledRecipient[]>;
  readonly isAnyClear: boolean;
}

class RuleComparison {
  readonly #budget: ComparisonBudget;
  readonly #compared: Compared;
  readonly #recipients: Recipients;
  /** What is lost, by the routes before and today. */
  readonly #known = new Map<string, string | null>();

  constructor(compared: Compared, recipients: Recipients, budget: ComparisonBudget) {
    this.#budget = budget;
    this.#compared = compared;
    this.#recipients = recipients;
  }

  /** Of each rule the first that is found. */
  losses(rerouted: readonly Rerouted[]): string[] {
    const told = new Map<string, string>();
    for (const change of rerouted) {
      if (this.#budget.isSpent) break;
      if (told.has(change.rule)) continue;
      const lost = this.#lostBy(change);
      if (lost !== null)
        told.set(change.rule, `by the rule "${change.rule}" sends mail to ${lost}`);
    }
    return [...told.values()];
  }

  #lostBy(change: Rerouted): string | null {
    const key = `${textOfRoute(change.was)}\n\n${textOfRoute(change.is)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const { kinds, demanded, isAnyClear } = this.#recipients;
    const overridden = (change.is?.overrides ?? []).flatMap((name) => demanded.get(name) ?? []);
    const concerned = mayLose(this.#compared, change, isAnyClear)
      ? [...kinds, ...overridden]
      : overridden;
    const lost = this.#firstLost(change, concerned);
    this.#known.set(key, lost);
    return lost;
  }

  #firstLost(change: Rerouted, recipients: readonly SampledRecipient[]): string | null {
    for (const isFromOnPremises of sourcesOf(this.#compared)) {
      const ways = {
        was: { ruling: change.was, isFromOnPremises },
        is: { ruling: change.is, isFromOnPremises },
      };
      for (const recipient of recipients) {
        const decided = decide(this.#compared, recipient, ways);
        if (!this.#budget.take(stepsOf(decided))) return null;
        const lost = lostOnWay(this.#compared, decided, ways);
        if (lost !== null) return `${recipient.shown} ${lost}`;
      }
    }
    return null;
  }
}

/**
 * Whether the route itself demands less, or lets mail go in clear. Where not, a rule takes from mail
 * only what its domain's connectors demand that it overrides. `isAnyClear`: some mail may go in clear
 * where no rule routes it.
 */
function mayLose({ was, is }: Compared, change: Rerouted, isAnyClear: boolean): boolean {
  const [earlier, today] = [namedBy(was, change.was), namedBy(is, change.is)];
  if (change.is !== null && today === null) return false;
  if (change.was !== null && earlier === null) return true;
  if (today?.clearTextAfterFailedTls ?? isAnyClear) return true;
  const [central] = outboundIndexOf(was).ofEverything;
  const demands = clausesOf(change.was === null ? (central ?? null) : earlier);
  return findWeakened(demands, { clauses: clausesOf(today) }).length > 0;
}

/** Null where the route names none that is on. */
function namedBy(organization: Organization, route: Ruling | null): OutboundConnector | null {
  const name = route?.connector ?? null;
  const named = name === null ? undefined : outboundIndexOf(organization).byName.get(name);
  return named?.enabled === true ? named : null;
}

function clausesOf(connector: OutboundConnector | null): readonly Clause[] {
  if (connector === null || connector.mode !== 'enforce') return [];
  return requirementOfOutbound(connector, 'recipient.test').clauses;
}
