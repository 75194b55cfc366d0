/** The address that speaks for an organization to those who send it mail. */
import type { Address } from '../mail/address.ts';
import { findOrganization, firstDomainOf, isDomainOf } from './directory.ts';
import type { Policy } from './policy.ts';

/** Nobody's address in a domain that the organization has not proven. */
export function postmasterOf(policy: Policy, organizationId: string): Address {
  const organization = findOrganization(policy, organizationId);
  const named = organization?.postmaster ?? null;
  if (named !== null && isDomainOf(policy, organizationId, named.domain)) return named;
  const domain = organization === null ? null : firstDomainOf(organization);
  return { localPart: 'postmaster', domain: domain ?? policy.hostName };
}
