/**
 * Domains that stand for all domains: what a policy decides by patterns is the same for every domain
 * that the same patterns cover.
 */
import type { DomainPattern } from '../../mail/domain-pattern.ts';
import { formatDomainPattern } from '../../mail/domain-pattern.ts';

/** `shown` is the pattern that it stands for, for people. */
export interface SampledDomain {
  readonly domain: string;
  readonly shown: string;
}

export type DomainSampler = (pattern: DomainPattern) => SampledDomain;

/**
 * Samples that no closer one of these patterns covers, where any domain is such. None begins with any
 * of the labels unless its pattern does.
 */
export function samplerFor(
  patterns: Iterable<DomainPattern>,
  labels: ReadonlySet<string> = new Set(),
): DomainSampler {
  const label = unusedName('any', new Set([...labels, ...labelsOf(patterns)]));
  return (pattern) => {
    const shown = formatDomainPattern(pattern);
    if (pattern.kind === 'any') return { domain: `${label}.${label}`, shown };
    const { kind, domain } = pattern;
    return { domain: kind === 'wildcard' ? `${label}.${domain}` : domain, shown };
  };
}

/** With which their domains begin. */
export function labelsOf(patterns: Iterable<DomainPattern>): ReadonlySet<string> {
  const labels = new Set<string>();
  for (const pattern of patterns) {
    if (pattern.kind !== 'any') labels.add(pattern.domain.split('.', 1)[0]!);
  }
  return labels;
}

/** The name, made longer until it is none of these. */
export function unusedName(name: string, used: ReadonlySet<string>): string {
  let unused = name;
  while (used.has(unused)) unused += 'x';
  return unused;
}

/** Keeps what has the same key together, in its order. */
export function pushTo<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}
