/** Which domains lie under which: of patterns, and of names. */
import type { DomainPattern } from '../mail/domain-pattern.ts';
import { formatDomainPattern } from '../mail/domain-pattern.ts';
import { isUnderDomain } from '../mail/domain.ts';

/** Whether `outer` matches all that `inner` does. */
export function coversPattern(outer: DomainPattern, inner: DomainPattern): boolean {
  if (outer.kind === 'any') return true;
  if (inner.kind === 'any') return false;
  if (outer.kind === 'wildcard') return isUnderDomain(inner.domain, outer.domain);
  return inner.kind === 'exact' && inner.domain === outer.domain;
}

/** `a.b.contoso.com` lies under `b.contoso.com`, `contoso.com` and `com`, in this order. */
export function parentDomains(domain: string): readonly string[] {
  const labels = domain.split('.');
  return labels.slice(1).map((_, place) => labels.slice(place + 1).join('.'));
}

/** All patterns that cover one, as written: itself first, then ever wider ones. */
export function widerPatterns(pattern: DomainPattern): readonly string[] {
  if (pattern.kind === 'any') return ['*'];
  const { domain } = pattern;
  const wildcards = [domain, ...parentDomains(domain)].map((each) => `*.${each}`);
  return [...(pattern.kind === 'exact' ? [domain] : []), ...wildcards, '*'];
}

/** Things by each of their patterns as written, in their order: for looking up instead of comparing. */
export function groupByPattern<T>(
  things: readonly T[],
  patternsOf: (thing: T) => readonly DomainPattern[],
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const thing of things) {
    for (const key of new Set(patternsOf(thing).map(formatDomainPattern))) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [thing]);
      else group.push(thing);
    }
  }
  return groups;
}
