/**
 * Which names a connector for a domain should demand, so that each certificate that was seen carries
 * one of them: those that all have in common; else the domain and what is below it; else each host's.
 */
import type { DomainPattern } from '../../mail/domain-pattern.ts';
import {
  formatDomainPattern,
  matchesDomainPattern,
  parseDomainPattern,
} from '../../mail/domain-pattern.ts';
import { isUnderDomain } from '../../mail/domain.ts';
import type { CertificateFacts } from '../evidence.ts';
import { findMatchingName, isPublicSuffix, presentedNames } from '../name-match.ts';

/** A certificate, and the hosts that showed it. */
export interface SeenLeaf {
  readonly facts: CertificateFacts;
  readonly hosts: ReadonlySet<string>;
}

const namesMax = 8;

/** Null where there are none, or more than a connector should list. Never empty. */
export function chooseNames(
  domain: string,
  leaves: readonly SeenLeaf[],
): readonly DomainPattern[] | null {
  const candidates = [
    commonNames(domain, leaves),
    wholeDomain(domain),
    namesOfHosts(domain, leaves),
  ];
  return candidates.find((names) => isEnough(names, leaves)) ?? null;
}

function isEnough(names: readonly DomainPattern[], leaves: readonly SeenLeaf[]): boolean {
  if (names.length === 0 || names.length > namesMax || leaves.length === 0) return false;
  return leaves.every(({ facts }) => findMatchingName(presentedNames(facts), names) !== null);
}

/** On every certificate, and of the domain or of a host: a shared certificate names many others. */
function commonNames(domain: string, leaves: readonly SeenLeaf[]): readonly DomainPattern[] {
  const [first, ...others] = leaves.map(({ facts }) => new Set(presentedNames(facts)));
  const common = [...(first ?? [])].filter((name) => others.every((names) => names.has(name)));
  const hosts = leaves.flatMap((leaf) => [...leaf.hosts]);
  const patterns = common.flatMap((name) => referenceOf(name) ?? []);
  const ofDomain = patterns.filter(
    (each) => each.kind !== 'any' && isUnderDomain(each.domain, domain),
  );
  if (ofDomain.length > 0) return inOrder(ofDomain).slice(0, namesMax);
  const ofHosts = patterns.filter((each) => hosts.some((host) => matchesDomainPattern(each, host)));
  return inOrder(ofHosts).slice(0, namesMax);
}

function wholeDomain(domain: string): readonly DomainPattern[] {
  return isPublicSuffix(domain) ? [] : [{ kind: 'wildcard', domain }];
}

/** Of each certificate those that are for its hosts, or for the domain. */
function namesOfHosts(domain: string, leaves: readonly SeenLeaf[]): readonly DomainPattern[] {
  const names = new Map<string, DomainPattern>();
  for (const { facts, hosts } of leaves) {
    for (const name of presentedNames(facts)) {
      const pattern = referenceOf(name);
      if (pattern === null || pattern.kind === 'any') continue;
      const isOfHost = [...hosts].some((host) => matchesDomainPattern(pattern, host));
      if (isOfHost || isUnderDomain(pattern.domain, domain)) {
        names.set(formatDomainPattern(pattern), pattern);
      }
    }
  }
  return inOrder([...names.values()]);
}

/** Null for what no connector may demand: a star over what anybody may register, or no name at all. */
function referenceOf(presented: string): DomainPattern | null {
  const pattern = parseDomainPattern(presented);
  if (pattern === null || pattern.kind === 'any') return null;
  return isPublicSuffix(pattern.domain) ? null : pattern;
}

function inOrder(patterns: readonly DomainPattern[]): readonly DomainPattern[] {
  return patterns.toSorted((a, b) => (formatDomainPattern(a) < formatDomainPattern(b) ? -1 : 1));
}
