/**
 * Which of an organization's outbound connectors cover a recipient's domain, the best first, and why
 * each of them was or was not chosen.
 *
 * @see New-OutboundConnector; Exchange's worked example puts wildcards before all accepted domains
 */
import { formatDomainPattern, specificityOf } from '../mail/domain-pattern.ts';
import type { Covering } from '../mail/pattern-index.ts';
import { outboundIndexOf } from './connector-index.ts';
import type { Considered, OutboundDecision } from './decision.ts';
import type { DomainOwner } from './directory.ts';
import { findOrganization } from './directory.ts';
import type { Organization, OutboundConnector, Policy } from './policy.ts';
import type { Routing } from './routing.ts';

/** What is known when the way of a recipient's mail is looked for. */
export interface Choice {
  readonly organization: Organization;
  /** Whose the recipient's domain is; null where it is nobody's here. */
  readonly owner: DomainOwner | null;
  readonly routing: Routing;
  readonly base: OutboundDecision;
}

/** How well a connector fits; `rank` orders, larger first. */
export interface Fit {
  readonly connector: OutboundConnector;
  readonly rank: number;
  readonly because: string;
}

const rankOfAllAccepted = 0.5;

/** The connectors that fit, best first, and what is to be said of them and of those that are off. */
export function considerByDomain({ organization, owner, base }: Choice): {
  fits: readonly Fit[];
  considered: readonly Considered[];
} {
  const index = outboundIndexOf(organization);
  const fits: Fit[] = [];
  const losers: Considered[] = [];
  const seen = new Set<OutboundConnector>();
  const consider = (connector: OutboundConnector, fit: Omit<Fit, 'connector'>): void => {
    if (seen.has(connector)) return;
    seen.add(connector);
    const unfit = whyUnfit(connector);
    if (unfit === null) fits.push({ connector, ...fit });
    else losers.push(lost(connector, unfit));
  };
  const isAccepted = owner?.organization === organization;
  const covering = index.byRecipient.covering(base.recipientDomain);
  const closer = covering.filter(({ pattern }) => pattern.kind !== 'any');
  for (const found of closer) consider(found.value, fitByPattern(found));
  if (isAccepted) {
    const fit = { rank: rankOfAllAccepted, because: 'it takes all accepted domains' };
    for (const connector of index.ofAllAccepted) consider(connector, fit);
  }
  for (const found of covering.slice(closer.length)) consider(found.value, fitByPattern(found));
  fits.sort((a, b) => b.rank - a.rank || (a.connector.name < b.connector.name ? -1 : 1));
  return { fits, considered: [...describeFits(fits), ...losers] };
}

/**
 * Whose demands the recipient's domain brings: the connector that fits best, and where that one only
 * watches, also the best of those that enforce. To watch a new connector takes nothing from what is
 * in force.
 */
export function demandingOf(fits: readonly Fit[]): readonly OutboundConnector[] {
  const inForce = fits.findIndex(({ connector }) => connector.mode === 'enforce');
  const demanding = inForce > 0 ? [fits[0]!, fits[inForce]!] : fits.slice(0, 1);
  return demanding.map(({ connector }) => connector);
}

function whyUnfit({ enabled, isTransportRuleScoped }: OutboundConnector): string | null {
  if (!enabled) return 'it is off';
  return isTransportRuleScoped ? 'it is used by a rule only' : null;
}

function fitByPattern({ pattern }: Covering<OutboundConnector>): Omit<Fit, 'connector'> {
  const because = `its recipient domains have ${formatDomainPattern(pattern)}`;
  return { rank: specificityOf(pattern), because };
}

function describeFits(fits: readonly Fit[]): Considered[] {
  return fits.map((fit, place) => {
    const winner = fits[0]!;
    if (place === 0)
      return { connector: fit.connector.name, result: 'chosen', reason: fit.because };
    const why = fit.rank === winner.rank ? 'its name sorts first' : `it is more specific`;
    return lost(fit.connector, `${fit.because}, but "${winner.connector.name}" wins: ${why}`);
  });
}

/** A connector that was passed over, and why. */
export function lost(connector: OutboundConnector, reason: string): Considered {
  return { connector: connector.name, result: 'lost', reason };
}

/** Of those that were passed over it says whose demands hold on the chosen way all the same. */
export function sayWhatHolds(decision: OutboundDecision): OutboundDecision {
  const holding = new Set<string>();
  for (const { origin } of decision.requirement.clauses) {
    if (origin.kind === 'connector') holding.add(origin.name);
  }
  const isHeld = ({ result, connector }: Considered): boolean =>
    result === 'lost' && holding.has(connector);
  if (!decision.considered.some(isHeld)) return decision;
  const considered = decision.considered.map((each) =>
    isHeld(each) ? { ...each, reason: `${each.reason}; what it demands holds all the same` } : each,
  );
  return { ...decision, considered };
}

/** The same, where the connector that takes all mail to the outside won instead. */
export function outdo(considered: Considered, central: string): Considered {
  if (considered.result === 'lost') return considered;
  const reason = `${considered.reason}, but "${central}" takes all mail to the outside`;
  return { ...considered, result: 'lost', reason };
}

/**
 * For whoever asks why: the organization's connectors that the decision left out, since they do not
 * cover the domain; at most `most`, by name.
 */
export function considerOthers(
  policy: Policy,
  { organization, recipientDomain, considered }: OutboundDecision,
  most: number,
): Considered[] {
  const named = new Set(considered.map(({ connector }) => connector));
  const all = findOrganization(policy, organization)?.outboundConnectors ?? [];
  return all
    .filter(({ name }) => !named.has(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map((connector) =>
      lost(
        connector,
        whyUnfit(connector) ?? `its recipient domains do not cover ${recipientDomain}`,
      ),
    );
}
