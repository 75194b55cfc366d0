/**
 * What inbound OnPremises connectors claim: certificate names outside accepted domains, and marks of
 * servers that two organizations claim.
 *
 * The second is for gateway administrators, who read the file; nobody else is shown it.
 */
import type { DomainPattern } from '../mail/domain-pattern.ts';
import { formatDomainPattern } from '../mail/domain-pattern.ts';
import { isUnderDomain } from '../mail/domain.ts';
import type { AddressSpan } from '../policy/address-span.ts';
import { overlaps, spanOfCidr } from '../policy/address-span.ts';
import { nameOf } from './check-organizations.ts';
import type { Located, Parts, Report } from './parts.ts';
import { parentDomains } from './pattern-cover.ts';
import type { Path } from './problem.ts';
import type { ParsedInbound } from './schema-connectors.ts';

export function warnOfOwnServers(organizations: readonly Parts[], warn: Report): void {
  const owners = new DomainOwners(organizations);
  for (const parts of organizations) warnOfForeignNames(parts, owners, warn);
  if (organizations.length < 2) return;
  warnOfSharedNames(organizations, owners, warn);
  warnOfSharedAddresses(organizations, warn);
}

/** Whose a domain is, of sound organizations. */
class DomainOwners {
  readonly #exact = new Map<string, Parts>();
  readonly #withSubDomains = new Map<string, Parts>();

  constructor(organizations: readonly Parts[]) {
    for (const parts of organizations) {
      for (const { value } of parts.acceptedDomains) {
        this.#exact.set(value.domain, parts);
        if (value.matchSubDomains) this.#withSubDomains.set(value.domain, parts);
      }
    }
  }

  ownerOf(domain: string): Parts | null {
    const exact = this.#exact.get(domain);
    if (exact !== undefined) return exact;
    const above = parentDomains(domain).find((each) => this.#withSubDomains.has(each));
    return above === undefined ? null : this.#withSubDomains.get(above)!;
  }
}

/** A name that is no accepted domain of the organization makes nothing its own by itself. */
function warnOfForeignNames(parts: Parts, owners: DomainOwners, warn: Report): void {
  if (!parts.acceptedDomainsAreWhole) return;
  for (const { value, path } of ownServersOf(parts)) {
    value.tlsSenderCertificateName.forEach((pattern, place) => {
      if (pattern.kind === 'any' || isOwnName(parts, owners, pattern)) return;
      const owner = owners.ownerOf(pattern.domain);
      const name = formatDomainPattern(pattern);
      const where = owner === null ? 'in no accepted domain' : `in a domain of ${nameOf(owner)}`;
      const mend =
        owner === null
          ? `Add ${pattern.domain} to acceptedDomains if it is yours, or give`
          : 'Give';
      const text = `${name} is ${where}, so the certificate alone is not enough: only mail whose MAIL FROM is in an accepted domain is taken for your own servers', no bounces and no forwarded mail. ${mend} the server a certificate with a name in one of your domains`;
      warn({ path: [...path, 'tlsSenderCertificateName', place], at: 'value', text });
    });
  }
}

function ownServersOf(parts: Parts): readonly Located<ParsedInbound>[] {
  return parts.inbound.filter(({ value }) => value.enabled && value.connectorType === 'OnPremises');
}

/** An exact name is itself accepted; of a wildcard its apex or a domain below it, if nobody else's. */
function isOwnName(parts: Parts, owners: DomainOwners, pattern: DomainPattern): boolean {
  if (pattern.kind === 'any') return false;
  const owner = owners.ownerOf(pattern.domain);
  if (owner !== null) return owner === parts;
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

function claimsOf(
  organizations: readonly Parts[],
  marksOf: (value: ParsedInbound, parts: Parts) => readonly (readonly [Path, string])[],
): readonly Claim[] {
  return organizations.flatMap((parts) =>
    ownServersOf(parts).flatMap(({ value, path }) =>
      marksOf(value, parts).map(([at, mark]) => ({
        parts,
        connector: value.name,
        mark,
        path: [...path, ...at],
      })),
    ),
  );
}

/** Only an organization's own names: others make nothing its own. Told at the later claim. */
function warnOfSharedNames(
  organizations: readonly Parts[],
  owners: DomainOwners,
  warn: Report,
): void {
  const claims = claimsOf(organizations, (value, parts) => [
    ...value.tlsSenderCertificateName.flatMap((pattern, place) =>
      isOwnName(parts, owners, pattern)
        ? [[['tlsSenderCertificateName', place], formatDomainPattern(pattern)] as const]
        : [],
    ),
    ...value.pins.map((pin, place) => [['pins', place], `sha256//${pin}`] as const),
  ]);
  const firsts = new Map<string, Claim>();
  for (const claim of claims) {
    const rival = firsts.get(claim.mark);
    if (rival === undefined) firsts.set(claim.mark, claim);
    else if (rival.parts !== claim.parts) {
      const text = `${claim.mark} is also claimed by ${nameOf(rival.parts)} ("${rival.connector}"): such a certificate does not tell whose server it is, so the domain of MAIL FROM decides, and with another sender it is nobody's. Give each organization's servers a name and key of their own`;
      warn({ path: claim.path, at: 'value', text });
    }
  }
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

function placeOf({ parts }: Claim): number {
  return Number(parts.organizationPath[1]);
}

function tellShared(a: AddressClaim, b: AddressClaim, warn: Report): void {
  const [earlier, later] = placeOf(a) < placeOf(b) ? [a, b] : [b, a];
  const text = `${later.mark} overlaps ${earlier.mark} of ${nameOf(earlier.parts)} ("${earlier.connector}"): mail from there counts for the organization that has the domain of MAIL FROM, and for nobody with another sender. A certificate of its own tells them apart`;
  warn({ path: later.path, at: 'value', text });
}
