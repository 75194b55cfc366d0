/** What a validation is asked for, and what of it stands before anything is dialled. */
import type { Address, ReversePath } from '../../mail/address.ts';
import { formatAddress } from '../../mail/address.ts';
import { Failure } from '../../mail/failure.ts';
import { findDomainOwner, findOrganization, firstDomainOf } from '../../policy/directory.ts';
import type { OutboundConnector, Policy } from '../../policy/policy.ts';
import type { ValidationTrigger } from '../../policy/validation/alarms-after.ts';
import { validationRecipientsMax } from '../../policy/validation/run.ts';

/**
 * `draft` is a connector's value as it would stand in the configuration, in the place of the one of that
 * name; null validates the one in force. `recipients` null: those of the connector. `from` null is
 * Exchange's sender, `subject` null Exchange's subject. `orderedBy` says in words who wants it.
 * `stopBefore` mail is a probe: only TLS is looked at, and the run is kept nowhere.
 */
export interface ValidationOrder {
  readonly organization: string;
  readonly connector: string;
  readonly draft: Readonly<Record<string, unknown>> | null;
  readonly recipients: readonly Address[] | null;
  readonly reversePath: ReversePath;
  readonly from: Address | null;
  readonly subject: string | null;
  readonly stopBefore: 'mail' | 'data' | null;
  readonly trigger: ValidationTrigger;
  readonly orderedBy: string;
}

/** Null where there is none of that name. */
export function findConnector(
  policy: Policy,
  { organization, connector }: Pick<ValidationOrder, 'organization' | 'connector'>,
): OutboundConnector | null {
  const found = findOrganization(policy, organization)?.outboundConnectors;
  return found?.find(({ name }) => name === connector) ?? null;
}

/** The addresses that are tested with. Throws `validation-refused`. */
export function recipientsOf(
  { recipients }: ValidationOrder,
  connector: OutboundConnector,
): readonly Address[] {
  const all = recipients ?? connector.validation.validationRecipients;
  if (all.length <= validationRecipientsMax) return all;
  const text = `a validation tests with ${validationRecipientsMax} addresses at most`;
  throw new Failure('validation-refused', text);
}

/**
 * Whom the test says it is from; whoever orders it writes as nobody else. Throws `validation-refused`
 * for an address that is in no domain of the organization.
 */
export function senderOf(
  policy: Policy,
  { organization, from, reversePath }: ValidationOrder,
): Address {
  for (const address of [from, reversePath]) {
    if (address === null || isOwn(policy, organization, address)) continue;
    const text = `${formatAddress(address)} is in no accepted domain of ${organization}`;
    throw new Failure('validation-refused', text);
  }
  const domain = firstDomainOf(findOrganization(policy, organization)!) ?? policy.hostName;
  return from ?? { localPart: 'O365ConnectorValidation', domain };
}

function isOwn(policy: Policy, organization: string, { domain }: Address): boolean {
  return findDomainOwner(policy, domain)?.organization.id === organization;
}
