/**
 * The address at which other servers rehearse: what is sent to it is judged, answered, and kept by
 * nobody. An organization that names none has none.
 */
import type { Address } from '../mail/address.ts';
import { findDomainOwner, findNamed, mailboxKey } from './directory.ts';
import type { InboundSession } from './inbound-session.ts';
import type { Organization, Policy } from './policy.ts';

/**
 * Only in a proven domain of the organization that names it; and where a mailbox, alias or listed
 * recipient has the same address, mail is that one's: what was taken for somebody is never thrown away.
 */
export function isRehearsalAddress(policy: Policy, recipient: Address): boolean {
  return organizationOf(policy, recipient) !== null;
}

/**
 * Whose rehearsal address the recipient is, where the session may rehearse; null where the mail is to be
 * treated as any other. Who signed in sends mail and rehearses nothing.
 */
export function findRehearsal(
  policy: Policy,
  session: InboundSession,
  recipient: Address,
): Organization | null {
  if (session.account !== null || session.listener === 'submission') return null;
  return organizationOf(policy, recipient);
}

function organizationOf(policy: Policy, recipient: Address): Organization | null {
  const owner = findDomainOwner(policy, recipient.domain);
  const named = owner?.organization.rehearsalAddress ?? null;
  if (owner === null || named === null || mailboxKey(named) !== mailboxKey(recipient)) return null;
  return findNamed(policy, recipient) === null ? owner.organization : null;
}
