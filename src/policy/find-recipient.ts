/**
 * Whether a recipient exists, and what it is: the rules of accepted domains, in their order.
 *
 * The exact name before the name without its extension; then postmaster, whom every domain has; then
 * what the domain says about all others.
 * @see RFC 5321 §4.5.1 (postmaster)
 */
import type { Address } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';
import type { DomainOwner } from './directory.ts';
import { findDomainOwner, findNamed, withoutExtension } from './directory.ts';
import type { Policy } from './policy.ts';
import { isRehearsalAddress } from './rehearsal-address.ts';

/**
 * `alias`: mail goes to `to` (never empty) in place of `name`. `elsewhere`: another server keeps it,
 * or is supposed to; with `verify` that server is to be asked. `foreign`: in no domain of ours.
 */
export type FoundRecipient =
  | { readonly kind: 'mailbox' }
  | {
      readonly kind: 'alias';
      readonly via: 'alias' | 'catch-all' | 'postmaster';
      readonly name: Address;
      readonly to: readonly Address[];
    }
  | { readonly kind: 'elsewhere'; readonly existence: 'listed' | 'any' | 'postmaster' | 'verify' }
  | { readonly kind: 'unknown'; readonly reason: string }
  | { readonly kind: 'foreign' };

export function findRecipient(policy: Policy, recipient: Address): FoundRecipient {
  if (isRehearsalAddress(policy, recipient)) {
    const who = formatAddress(recipient);
    const reason = `${who} is a rehearsal address, which answers mail of other servers and keeps none`;
    return { kind: 'unknown', reason };
  }
  const named = findNamed(policy, recipient);
  switch (named?.kind) {
    case 'mailbox':
      return { kind: 'mailbox' };
    case 'alias':
      return { kind: 'alias', via: 'alias', name: named.alias.address, to: named.alias.to };
    case 'listed':
      return { kind: 'elsewhere', existence: 'listed' };
    case undefined: {
      const owner = findDomainOwner(policy, recipient.domain);
      return owner === null ? { kind: 'foreign' } : findUnnamed(owner, recipient);
    }
  }
}

/** No name of ours: by the rule of the domain. */
function findUnnamed(owner: DomainOwner, recipient: Address): FoundRecipient {
  const { recipients, catchAll } = owner.domain;
  if (recipients.kind === 'any') return { kind: 'elsewhere', existence: 'any' };
  if (isPostmaster(owner, recipient)) return findPostmaster(owner, recipient);
  if (recipients.kind === 'verify') return { kind: 'elsewhere', existence: 'verify' };
  if (catchAll !== null) {
    return { kind: 'alias', via: 'catch-all', name: recipient, to: [catchAll] };
  }
  const { name } = owner.organization;
  const what = recipients.kind === 'list' ? 'recipient' : 'mailbox';
  return { kind: 'unknown', reason: `${formatAddress(recipient)} is no ${what} of ${name}` };
}

function isPostmaster({ organization }: DomainOwner, recipient: Address): boolean {
  const { localPart } = withoutExtension(recipient, organization.addressExtension) ?? recipient;
  return localPart.toLowerCase() === 'postmaster';
}

/** Without a mailbox or alias of that name: the first mailbox, the catch-all, the domain's server. */
function findPostmaster(owner: DomainOwner, name: Address): FoundRecipient {
  const { organization, domain } = owner;
  const first = organization.mailboxes[0]?.addresses[0] ?? domain.catchAll;
  if (first !== null) return { kind: 'alias', via: 'postmaster', name, to: [first] };
  if (domain.deliveryTarget !== null || domain.type === 'internal-relay') {
    return { kind: 'elsewhere', existence: 'postmaster' };
  }
  const reason = `${formatAddress(name)} has nowhere to go: ${organization.name} has no mailbox, and no alias of this name`;
  return { kind: 'unknown', reason };
}
