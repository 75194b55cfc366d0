/**
 * Rules found by what a message has: one of which a condition cannot hold is not even looked at, so
 * that hundreds of rules cost no more than those that concern the message.
 */
import { AddressIndex } from '../address-index.ts';
import type { CompiledRule } from './compile-rules.ts';
import type { Aspect } from './condition-keys.ts';
import { keysOfCondition, keysOfMessage } from './condition-keys.ts';
import type { Look } from './look.ts';

/** A set of places in the list of rules, one bit each. */
type Places = Uint32Array;

/** The conditions of all rules about one side of a message. */
interface Asked {
  readonly aspect: Aspect;
  /** The rules that have such a condition. */
  readonly rules: Places;
  readonly byKey: Map<string, number[]>;
}

/** Adds those whose condition about it may hold; false where nobody can say of which it does. */
type Finder = (look: Look, found: Places) => boolean;

export class RuleIndex {
  readonly #rules: readonly CompiledRule[];
  readonly #all: Places;
  /** What one side found; emptied for each, since making one costs more than all look-ups in it. */
  readonly #found: Places;
  readonly #sides: readonly { readonly rules: Places; readonly find: Finder }[];

  /** The rules in their order. */
  constructor(rules: readonly CompiledRule[]) {
    this.#rules = rules;
    this.#all = noPlaces(rules.length);
    this.#found = noPlaces(rules.length);
    for (const place of rules.keys()) add(this.#all, place);
    const asked = askedBy(rules);
    const fields = fieldsIn(rules);
    this.#sides = asked.map((side) => ({ rules: side.rules, find: finderOf(side, fields) }));
  }

  /** The rules that may concern the message, in their order: every other has a condition that fails. */
  concerning(look: Look): readonly CompiledRule[] {
    const open = this.#all.slice();
    const found = this.#found;
    for (const { rules, find } of this.#sides) {
      found.fill(0);
      if (!find(look, found)) continue;
      for (let i = 0; i < open.length; i++) open[i]! &= ~rules[i]! | found[i]!;
    }
    return placesIn(open).map((place) => this.#rules[place]!);
  }
}

/** A second condition of a rule about the same side is left to judging. */
function askedBy(rules: readonly CompiledRule[]): readonly Asked[] {
  const sides = new Map<string, Asked>();
  for (const [place, { rule }] of rules.entries()) {
    for (const condition of rule.conditions) {
      const found = keysOfCondition(condition, rule.senderAddressLocation);
      if (found === null) continue;
      const { aspect, keys } = found;
      const name = `${aspect.kind} ${aspect.location}`;
      const side = sides.get(name) ?? { aspect, rules: noPlaces(rules.length), byKey: new Map() };
      sides.set(name, side);
      if (has(side.rules, place)) continue;
      add(side.rules, place);
      for (const key of new Set(keys)) addUnder(side.byKey, key, place);
    }
  }
  return [...sides.values()];
}

function fieldsIn(rules: readonly CompiledRule[]): ReadonlySet<string> {
  const fields = new Set<string>();
  for (const { rule } of rules) {
    for (const condition of rule.conditions) {
      if (condition.kind !== 'contains-words' || condition.place.kind !== 'header') continue;
      fields.add(condition.place.name);
    }
  }
  return fields;
}

function finderOf({ aspect, byKey }: Asked, fields: ReadonlySet<string>): Finder {
  if (aspect.kind === 'size') return sizeFinder(byKey);
  if (aspect.kind === 'client-range') return rangeFinder(byKey);
  return (look, found) => {
    const keys = keysOfMessage(aspect, look, fields);
    if (keys === null) return false;
    for (const key of keys) {
      for (const place of byKey.get(key) ?? []) add(found, place);
    }
    return true;
  };
}

/** Smallest first: what follows the first that is larger than the message is larger too. */
function sizeFinder(byKey: ReadonlyMap<string, readonly number[]>): Finder {
  const bySize = [...byKey]
    .map(([bytes, places]) => ({ bytes: Number(bytes), places }))
    .sort((a, b) => a.bytes - b.bytes);
  return (look, found) => {
    for (const { bytes, places } of bySize) {
      if (look.sizeBytes < bytes) break;
      for (const place of places) add(found, place);
    }
    return true;
  };
}

function rangeFinder(byKey: ReadonlyMap<string, readonly number[]>): Finder {
  const byRange = new AddressIndex(
    [...byKey].map(([range, value]) => ({ ranges: [range], value })),
  );
  return (look, found) => {
    if (look.clientAddress === null) return true;
    for (const { value } of byRange.containing(look.clientAddress)) {
      for (const place of value) add(found, place);
    }
    return true;
  };
}

function addUnder(map: Map<string, number[]>, key: string, place: number): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [place]);
  else known.push(place);
}

function noPlaces(count: number): Places {
  return new Uint32Array(Math.ceil(count / 32));
}

function add(places: Places, place: number): void {
  places[place >>> 5]! |= 1 << (place & 31);
}

function has(places: Places, place: number): boolean {
  return (places[place >>> 5]! & (1 << (place & 31))) !== 0;
}

/** Ascending. */
function placesIn(places: Places): number[] {
  const found: number[] = [];
  for (const [word, bits] of places.entries()) {
    for (let rest = bits; rest !== 0; rest &= rest - 1) {
      found.push(word * 32 + 31 - Math.clz32(rest & -rest));
    }
  }
  return found;
}
