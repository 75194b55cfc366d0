/** Key exchange groups with a post-quantum part, as policy demands and TLS offers them. Pure. */
import type { OutboundDecision } from './decision.ts';
import type { PostQuantum } from './policy.ts';
import type { Demand, Requirement } from './tls-requirement.ts';

/** The hybrid groups that we offer and accept; all of them are of TLS 1.3. */
export const hybridGroups: readonly string[] = ['X25519MLKEM768'];

/** What `require` demands of a connection. */
export const hybridGroupDemand: Demand = { kind: 'group', groups: hybridGroups };

/**
 * What a handshake under this requirement offers. Nothing but hybrid groups where a clause demands
 * them, whoever demands it: any other could not be used. Where the clause is judged but does not bind
 * (a connector in mode `observe`) the others are offered too, else its demand would bind after all.
 */
export function offeredGroupsOf(
  decision: Pick<OutboundDecision, 'postQuantum'>,
  requirement: Requirement,
): PostQuantum {
  if (requirement.clauses.some(demandsHybrid)) return 'require';
  return decision.postQuantum === 'off' ? 'off' : 'prefer';
}

function demandsHybrid(demand: Demand): boolean {
  return demand.kind === 'group' && demand.groups.every((group) => hybridGroups.includes(group));
}
