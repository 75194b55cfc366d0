/**
 * How an accepted message splits into deliveries: recipients that share a next hop stay together,
 * and each delivery starts with the clauses under which it was accepted.
 */
import type { Address } from '../mail/address.ts';
import { chooseOutbound } from './choose-outbound.ts';
import type { OutboundDecision } from './decision.ts';
import { raiseFloor } from './floor.ts';
import type { Policy } from './policy.ts';
import type { Clause } from './tls-requirement.ts';

/** `routeKey` names the next hop; equal keys may share connections and compete for them. */
export interface PlannedDelivery {
  readonly routeKey: string;
  readonly recipients: readonly Address[];
  readonly floor: readonly Clause[];
}

/** `brought` are clauses of the message itself, as of a DSN about forced mail. */
export function planDeliveries(
  policy: Policy,
  organization: string,
  recipients: readonly Address[],
  brought: readonly Clause[],
): readonly PlannedDelivery[] {
  const plans = new Map<string, { recipients: Address[]; floor: readonly Clause[] }>();
  for (const recipient of recipients) {
    const decision = chooseOutbound(policy, organization, recipient);
    const key = routeKeyOf(decision);
    const plan = plans.get(key);
    if (plan === undefined) {
      const floor = raiseFloor(brought, decision.requirement.clauses);
      plans.set(key, { recipients: [recipient], floor });
    } else {
      plan.recipients.push(recipient);
    }
  }
  return Array.from(plans, ([routeKey, plan]) => ({ routeKey, ...plan }));
}

/** Smart hosts are one next hop for all domains unless the name clause depends on the domain. */
function routeKeyOf(decision: OutboundDecision): string {
  switch (decision.destination.kind) {
    case 'mailbox':
      return 'mailbox';
    case 'hand-over':
      return `hand-over ${decision.organization} ${decision.destination.target.name}`;
    case 'none':
      return `none ${decision.recipientDomain}`;
    case 'smart-hosts':
      return `connector ${decision.organization} ${decision.connector ?? ''}`;
    case 'mx':
      return `mx ${decision.organization} ${decision.recipientDomain}`;
  }
}
