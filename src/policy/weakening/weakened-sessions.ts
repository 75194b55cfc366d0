/**
 * Mail of which an organization's Partner connectors asked more before they were changed: since none
 * concerns it any more, or since another, weaker one is enough now.
 *
 * Of connectors with an equal scope one is enough, and each scope must be met. So a scope is kept where
 * there is one today each of whose connectors asks as much as one of its own did.
 */
import type { Compared } from './compared-organizations.ts';
import type { ComparisonBudget } from './comparison-budget.ts';
import { isDomainOf } from '../directory.ts';
import { guardsOf, provesSource, whyOutside } from '../partner-verdict.ts';
import type { InboundConnector } from '../policy.ts';
import { someOf } from '../some-of.ts';
import type { SampledSession } from './sampled-sessions.ts';
import { sampleSessions } from './sampled-sessions.ts';
import type { ConnectorLoss } from './weakened-inbound.ts';
import { inboundLosses } from './weakened-inbound.ts';

/** What completes a loss before and after the mail that it is about. */
interface Loss {
  readonly connector: string | null;
  readonly before: string;
  readonly after: string;
}

export function weakenedSessions(
  compared: Compared,
  budget: ComparisonBudget,
): readonly ConnectorLoss[] {
  const found = new Map<string, { readonly loss: Loss; readonly shown: Set<string> }>();
  const comparison = new Comparison(compared, budget);
  for (const session of sampleSessions(compared)) {
    const losses = comparison.lossesOf(session);
    // What was not compared for want of steps is no loss.
    if (budget.isSpent) break;
    for (const loss of losses) {
      const key = [loss.connector, loss.before, loss.after].join('\n');
      const known = found.get(key) ?? { loss, shown: new Set() };
      found.set(key, known);
      known.shown.add(session.shown);
    }
  }
  return describe(found.values());
}

function describe(
  found: Iterable<{ readonly loss: Loss; readonly shown: ReadonlySet<string> }>,
): readonly ConnectorLoss[] {
  return [...found].map(({ loss: { connector, before, after }, shown }) => ({
    connector,
    what: `${before} ${someOf([...shown])}${after}`,
  }));
}

/** Connectors that concern a session. */
type Guards = readonly InboundConnector[];

class Comparison {
  readonly #budget: ComparisonBudget;
  readonly #compared: Compared;
  readonly #today: ReadonlyMap<string, InboundConnector>;

  constructor(compared: Compared, budget: ComparisonBudget) {
    this.#budget = budget;
    this.#compared = compared;
    this.#today = new Map(compared.is.inboundConnectors.map((each) => [each.name, each]));
  }

  lossesOf(session: SampledSession): readonly Loss[] {
    const before = guardsOf(session.was);
    const after = guardsOf(session.is);
    const guards = [...before.values(), ...after.values()].reduce(
      (sum, each) => sum + each.length,
      2,
    );
    if (!this.#budget.take(guards)) return [];
    const losses: Loss[] = [];
    for (const [scope, guards] of before) {
      if (guards.some(asksNothing)) continue;
      const owed = guards.flatMap((guard) => this.#owedOf(guard));
      if (owed.length === 0 || this.#isKept(scope, guards, after)) continue;
      if (this.#isKept(scope, owed, after)) continue;
      losses.push(this.#describe(scope, owed, { after, session }));
    }
    return [...losses, ...this.#newSenders(session, before, after)];
  }

  /** Without what is said of the connector itself already: that it is off, or asks for less. */
  #owedOf(guard: InboundConnector): Guards {
    const { was, is } = this.#compared;
    if (was.id !== is.id) return [guard];
    const today = this.#today.get(guard.name);
    if (today === undefined || !today.enabled || today.mode !== 'enforce') return [];
    return this.#asksAsMuch(today, guard) ? [guard] : [today];
  }

  #isKept(scope: string, owed: Guards, after: ReadonlyMap<string, Guards>): boolean {
    const same = after.get(scope);
    if (same !== undefined && this.#weakerOf(same, owed) === null) return true;
    return [...after].some(
      ([other, guards]) => other !== scope && this.#weakerOf(guards, owed) === null,
    );
  }

  /** The first that asks for less than each of those that are owed; null where none does. */
  #weakerOf(guards: Guards, owed: Guards): InboundConnector | null {
    const byName = new Map(owed.map((each) => [each.name, each]));
    const weaker = guards.find((guard) => {
      const earlier = byName.get(guard.name);
      if (earlier !== undefined && this.#asksAsMuch(guard, earlier)) return false;
      return !owed.some((each) => this.#asksAsMuch(guard, each));
    });
    return weaker ?? null;
  }

  #asksAsMuch(today: InboundConnector, earlier: InboundConnector): boolean {
    if (today === earlier) return true;
    if (!this.#budget.take()) return false;
    return inboundLosses(earlier, today).length === 0;
  }

  #describe(
    scope: string,
    owed: Guards,
    { after, session }: { after: ReadonlyMap<string, Guards>; session: SampledSession },
  ): Loss {
    const { was, is } = this.#compared;
    const guard = owed[0]!;
    const isSame = was.id === is.id;
    const beside = after.get(scope) ?? [...after.values()].find((all) => hasName(all, guard.name));
    const weaker = beside === undefined ? null : this.#weakerOf(beside, owed);
    if (weaker !== null && weaker.name !== guard.name) {
      const of = isSame ? '' : ` of ${was.id}`;
      const losses = inboundLosses(guard, weaker).join(' and ');
      const less = `${isSame ? ' beside' : ' in place of'} "${guard.name}"${of}: ${losses}`;
      return { connector: weaker.name, before: 'is another way for', after: less };
    }
    const before = 'no longer restricts mail of';
    if (!isSame) return { connector: null, before, after: ` as "${guard.name}" of ${was.id} did` };
    const today = this.#today.get(guard.name)!;
    const isOwn = today.connectorType !== 'Partner';
    const reason = isOwn ? 'it is for own servers now' : whyOutside(today, session.is);
    return { connector: guard.name, before, after: `, since ${reason ?? 'others restrict less'}` };
  }

  /** Who may newly name an own domain in MAIL FROM, which is refused of everybody else. */
  #newSenders(
    { was, is }: SampledSession,
    before: ReadonlyMap<string, Guards>,
    after: ReadonlyMap<string, Guards>,
  ): readonly Loss[] {
    const [sender] = was.senders;
    if (was.isHeader === true || sender === undefined) return [];
    if (!was.organization.rejectDirectSend || !is.organization.rejectDirectSend) return [];
    const isOwn =
      isDomainOf(this.#compared.before, was.organization.id, sender) &&
      isDomainOf(this.#compared.after, is.organization.id, sender);
    if (!isOwn) return [];
    const known = provingOf(before);
    return provingOf(after)
      .filter((each) => !hasName(known, each.name) && this.#weakerOf([each], known) !== null)
      .map(({ name }) => ({
        connector: name,
        before: 'lets in MAIL FROM of our own domain',
        after: ' from outside',
      }));
  }
}

/** Everybody meets it. */
function asksNothing(connector: InboundConnector): boolean {
  return inboundLosses(connector, null).length === 0;
}

function hasName(connectors: Guards, name: string): boolean {
  return connectors.some((each) => each.name === name);
}

function provingOf(guards: ReadonlyMap<string, Guards>): Guards {
  return [...new Set([...guards.values()].flat())].filter(provesSource);
}
