/**
 * How an accepted message splits into deliveries: recipients that share a next hop stay together,
 * and each delivery starts with the clauses under which it was accepted.
 */
import type { Address } from '../mail/address.ts';
import type { Recipient } from '../mail/recipient.ts';
import { chooseOutbound } from './choose-outbound.ts';
import type { OutboundDecision } from './decision.ts';
import type { ExpandableMessage } from './expand-recipients.ts';
import { expandRecipients } from './expand-recipients.ts';
import type { IncomingMessage } from './delivery.ts';
import { isOfMessage, raiseFloor } from './floor.ts';
import type { Policy } from './policy.ts';
import { routingOf } from './routing.ts';
import type { Clause } from './tls-requirement.ts';
import { keyOf, textOf } from './tls-requirement.ts';

/** `routeKey` names the next hop; equal keys may share connections and compete for them. */
export interface PlannedDelivery {
  readonly routeKey: string;
  readonly recipients: readonly Recipient[];
  readonly floor: readonly Clause[];
}

/** Aliases are expanded here and nowhere else: what is planned are final recipients. */
export function planDeliveries(
  policy: Policy,
  message: ExpandableMessage,
): readonly PlannedDelivery[] {
  const { organization } = message;
  const routing = routingOf(message);
  const plans = new Map<string, PlannedDelivery & { readonly recipients: Recipient[] }>();
  for (const { recipient, clauses } of expandRecipients(policy, message)) {
    const decision = chooseOutbound(policy, organization, recipient, routing);
    const routeKey = routeKeyOf(decision);
    const brought = clauses.length === 0 ? message.clauses : [...message.clauses, ...clauses];
    const floor = raiseFloor(brought, decision.requirement.clauses);
    // A floor is of a whole delivery: what binds one recipient neither binds nor frees another.
    const key = `${routeKey}\n${bindingOf(floor)}`;
    const plan = plans.get(key);
    if (plan === undefined) plans.set(key, { routeKey, recipients: [recipient], floor });
    else plan.recipients.push(recipient);
  }
  return [...plans.values()];
}

/** Whichever alias led there, the same demand binds alike; what a connector demands is its own. */
function bindingOf(floor: readonly Clause[]): string {
  if (floor.length === 0) return '';
  const texts = floor.map((clause) =>
    isOfMessage(clause) ? `${clause.origin.kind} ${keyOf(clause)}` : textOf(clause),
  );
  return [...new Set(texts)].sort().join('\n');
}

/** The next hop of a final recipient under today's policy. */
export function routeKeyFor(
  policy: Policy,
  message: Pick<IncomingMessage, 'organization' | 'source' | 'ruling'>,
  recipient: Address,
): string {
  return routeKeyOf(chooseOutbound(policy, message.organization, recipient, routingOf(message)));
}

/** Smart hosts are one next hop for all domains unless the name clause depends on the domain. */
function routeKeyOf(decision: OutboundDecision): string {
  switch (decision.destination.kind) {
    case 'mailbox':
      return 'mailbox';
    case 'hand-over':
      return `hand-over ${decision.organization} ${decision.destination.target.name}`;
    case 'organization':
      return `organization ${decision.organization} ${decision.destination.organization}`;
    case 'none':
      return `none ${decision.recipientDomain}`;
    case 'smart-hosts':
      return `connector ${decision.organization} ${decision.connector ?? ''}`;
    case 'mx':
      return `mx ${decision.organization} ${decision.recipientDomain}`;
  }
}
