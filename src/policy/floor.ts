/**
 * The floor: clauses under which a message was accepted or last tried are kept with it, and today's
 * policy may demand more but never less by accident.
 */
import { isUnderDomain } from '../mail/domain.ts';
import type { DomainPattern } from '../mail/domain-pattern.ts';
import type { OutboundDecision } from './decision.ts';
import { isInside } from './delivery-target.ts';
import type { Clause, Demand, Requirement } from './tls-requirement.ts';
import { joinRequirements, keyOf } from './tls-requirement.ts';

/** Today's requirement for one delivery: the connector's, joined with what the message brought. */
export function requirementOf(decision: OutboundDecision, floor: readonly Clause[]): Requirement {
  const brought = floorFor(decision, floor).filter(isOfMessage);
  // The same value for every message, so that what was found out about it is found again.
  if (brought.length === 0) return decision.requirement;
  return joinRequirements(decision.requirement, { clauses: brought });
}

/**
 * The floor as it binds this hop: what a message demands of networks, that it travel encrypted, is
 * met where the hop never leaves this machine. Clauses of connectors stay.
 */
export function floorFor(decision: OutboundDecision, floor: readonly Clause[]): readonly Clause[] {
  const { destination } = decision;
  if (floor.length === 0 || destination.kind !== 'hand-over') return floor;
  if (!isInside(destination.target.address)) return floor;
  return floor.filter((clause) => clause.kind !== 'encrypted' || !isOfMessage(clause));
}

/** Clauses that belong to the message itself and hold whatever connector is chosen. */
export function isOfMessage(clause: Clause): boolean {
  const { kind } = clause.origin;
  if (kind === 'rule') return clause.kind !== 'unsatisfiable';
  return kind === 'dsn' || kind === 'requiretls' || kind === 'alias';
}

/** The floor's clauses that today's requirement does not imply; empty where nothing was weakened. */
export function findWeakened(floor: readonly Clause[], today: Requirement): readonly Clause[] {
  if (floor === today.clauses) return [];
  return floor.filter((kept) => !today.clauses.some((clause) => implies(clause, kept)));
}

/** The floor after an attempt: all clauses of both, each demand once. */
export function raiseFloor(
  floor: readonly Clause[],
  demanded: readonly Clause[],
): readonly Clause[] {
  if (floor === demanded) return floor;
  if (floor.length === 0 && demanded.every((clause) => isKept(clause, demanded))) return demanded;
  const known = new Set(floor.map(keyOf));
  const added = demanded.filter((clause) => !known.has(keyOf(clause)) && isKept(clause, demanded));
  return added.length === 0 ? floor : [...floor, ...added];
}

/**
 * A broken policy is no floor of its own beside the sound clauses of the same origin, nor is a rule
 * that names a connector that is off: once it is mended, the mail goes out instead of being held.
 * What the rule itself demands is kept with the message.
 */
function isKept(clause: Clause, demanded: readonly Clause[]): boolean {
  if (clause.kind !== 'unsatisfiable') return true;
  const { kind, name } = clause.origin;
  if (kind === 'rule') return false;
  return !demanded.some(
    (other) =>
      other.kind !== 'unsatisfiable' && other.origin.kind === kind && other.origin.name === name,
  );
}

/** Whether whatever meets `today` surely meets `kept` as well. */
function implies(today: Demand, kept: Demand): boolean {
  if (today.kind === 'unsatisfiable' || kept.kind === 'unsatisfiable') {
    return today.kind === 'unsatisfiable' || keyOf(today) === keyOf(kept);
  }
  switch (kept.kind) {
    case 'encrypted':
      return true;
    case 'min-version':
      return today.kind === 'min-version' && today.version >= kept.version;
    case 'group':
      return today.kind === 'group' && isSubset(today.groups, kept.groups);
    case 'trust-spki':
      return today.kind === 'trust-spki' && isSubset(today.pins, kept.pins);
    case 'trust-anchors':
      return today.kind === 'trust-spki' || keyOf(withPurposeOf(kept, today)) === keyOf(kept);
    case 'name':
      return today.kind === 'trust-spki' || (today.kind === 'name' && isNarrower(today, kept));
  }
}

/** Whoever meets either purpose meets `either`. */
function withPurposeOf(kept: Demand & { readonly kind: 'trust-anchors' }, today: Demand): Demand {
  if (today.kind !== 'trust-anchors' || kept.purpose !== 'either') return today;
  return { ...today, purpose: kept.purpose };
}

type NameDemand = Demand & { readonly kind: 'name' };

/** Every name that today allows was allowed before. */
function isNarrower(today: NameDemand, kept: NameDemand): boolean {
  return today.references.every((narrow) => kept.references.some((wide) => covers(wide, narrow)));
}

function covers(wide: DomainPattern, narrow: DomainPattern): boolean {
  if (wide.kind === 'any') return true;
  if (narrow.kind === 'any') return false;
  if (wide.kind === 'wildcard') return isUnderDomain(narrow.domain, wide.domain);
  return narrow.kind === 'exact' && narrow.domain === wide.domain;
}

function isSubset(part: readonly string[], whole: readonly string[]): boolean {
  return part.every((item) => whole.includes(item));
}
