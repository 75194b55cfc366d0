/**
 * Checks of rehearsal addresses, on the whole, sound configuration: each is the organization's, and
 * nobody else's, since what is sent to it is thrown away.
 */
import type { Address } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';
import { findDomainOwner, findNamed, withoutExtension } from '../policy/directory.ts';
import type { Organization, Policy } from '../policy/policy.ts';
import type { Report } from './parts.ts';

export function checkRehearsals(policy: Policy, report: Report): void {
  policy.organizations.forEach((organization, place) => {
    const { rehearsalAddress } = organization;
    if (rehearsalAddress === null) return;
    const text = complainOf(policy, organization, rehearsalAddress);
    if (text === null) return;
    report({ path: ['organizations', place, 'rehearsalAddress'], at: 'value', text });
  });
}

function complainOf(policy: Policy, organization: Organization, address: Address): string | null {
  const written = formatAddress(address);
  if (findDomainOwner(policy, address.domain)?.organization !== organization) {
    return `${written} is in no accepted domain of this organization: no mail for it comes here`;
  }
  const named = findNamed(policy, address);
  if (named !== null)
    return `${written} is ${whose(named)}: what is sent to it must not be thrown away`;
  const { localPart } = withoutExtension(address, organization.addressExtension) ?? address;
  if (localPart.toLowerCase() === 'postmaster') {
    return `${written} must reach somebody in every domain; choose another name, as rehearsal@${address.domain}`;
  }
  return null;
}

function whose(named: NonNullable<ReturnType<typeof findNamed>>): string {
  switch (named.kind) {
    case 'mailbox':
      return `an address of the mailbox "${named.mailbox.account}"`;
    case 'alias':
      return `the alias ${formatAddress(named.alias.address)}`;
    case 'listed':
      return 'in the list of recipients of its domain';
  }
}
