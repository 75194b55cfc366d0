/**
 * Values under domain patterns, found by domain: what an exact name, each wildcard above it, and `*`
 * hold. The cost depends on the labels of the domain, not on the number of patterns.
 */
import type { DomainPattern } from './domain-pattern.ts';

export interface PatternEntry<Value> {
  readonly patterns: readonly DomainPattern[];
  readonly value: Value;
}

/** One value with the pattern by which it was found. */
export interface Covering<Value> {
  readonly pattern: DomainPattern;
  readonly value: Value;
}

export class PatternIndex<Value> {
  readonly #exact = new Map<string, Covering<Value>[]>();
  readonly #wildcard = new Map<string, Covering<Value>[]>();
  readonly #any: Covering<Value>[] = [];

  constructor(entries: Iterable<PatternEntry<Value>>) {
    for (const { patterns, value } of entries) {
      for (const pattern of patterns) this.#add({ pattern, value });
    }
  }

  #add(covering: Covering<Value>): void {
    const { pattern } = covering;
    if (pattern.kind === 'any') {
      this.#any.push(covering);
      return;
    }
    const map = pattern.kind === 'exact' ? this.#exact : this.#wildcard;
    const known = map.get(pattern.domain);
    if (known === undefined) map.set(pattern.domain, [covering]);
    else known.push(covering);
  }

  /** Most specific first, within one pattern in the order of the entries. */
  covering(domain: string): readonly Covering<Value>[] {
    const found = [...(this.#exact.get(domain) ?? [])];
    if (this.#wildcard.size > 0) {
      for (const name of withAncestors(domain)) found.push(...(this.#wildcard.get(name) ?? []));
    }
    found.push(...this.#any);
    return found;
  }
}

/** The domain itself, then each one above it: `a.b.test`, `b.test`, `test`. */
export function withAncestors(domain: string): string[] {
  const names = [domain];
  for (let at = domain.indexOf('.'); at !== -1; at = domain.indexOf('.', at + 1)) {
    names.push(domain.slice(at + 1));
  }
  return names;
}
