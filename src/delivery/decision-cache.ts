/** Decisions are made once per policy and domain, not once per message. */
import type { Address } from '../mail/address.ts';
import { chooseOutbound } from '../policy/choose-outbound.ts';
import type { OutboundDecision } from '../policy/decision.ts';
import type { Delivery } from '../policy/delivery.ts';
import { findMailbox } from '../policy/directory.ts';
import type { Policy } from '../policy/policy.ts';
import { isRehearsalAddress } from '../policy/rehearsal-address.ts';
import { plainRouting, routingOf } from '../policy/routing.ts';

type Decided = Pick<Delivery, 'organization' | 'source' | 'ruling'>;

/**
 * Decisions of one policy: of a recipient they need the domain, and whether it is a mailbox or an
 * address for rehearsals.
 */
export class DecisionCache {
  #policy: Policy | null = null;
  readonly #byDomain = new Map<string, OutboundDecision>();
  readonly #routeKeys = new WeakMap<OutboundDecision, string>();

  decide(policy: Policy, message: Decided, recipient: Address): OutboundDecision {
    if (this.#policy !== policy || this.#byDomain.size >= decisionsMax) {
      this.#byDomain.clear();
      this.#policy = policy;
    }
    const { organization } = message;
    const routing = routingOf(message);
    const isLocal = findMailbox(policy, recipient) !== null;
    const isRehearsal = isRehearsalAddress(policy, recipient);
    const what = isLocal ? 'mailbox' : isRehearsal ? 'rehearsal' : '';
    const way = routing === plainRouting ? '' : JSON.stringify(routing);
    const key = `${organization}\n${recipient.domain}\n${what}\n${way}`;
    const known = this.#byDomain.get(key);
    if (known !== undefined) return known;
    const decision = chooseOutbound(policy, organization, recipient, routing);
    this.#byDomain.set(key, decision);
    return decision;
  }

  /** Equal where one transaction may carry both: decided alike in all that acts on the way. */
  routeKeyOf(decision: OutboundDecision): string {
    const known = this.#routeKeys.get(decision);
    if (known !== undefined) return known;
    const { considered: _, recipientDomain, ...acting } = decision;
    const { kind } = decision.destination;
    const key = JSON.stringify([kind === 'mx' || kind === 'none' ? recipientDomain : '', acting]);
    this.#routeKeys.set(decision, key);
    return key;
  }
}

const decisionsMax = 10_000;
