/**
 * What another policy asks less than the one in force: connector by connector, then by the ways that
 * mail takes, the sessions that bring it, and by rules. For whoever is about to put it in force, and
 * has to say why.
 *
 * Mail that is queued already keeps the clauses under which it was accepted.
 */
import type { Compared } from './compared-organizations.ts';
import { compareOrganizations } from './compared-organizations.ts';
import { ComparisonBudget } from './comparison-budget.ts';
import { requirementOfOutbound } from '../connector-clauses.ts';
import type { OutboundConnector, Policy } from '../policy.ts';
import { someOf } from '../some-of.ts';
import { describeLost } from './weakened-demands.ts';
import type { ConnectorLoss } from './weakened-inbound.ts';
import { inboundLosses } from './weakened-inbound.ts';
import { newlyRelaying } from './weakened-relay.ts';
import { weakenedRoutes } from './weakened-routes.ts';
import { weakenedRules } from './weakened-rules.ts';
import { weakenedServers } from './weakened-servers.ts';
import { weakenedSessions } from './weakened-sessions.ts';

/** `what` completes "… now": `demands no certificate …`. `connector` null: of the organization. */
export interface Weakening {
  readonly organization: string;
  readonly direction: 'inbound' | 'outbound';
  readonly connector: string | null;
  readonly what: string;
}

/** Empty where the other policy asks for at least as much of everybody. */
export function findWeakenings(
  before: Policy,
  after: Policy,
  budget: ComparisonBudget = new ComparisonBudget(),
): readonly Weakening[] {
  const compared = compareOrganizations(before, after);
  const found: Weakening[] = [];
  for (const pair of compared) {
    const wasSpent = budget.isSpent;
    found.push(...weakenedOrganization(pair, budget));
    if (budget.isSpent && !wasSpent) found.push(notCompared(pair));
  }
  return [...found, ...newRelay(compared, after)];
}

function notCompared({ is }: Compared): Weakening {
  const what =
    'is not compared whole, nor is any after it that changed: too much has changed at once';
  return { organization: is.id, direction: 'inbound', connector: null, what };
}

function weakenedOrganization(compared: Compared, budget: ComparisonBudget): Weakening[] {
  const { was, is, domains } = compared;
  const isSame = was.id === is.id;
  const whose = isSame ? '' : ` (${someOf(domains.map(({ shown }) => shown))} was of ${was.id})`;
  const outbound = isSame
    ? weakened(was.outboundConnectors, is.outboundConnectors, outboundLosses)
    : [];
  const inbound = isSame
    ? weakened(was.inboundConnectors, is.inboundConnectors, inboundLosses)
    : [];
  const whole = [...weakenedRoutes(compared, budget), ...weakenedRules(was.rules, is.rules)];
  const told = (direction: Weakening['direction'], losses: readonly ConnectorLoss[]): Weakening[] =>
    losses.map(({ connector, what }) => ({
      organization: is.id,
      direction,
      connector,
      what: `${what}${whose}`,
    }));
  return [
    ...told('outbound', outbound),
    ...told('inbound', [
      ...directSend(compared),
      ...inbound,
      ...weakenedServers(compared, budget),
      ...weakenedSessions(compared, budget),
    ]),
    ...told(
      'outbound',
      whole.map((what) => ({ connector: null, what })),
    ),
  ];
}

function directSend({ was, is }: Compared): readonly ConnectorLoss[] {
  if (!was.rejectDirectSend || is.rejectDirectSend) return [];
  return [{ connector: null, what: 'takes its own domains as MAIL FROM from anybody' }];
}

/** Of each organization today, also of one that is new. */
function newRelay(compared: readonly Compared[], { organizations }: Policy): Weakening[] {
  return organizations.flatMap((is) => {
    const pairs = compared.filter((pair) => pair.is.id === is.id);
    const earlier = pairs.filter(({ was }) => was.id === is.id);
    const was = (earlier.length > 0 ? earlier : pairs).flatMap(
      (pair) => pair.was.inboundConnectors,
    );
    return newlyRelaying(was, is).map((loss) => ({
      organization: is.id,
      direction: 'inbound' as const,
      ...loss,
    }));
  });
}

interface Connector {
  readonly name: string;
  readonly enabled: boolean;
  readonly mode: string;
}

function weakened<Each extends Connector>(
  before: readonly Each[],
  after: readonly Each[],
  lossesOf: (before: Each, after: Each | null) => readonly string[],
): { readonly connector: string; readonly what: string }[] {
  const byName = new Map(after.map((each) => [each.name, each]));
  return before.filter(enforces).flatMap((each) => {
    const today = byName.get(each.name) ?? null;
    const losses = lossesOf(each, today !== null && enforces(today) ? today : null);
    if (losses.length === 0) return [];
    const what = today !== null && enforces(today) ? losses.join(' and ') : whyOff(today, losses);
    return [{ connector: each.name, what }];
  });
}

function enforces({ enabled, mode }: Connector): boolean {
  return enabled && mode === 'enforce';
}

function whyOff(today: Connector | null, losses: readonly string[]): string {
  const how = today === null ? 'is gone' : today.enabled ? `only ${verbOf(today.mode)}` : 'is off';
  return `${how}, and so ${losses.join(' and ')}`;
}

function verbOf(mode: string): string {
  return mode === 'warn' ? 'warns' : 'observes';
}

/**
 * `after` null where it enforces nothing any more. Which mail takes the two is looked at apart, in
 * `weakened-routes.ts`.
 */
function outboundLosses(before: OutboundConnector, after: OutboundConnector | null): string[] {
  // Any domain will do: names that depend on it depend on it in both.
  const domain = 'recipient.test';
  const { clauses } = requirementOfOutbound(before, domain);
  if (after === null) return describeLost(clauses, { clauses: [] });
  const known = new Set(before.trustedOrganizations);
  const trusted = after.trustedOrganizations.filter((each) => !known.has(each));
  return [
    ...describeLost(clauses, requirementOfOutbound(after, domain)),
    ...(clauses.length > 0 && trusted.length > 0 ? [`trusts ${trusted.join(', ')}`] : []),
  ];
}

/** A sentence without a full stop, for people. */
export function describeWeakening({ organization, direction, connector, what }: Weakening): string {
  const whose =
    connector === null
      ? `the organization ${organization}`
      : `the ${direction} connector "${connector}" of ${organization}`;
  return `${whose} ${what}`;
}
