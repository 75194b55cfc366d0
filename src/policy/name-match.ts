/**
 * Whether a certificate's presented names match the reference identities of a connector.
 *
 * Not the rule of HTTPS: `*.contoso.com` as *reference* means the apex and any subdomain, as
 * Exchange's TlsDomain and TlsSenderCertificateName do. A *presented* wildcard stands for exactly
 * one label and never over a public suffix.
 * @see RFC 9525 §6.3, New-OutboundConnector (TlsDomain)
 */
import { getPublicSuffix } from 'tldts';
import { isUnderDomain, parseDomain } from '../mail/domain.ts';
import type { DomainPattern } from '../mail/domain-pattern.ts';
import type { CertificateFacts } from './evidence.ts';

/** DNS names of the SAN; the common name only where there is none. */
export function presentedNames(leaf: CertificateFacts): readonly string[] {
  if (leaf.dnsNames.length > 0) return leaf.dnsNames;
  return leaf.commonName === null ? [] : [leaf.commonName];
}

/** The first presented name that matches any of the references; null where none does. */
export function findMatchingName(
  presented: readonly string[],
  references: readonly DomainPattern[],
): string | null {
  for (const name of presented) {
    if (references.some((reference) => matchesReference(name, reference))) return name;
  }
  return null;
}

function matchesReference(presented: string, reference: DomainPattern): boolean {
  if (reference.kind === 'any') return false;
  const isWildcard = presented.startsWith('*.');
  const name = parseDomain(isWildcard ? presented.slice(2) : presented);
  if (name === null || (isWildcard && isPublicSuffix(name))) return false;
  if (reference.kind === 'wildcard') {
    return !isPublicSuffix(reference.domain) && isUnderDomain(name, reference.domain);
  }
  if (!isWildcard) return name === reference.domain;
  return parentOf(reference.domain) === name;
}

/**
 * Whether anybody may register names under the domain: directly, or one label further down where a
 * rule of the list has a star, as `*.kobe.jp`. Private suffixes count.
 */
export function isPublicSuffix(domain: string): boolean {
  return isSuffix(domain) || isSuffix(`any.${domain}`);
}

function isSuffix(domain: string): boolean {
  return getPublicSuffix(domain, { allowPrivateDomains: true }) === domain;
}

function parentOf(domain: string): string {
  return domain.slice(domain.indexOf('.') + 1);
}
