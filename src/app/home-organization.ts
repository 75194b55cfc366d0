/** Whose mailbox speaks for the gateway itself, where a command names no sender. */
import type { Mailbox, Organization, Policy } from '../policy/policy.ts';
import { findDomainOwner } from '../policy/directory.ts';

/** The organization in whose domain our own name lies; else the only one. Null: nobody is guessed. */
export function homeOrganization(policy: Policy): Organization | null {
  const labels = policy.hostName.split('.');
  for (const place of labels.keys()) {
    const owner = findDomainOwner(policy, labels.slice(place).join('.'));
    if (owner !== null) return owner.organization;
  }
  return policy.organizations.length === 1 ? policy.organizations[0]! : null;
}

/** Its first mailbox; null where it has none. */
export function homeMailbox(policy: Policy): Mailbox | null {
  return homeOrganization(policy)?.mailboxes[0] ?? null;
}
