/**
 * Look-ups in a policy value: whose domain is this, which mailbox is that address.
 *
 * Indexes are built once per snapshot and forgotten with it.
 */
import type { Address } from '../mail/address.ts';
import { isUnderDomain } from '../mail/domain.ts';
import type { AcceptedDomain, DeliveryTarget, Mailbox, Organization, Policy } from './policy.ts';

/** A domain that one of our organizations accepts, and whose it is. */
export interface DomainOwner {
  readonly organization: Organization;
  readonly domain: AcceptedDomain;
}

interface Index {
  readonly byId: ReadonlyMap<string, Organization>;
  readonly exact: ReadonlyMap<string, DomainOwner>;
  readonly withSubDomains: readonly DomainOwner[];
  readonly mailboxes: ReadonlyMap<string, { organization: Organization; mailbox: Mailbox }>;
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
  const exact = new Map<string, DomainOwner>();
  const withSubDomains: DomainOwner[] = [];
  const mailboxes = new Map<string, { organization: Organization; mailbox: Mailbox }>();
  for (const organization of policy.organizations) {
    for (const domain of organization.acceptedDomains) {
      exact.set(domain.domain, { organization, domain });
      if (domain.matchSubDomains) withSubDomains.push({ organization, domain });
    }
    for (const mailbox of organization.mailboxes) {
      for (const address of mailbox.addresses) {
        mailboxes.set(mailboxKey(address), { organization, mailbox });
      }
    }
  }
  withSubDomains.sort((a, b) => b.domain.domain.length - a.domain.domain.length);
  const byId = new Map(policy.organizations.map((org) => [org.id, org] as const));
  return { byId, exact, withSubDomains, mailboxes };
}

function mailboxKey(address: Address): string {
  return `${address.localPart.toLowerCase()}@${address.domain}`;
}

export function findOrganization(policy: Policy, id: string): Organization | null {
  return indexOf(policy).byId.get(id) ?? null;
}

/** The accepted domain that holds `domain`: itself, or the longest one above with matchSubDomains. */
export function findDomainOwner(policy: Policy, domain: string): DomainOwner | null {
  const index = indexOf(policy);
  const exact = index.exact.get(domain);
  if (exact !== undefined) return exact;
  return index.withSubDomains.find((owner) => isUnderDomain(domain, owner.domain.domain)) ?? null;
}

/** Local-parts of our own mailboxes ignore case. */
export function findMailbox(
  policy: Policy,
  address: Address,
): { organization: Organization; mailbox: Mailbox } | null {
  return indexOf(policy).mailboxes.get(mailboxKey(address)) ?? null;
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
