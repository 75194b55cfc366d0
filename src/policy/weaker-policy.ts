/**
 * What today's policy no longer demands of a queued delivery, for whoever would release it.
 *
 * The floor is held against today's requirement as an attempt would do it.
 */
import type { Recipient } from '../mail/recipient.ts';
import { chooseOutbound } from './choose-outbound.ts';
import type { IncomingMessage } from './delivery.ts';
import { findWeakened, floorFor, requirementOf } from './floor.ts';
import type { Policy } from './policy.ts';
import { routingOf } from './routing.ts';
import type { Clause } from './tls-requirement.ts';
import { keyOf } from './tls-requirement.ts';

/** `lost` is never empty; `today` is what is left for the recipient of whom least is demanded. */
export interface WeakerPolicy {
  readonly lost: readonly Clause[];
  readonly today: readonly Clause[];
  /** The outbound connector that would be taken today; null for the default one. */
  readonly connector: string | null;
}

/** Null where today's policy demands all of the floor. */
export function findWeakerPolicy(
  policy: Policy,
  message: Pick<IncomingMessage, 'organization' | 'source' | 'ruling'>,
  delivery: { readonly recipients: readonly Recipient[]; readonly floor: readonly Clause[] },
): WeakerPolicy | null {
  const { recipients, floor } = delivery;
  if (floor.length === 0) return null;
  const lost = new Map<string, Clause>();
  const routing = routingOf(message);
  let weakest: Omit<WeakerPolicy, 'lost'> | null = null;
  for (const recipient of recipients) {
    const decision = chooseOutbound(policy, message.organization, recipient, routing);
    const { clauses: today } = requirementOf(decision, floor);
    const weakened = findWeakened(floorFor(decision, floor), { clauses: today });
    if (weakened.length === 0) continue;
    for (const clause of weakened) lost.set(keyOf(clause), clause);
    if (weakest === null || today.length < weakest.today.length) {
      weakest = { today, connector: decision.connector };
    }
  }
  return weakest === null ? null : { lost: [...lost.values()], ...weakest };
}
