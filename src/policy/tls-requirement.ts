/**
 * What TLS must be before mail may pass: a set of clauses that must all hold.
 *
 * First of the three files where forced TLS lives (then `tls/handshake.ts`, `policy/tls-verdict.ts`).
 * Joining is set union: it cannot loosen, in any order. Exchange's words name clause sets at the
 * edges only (`connector-clauses.ts`).
 */
import type { DomainPattern } from '../mail/domain-pattern.ts';
import { formatDomainPattern } from '../mail/domain-pattern.ts';
import type { AnchorsName, TlsVersion } from './policy.ts';

/** Who demands a clause: kind and name, as `connector "contoso"`. */
export interface Origin {
  readonly kind:
    | 'connector'
    | 'rule'
    | 'mta-sts'
    | 'dane'
    | 'requiretls'
    | 'floor'
    | 'dsn'
    | 'alias'
    | 'delivery-target';
  readonly name: string;
}

/** Which extended key usage a path must allow; `either` accepts clientAuth or serverAuth. */
export type PathPurpose = 'serverAuth' | 'clientAuth' | 'either';

/** `trust-spki` pins are SHA-256 of SubjectPublicKeyInfo, base64; one must be the leaf's. */
export type Demand =
  | { readonly kind: 'encrypted' }
  | { readonly kind: 'min-version'; readonly version: TlsVersion }
  | { readonly kind: 'group'; readonly groups: readonly string[] }
  | {
      readonly kind: 'trust-anchors';
      readonly anchors: AnchorsName;
      readonly purpose: PathPurpose;
      readonly revocation: 'not-checked';
    }
  | { readonly kind: 'trust-spki'; readonly pins: readonly string[] }
  | { readonly kind: 'name'; readonly references: readonly DomainPattern[] }
  | { readonly kind: 'unsatisfiable'; readonly reason: string };

export type Clause = Demand & { readonly origin: Origin };

/** Nothing required where empty: opportunistic. */
export interface Requirement {
  readonly clauses: readonly Clause[];
}

export const nothingRequired: Requirement = { clauses: [] };

/** Whether mail under this requirement must never leave in clear. */
export function isForced(requirement: Requirement): boolean {
  return requirement.clauses.length > 0;
}

/** All clauses of all parts, each once. */
export function joinRequirements(...parts: readonly Requirement[]): Requirement {
  const byText = new Map<string, Clause>();
  for (const part of parts) {
    for (const clause of part.clauses) {
      const text = textOf(clause);
      if (!byText.has(text)) byText.set(text, clause);
    }
  }
  return { clauses: [...byText.values()] };
}

/** The clause as text: equal texts are equal demands of one origin. */
export function textOf(clause: Clause): string {
  return `${clause.origin.kind} ${clause.origin.name} ${keyOf(clause)}`;
}

/** The demand without its origin, as text: equal texts are equal demands. */
export function keyOf(demand: Demand): string {
  switch (demand.kind) {
    case 'encrypted':
      return 'encrypted';
    case 'min-version':
      return `min-version ${demand.version}`;
    case 'group':
      return `group ${[...demand.groups].sort().join(' ')}`;
    case 'trust-anchors':
      return `trust-anchors ${demand.purpose} ${demand.revocation} ${demand.anchors}`;
    case 'trust-spki':
      return `trust-spki ${[...demand.pins].sort().join(' ')}`;
    case 'name':
      return `name ${demand.references.map(formatDomainPattern).sort().join(' ')}`;
    case 'unsatisfiable':
      return `unsatisfiable ${demand.reason}`;
  }
}

/** The demand in words, as an administrator reads it in a log, a reply or a DSN. */
export function describeDemand(demand: Demand): string {
  switch (demand.kind) {
    case 'encrypted':
      return 'encryption';
    case 'min-version':
      return `${demand.version.replace('v', ' ')} or newer`;
    case 'group':
      return `key exchange by ${demand.groups.join(' or ')}`;
    case 'trust-anchors':
      return `a certificate that leads to a trusted CA (${demand.anchors})`;
    case 'trust-spki':
      return `a certificate with ${demand.pins.length === 1 ? 'the' : 'a'} pinned key`;
    case 'name':
      return `a certificate for ${demand.references.map(formatDomainPattern).join(' or ')}`;
    case 'unsatisfiable':
      return `nothing can satisfy this policy: ${demand.reason}`;
  }
}
