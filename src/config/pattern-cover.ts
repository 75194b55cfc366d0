/** Which domains lie under which: of patterns, and of names. */
import type { DomainPattern } from '../mail/domain-pattern.ts';
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
