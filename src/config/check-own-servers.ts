/**
 * What inbound OnPremises connectors claim: certificate names outside accepted domains, and marks of
 * servers that two organizations claim.
 *
 * The second is for gateway administrators, who read the file; nobody else is shown it.
 */
import type { DomainPattern } from '../mail/domain-pattern.ts';
import { formatDomainPattern } from '../mail/domain-pattern.ts';
import { isUnderDomain } from '../mail/domain.ts';
import type { AddressSpan } from './address-span.ts';
import { overlaps, spanOfCidr } from './address-span.ts';
import { isAccepted } from './check-organization.ts';
import { nameOf } from './check-organizations.ts';
import type { Located, Parts, Report } from './parts.ts';
import { widerPatterns } from './pattern-cover.ts';
import type { Path } from './problem.ts';
import type { ParsedInbound } from './schema-connectors.ts';

/** A name that is no accepted domain makes nothing ours by itself. */
export function warnOfForeignNames(parts: Parts, warn: Report): void {
  if (!parts.acceptedDomainsAreWhole) return;
  for (const { value, path } of ownServersOf(parts)) {
    value.tlsSenderCertificateName.forEach((pattern, place) => {
      if (isOwnName(parts, pattern)) return;
      const name = formatDomainPattern(pattern);
      const domain = pattern.kind === 'any' ? name : pattern.domain;
      const text = `${name} is in no accepted domain, so the certificate alone is not enough: only mail whose MAIL FROM is in an accepted domain is taken for your own servers', no bounces and no forwarded mail. Add ${domain} to acceptedDomains if it is yours, or give the server a certificate with a name in one of them`;
      warn({ path: [...path, 'tlsSenderCertificateName', place], at: 'value', text });
    });
  }
}

function ownServersOf(parts: Parts): readonly Located<ParsedInbound>[] {
  return parts.inbound.filter(({ value }) => value.enabled && value.connectorType === 'OnPremises');
}

/** An exact name is itself accepted; of a wildcard its apex or a domain below it. */
function isOwnName(parts: Parts, pattern: DomainPattern): boolean {
  if (pattern.kind === 'any') return false;
  if (isAccepted(parts, pattern.domain)) return true;
  return (
    pattern.kind === 'wildcard' &&
    parts.acceptedDomains.some(({ value }) => isUnderDomain(value.domain, pattern.domain))
  );
}

/** A mark of a server, where it stands, and whose it is. */
interface Claim {
  readonly parts: Parts;
  readonly connector: string;
  readonly mark: string;
  readonly path: Path;
}

export function warnOfTies(organizations: readonly Parts[], warn: Report): void {
  if (organizations.length < 2) return;
  warnOfSharedNames(organizations, warn);
  warnOfSharedAddresses(organizations, warn);
}

function claimsOf(
  organizations: readonly Parts[],
  marksOf: (value: ParsedInbound) => readonly (readonly [Path, string])[],
): readonly Claim[] {
  return organizations.flatMap((parts) =>
    ownServersOf(parts).flatMap(({ value, path }) =>
      marksOf(value).map(([at, mark]) => ({
        parts,
        connector: value.name,
        mark,
        path: [...path, ...at],
      })),
    ),
  );
}

function warnOfSharedNames(organizations: readonly Parts[], warn: Report): void {
  const names = claimsOf(organizations, (value) => [
    ...value.tlsSenderCertificateName.map(
      (pattern, place) =>
        [['tlsSenderCertificateName', place], formatDomainPattern(pattern)] as const,
    ),
    ...value.pins.map((pin, place) => [['pins', place], `sha256//${pin}`] as const),
  ]);
  const owners = new Map<string, Claim[]>();
  for (const claim of names) owners.set(claim.mark, [...(owners.get(claim.mark) ?? []), claim]);
  for (const claim of names) {
    const wider = claim.mark.startsWith('sha256//') ? [claim.mark] : widerMarks(claim.mark);
    const rival = wider
      .flatMap((mark) => owners.get(mark) ?? [])
      .find(
        (other) =>
          other.parts !== claim.parts && (other.mark !== claim.mark || isAfter(claim, other)),
      );
    if (rival !== undefined)
      warn({ path: claim.path, at: 'value', text: explainName(claim, rival) });
  }
}

function widerMarks(mark: string): readonly string[] {
  const isWildcard = mark.startsWith('*.');
  const domain = isWildcard ? mark.slice(2) : mark;
  return widerPatterns({ kind: isWildcard ? 'wildcard' : 'exact', domain });
}

/** Equal claims are told once, at the later one. */
function isAfter(a: Claim, b: Claim): boolean {
  return Number(a.parts.organizationPath[1]) > Number(b.parts.organizationPath[1]);
}

function explainName(claim: Claim, rival: Claim): string {
  const whose = `${nameOf(rival.parts)} ("${rival.connector}")`;
  if (claim.mark === rival.mark) {
    return `${claim.mark} is also claimed by ${whose}: such a certificate does not tell whose server it is. Give each organization's servers a name or key of their own`;
  }
  return `${claim.mark} lies under ${rival.mark}, which ${whose} claims: the closer name wins, so a server of that organization with such a certificate counts as this one's`;
}

interface AddressClaim extends Claim {
  readonly span: AddressSpan;
}

/** In the order of the addresses, so that only neighbours are compared. */
function warnOfSharedAddresses(organizations: readonly Parts[], warn: Report): void {
  const claims: AddressClaim[] = claimsOf(organizations, (value) =>
    value.senderIPAddresses.map((range, place) => [['senderIPAddresses', place], range] as const),
  ).map((claim) => ({ ...claim, span: spanOfCidr(claim.mark) }));
  claims.sort((a, b) => a.span.family - b.span.family || compare(a.span.first, b.span.first));
  const furthest = new Map<Parts, AddressClaim>();
  for (const claim of claims) {
    const rival = [...furthest.values()].find(
      (other) => other.parts !== claim.parts && overlaps(other.span, claim.span),
    );
    if (rival !== undefined) tellShared(claim, rival, warn);
    const own = furthest.get(claim.parts);
    const isFurther =
      own === undefined || own.span.family !== claim.span.family || own.span.last < claim.span.last;
    if (isFurther) furthest.set(claim.parts, claim);
  }
}

function compare(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function tellShared(a: AddressClaim, b: AddressClaim, warn: Report): void {
  const [later, earlier] = isAfter(a, b) ? [a, b] : [b, a];
  const text = `${later.mark} overlaps ${earlier.mark} of ${nameOf(earlier.parts)} ("${earlier.connector}"): mail from there counts for the organization that has the domain of MAIL FROM, and for nobody with another sender. A certificate of its own tells them apart`;
  warn({ path: later.path, at: 'value', text });
}
