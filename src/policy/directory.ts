/**
 * Look-ups in a policy value: whose domain is this, which mailbox is that address.
 *
 * Indexes are built once per snapshot and forgotten with it.
 */
import type { Address } from '../mail/address.ts';
import { withAncestors } from '../mail/pattern-index.ts';
import type {
  AcceptedDomain,
  Alias,
  DeliveryTarget,
  Mailbox,
  Organization,
  Policy,
} from './policy.ts';

/** A domain that one of our organizations accepts, and whose it is. */
export interface DomainOwner {
  readonly organization: Organization;
  readonly domain: AcceptedDomain;
}

interface Index {
  readonly byId: ReadonlyMap<string, Organization>;
  readonly domains: DomainMaps;
  /** Domains that somebody claims without having proved it. */
  readonly unproven: DomainMaps;
  readonly mailboxes: ReadonlyMap<string, OwnedMailbox>;
  readonly aliases: ReadonlyMap<string, Alias>;
  /** The local-parts of accepted domains that list them. */
  readonly listed: ReadonlyMap<AcceptedDomain, ReadonlySet<string>>;
}

/** By name; `withSubDomains` those that hold every domain below as well. */
interface DomainMaps {
  readonly exact: Map<string, DomainOwner>;
  readonly withSubDomains: Map<string, DomainOwner>;
}

export interface OwnedMailbox {
  readonly organization: Organization;
  readonly mailbox: Mailbox;
}

const indexes = new WeakMap<Policy, Index>();

function indexOf(policy: Policy): Index {
  const known = indexes.get(policy);
  if (known !== undefined) return known;
  const built = buildIndex(policy);
  indexes.set(policy, built);
  return built;
}

function buildIndex(policy: Policy): Index {
  const domains: DomainMaps = { exact: new Map(), withSubDomains: new Map() };
  const unproven: DomainMaps = { exact: new Map(), withSubDomains: new Map() };
  const listed = new Map<AcceptedDomain, ReadonlySet<string>>();
  for (const organization of policy.organizations) {
    for (const domain of organization.acceptedDomains) {
      const { exact, withSubDomains } = domain.isProven ? domains : unproven;
      exact.set(domain.domain, { organization, domain });
      if (domain.matchSubDomains) withSubDomains.set(domain.domain, { organization, domain });
      const { recipients } = domain;
      if (recipients.kind === 'list') listed.set(domain, new Set(recipients.localParts));
    }
  }
  const byId = new Map(policy.organizations.map((org) => [org.id, org] as const));
  return { byId, domains, unproven, listed, ...indexNames(policy, domains) };
}

/** Names in domains that are not their organization's, proven, are nobody's. */
function indexNames(policy: Policy, domains: DomainMaps): Pick<Index, 'mailboxes' | 'aliases'> {
  const mailboxes = new Map<string, OwnedMailbox>();
  const aliases = new Map<string, Alias>();
  for (const organization of policy.organizations) {
    const isOwn = ({ domain }: Address): boolean =>
      ownerIn(domains, domain)?.organization === organization;
    for (const alias of organization.aliases) {
      if (isOwn(alias.address)) aliases.set(mailboxKey(alias.address), alias);
    }
    for (const mailbox of organization.mailboxes) {
      for (const address of mailbox.addresses.filter(isOwn)) {
        mailboxes.set(mailboxKey(address), { organization, mailbox });
      }
    }
  }
  return { mailboxes, aliases };
}

/** Equal for equal addresses of ours, whose local-parts ignore case. */
export function mailboxKey(address: Address): string {
  return `${address.localPart.toLowerCase()}@${address.domain}`;
}

export function findOrganization(policy: Policy, id: string): Organization | null {
  return indexOf(policy).byId.get(id) ?? null;
}

/**
 * The proven accepted domain that holds `domain`: itself, or the longest one above with
 * matchSubDomains.
 */
export function findDomainOwner(policy: Policy, domain: string): DomainOwner | null {
  return ownerIn(indexOf(policy).domains, domain);
}

/** Whether the domain is this organization's, proven. */
export function isDomainOf(policy: Policy, organization: string, domain: string): boolean {
  return findDomainOwner(policy, domain)?.organization.id === organization;
}

/**
 * The first accepted domain, by which an organization calls itself; null where it has proven none,
 * since nobody calls itself by what may be another's.
 */
export function firstDomainOf({ acceptedDomains }: Organization): string | null {
  return acceptedDomains.find(({ isProven }) => isProven)?.domain ?? null;
}

/** Who claims the domain and has not shown that it is theirs; null where nobody does. */
export function findUnprovenClaim(policy: Policy, domain: string): DomainOwner | null {
  return ownerIn(indexOf(policy).unproven, domain);
}

function ownerIn({ exact, withSubDomains }: DomainMaps, domain: string): DomainOwner | null {
  const owner = exact.get(domain);
  if (owner !== undefined) return owner;
  if (withSubDomains.size === 0) return null;
  for (const name of withAncestors(domain)) {
    const above = withSubDomains.get(name);
    if (above !== undefined) return above;
  }
  return null;
}

/** What an address of ours is by name: a mailbox, an alias, or a listed recipient of another server. */
export type NamedRecipient =
  | ({ readonly kind: 'mailbox' } & OwnedMailbox)
  | { readonly kind: 'alias'; readonly alias: Alias }
  | { readonly kind: 'listed'; readonly owner: DomainOwner };

/**
 * The whole local-part first, then without its extension; case is ignored. Null where nothing has
 * this name.
 */
export function findNamed(policy: Policy, address: Address): NamedRecipient | null {
  const index = indexOf(policy);
  // Mailboxes are most of all mail, and cost one look-up.
  const mailbox = index.mailboxes.get(mailboxKey(address));
  if (mailbox !== undefined) return { kind: 'mailbox', ...mailbox };
  const owner = findDomainOwner(policy, address.domain);
  if (owner === null) return null;
  const whole = findByName(index, owner, address);
  if (whole !== null) return whole;
  const base = withoutExtension(address, owner.organization.addressExtension);
  return base === null ? null : findByName(index, owner, base);
}

function findByName(index: Index, owner: DomainOwner, address: Address): NamedRecipient | null {
  const key = mailboxKey(address);
  const mailbox = index.mailboxes.get(key);
  if (mailbox !== undefined) return { kind: 'mailbox', ...mailbox };
  const alias = index.aliases.get(key);
  if (alias !== undefined) return { kind: 'alias', alias };
  const isListed = index.listed.get(owner.domain)?.has(address.localPart.toLowerCase()) ?? false;
  return isListed ? { kind: 'listed', owner } : null;
}

/** `ann+news@x` with `+` is `ann@x`; null where there is no extension, or nothing before it. */
export function withoutExtension(address: Address, separator: string | null): Address | null {
  if (separator === null) return null;
  const at = address.localPart.indexOf(separator);
  return at <= 0 ? null : { localPart: address.localPart.slice(0, at), domain: address.domain };
}

/** Also by an address with an extension, unless that address exists itself. */
export function findMailbox(policy: Policy, address: Address): OwnedMailbox | null {
  const found = findNamed(policy, address);
  return found?.kind === 'mailbox' ? found : null;
}

export function findAccount(policy: Policy, organization: string, account: string): Mailbox | null {
  const found = findOrganization(policy, organization);
  return found?.mailboxes.find((mailbox) => mailbox.account === account) ?? null;
}

export function findDeliveryTarget(
  policy: Policy,
  organization: string,
  name: string,
): DeliveryTarget | null {
  const found = findOrganization(policy, organization);
  return found?.deliveryTargets.find((target) => target.name === name) ?? null;
}
