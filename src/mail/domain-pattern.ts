/**
 * Domain patterns of connectors: `contoso.com`, `*.contoso.com` (the apex and every subdomain), `*`.
 *
 * @see New-InboundConnector, SenderDomains; New-OutboundConnector, RecipientDomains
 */
import { isUnderDomain, parseDomain } from './domain.ts';

/** `exact` matches one domain, `wildcard` the apex and all under it, `any` everything. */
export type DomainPattern =
  | { readonly kind: 'exact'; readonly domain: string }
  | { readonly kind: 'wildcard'; readonly domain: string }
  | { readonly kind: 'any' };

/** Null where the text is no pattern; a star anywhere but as the whole first label is none. */
export function parseDomainPattern(text: string): DomainPattern | null {
  if (text === '*') return { kind: 'any' };
  const isWildcard = text.startsWith('*.');
  const domain = parseDomain(isWildcard ? text.slice(2) : text);
  if (domain === null) return null;
  return { kind: isWildcard ? 'wildcard' : 'exact', domain };
}

export function formatDomainPattern(pattern: DomainPattern): string {
  if (pattern.kind === 'any') return '*';
  return pattern.kind === 'wildcard' ? `*.${pattern.domain}` : pattern.domain;
}

export function matchesDomainPattern(pattern: DomainPattern, domain: string): boolean {
  switch (pattern.kind) {
    case 'any':
      return true;
    case 'exact':
      return pattern.domain === domain;
    case 'wildcard':
      return isUnderDomain(domain, pattern.domain);
  }
}

/**
 * How closely a pattern names a domain: larger is more specific.
 * Exact before wildcard, a longer wildcard before a shorter one, `*` last.
 */
export function specificityOf(pattern: DomainPattern): number {
  switch (pattern.kind) {
    case 'exact':
      return 1000;
    case 'wildcard':
      return pattern.domain.length;
    case 'any':
      return 0;
  }
}
