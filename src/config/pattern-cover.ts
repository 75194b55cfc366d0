/** Whether one domain pattern covers all that another matches. */
import type { DomainPattern } from '../mail/domain-pattern.ts';
import { isUnderDomain } from '../mail/domain.ts';

export function coversPattern(outer: DomainPattern, inner: DomainPattern): boolean {
  if (outer.kind === 'any') return true;
  if (inner.kind === 'any') return false;
  if (outer.kind === 'wildcard') return isUnderDomain(inner.domain, outer.domain);
  return inner.kind === 'exact' && inner.domain === outer.domain;
}
