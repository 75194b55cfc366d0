/**
 * Mail for which less is demanded since it takes another way: by a closer connector, by one whose
 * name sorts first, by none, by a rule, or by a delivery target that demands less.
 */
import { chooseOutbound } from '../choose-outbound.ts';
import type { Compared } from './compared-organizations.ts';
import { requirementOfOutbound } from '../connector-clauses.ts';
import { outboundIndexOf } from '../connector-index.ts';
import type { OutboundDecision } from '../decision.ts';
import { isInside } from '../delivery-target.ts';
import { findWeakened } from '../floor.ts';
import type { Organization, OutboundConnector } from '../policy.ts';
import type { Routing } from '../routing.ts';
import type { SampledRecipient } from './sampled-recipients.ts';
import type { Clause } from '../tls-requirement.ts';
import { isForced, keyOf, nothingRequired } from '../tls-requirement.ts';
import { describeLost } from './weakened-demands.ts';

/** What the message brings to the choice, in the policy before and in today's. */
export interface Ways {
  readonly was: Routing;
  readonly is: Routing;
}

/** The way of mail to one domain, before and today. */
export interface Decided {
  readonly earlier: OutboundDecision;
  readonly today: OutboundDecision;
}

/** How many steps of the comparison a decision takes, for all connectors that it considers. */
export function stepsOf({ earlier, today }: Decided): number {
  return 5 + earlier.considered.length + today.considered.length;
}

export function decide(
  { before, after, was, is }: Compared,
  recipient: SampledRecipient,
  ways: Ways,
): Decided {
  return {
    earlier: chooseOutbound(before, was.id, recipient, ways.was),
    today: chooseOutbound(after, is.id, recipient, ways.is),
  };
}

/** Completes "sends mail to …"; null where nothing is lost. */
export function lostOnWay(
  compared: Compared,
  { earlier, today }: Decided,
  ways: Ways,
): string | null {
  if (goesNowhere(today)) return null;
  const domain = today.recipientDomain;
  const isMended = ways.was.ruling?.rule === ways.is.ruling?.rule;
  const clauses = earlier.requirement.clauses.filter(
    (clause) => !isTold(compared, clause, domain) && !(isMended && clause.kind === 'unsatisfiable'),
  );
  const lost = describeLost(clauses, today.requirement);
  if (mayBeClear(today) && !mayBeClear(earlier)) lost.push('sends in clear where TLS failed twice');
  if (lost.length === 0) return null;
  const way = today.connector === null ? 'without a connector' : `by "${today.connector}"`;
  return `${way} and ${lost.join(' and ')}`;
}

/**
 * Equal for recipients of whose mail a rule, wherever it routes, takes the same: what is demanded
 * without it, or would be, is the same. `owner`: whose the domain is, as far as that decides.
 */
export function kindOfWay({ earlier, today }: Decided, owner: string): string {
  return [earlier, today]
    .flatMap((decision) => [
      ...decision.requirement.clauses.map(keyOf),
      `${mayBeClear(decision)} ${goesNowhere(decision)} ${decision.destination.kind}`,
      // Whatever would be demanded keeps mail from going in clear.
      `${decision.shadow.length > 0}`,
    ])
    .concat(owner)
    .join('\n');
}

/** It waits, is refused, or does not leave this machine. */
function goesNowhere({ destination }: OutboundDecision): boolean {
  if (destination.kind === 'hand-over') return isInside(destination.target.address);
  return destination.kind === 'none' || destination.kind === 'mailbox';
}

/** After TLS failed twice. What is handed over inside crosses no network. */
export function mayBeClear(decision: OutboundDecision): boolean {
  const { clearTextAfterFailedTls, requirement, destination } = decision;
  return clearTextAfterFailedTls && !isForced(requirement) && destination.kind !== 'organization';
}

/** Whether it is said of the connector itself already that it no longer demands this. */
function isTold({ was, is }: Compared, clause: Clause, domain: string): boolean {
  const { kind, name } = clause.origin;
  if (kind !== 'connector' || was.id !== is.id || enforcing(was, name) === null) return false;
  const connector = enforcing(is, name);
  const today = connector === null ? nothingRequired : requirementOfOutbound(connector, domain);
  return findWeakened([clause], today).length > 0;
}

function enforcing(organization: Organization, name: string): OutboundConnector | null {
  const connector = outboundIndexOf(organization).byName.get(name);
  return connector?.enabled === true && connector.mode === 'enforce' ? connector : null;
}

/** Mail from own servers goes another way only where all other mail goes through them. */
export function sourcesOf({ was, is }: Compared): readonly boolean[] {
  const isCentral = [was, is].some((each) => outboundIndexOf(each).ofEverything.length > 0);
  return isCentral ? [false, true] : [false];
}
