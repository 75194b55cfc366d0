/**
 * Recipients that stand for all those whose mail two policies may send by different ways.
 *
 * One for each pattern of outbound connectors and each own accepted domain, of both; and one for each
 * domain of another organization that has another owner now, or whose owner a connector trusts.
 */
import type { DomainPattern } from '../mail/domain-pattern.ts';
import type { Compared } from './compared-organizations.ts';
import { patternsOfAccepted } from './compared-organizations.ts';
import { findDomainOwner, findOrganization } from './directory.ts';
import type { Organization, Policy } from './policy.ts';
import type { SampledDomain } from './sampled-domains.ts';
import { samplerFor, unusedName } from './sampled-domains.ts';

/** A recipient for each sample, none of whom has a mailbox here. `owner`: equal where it decides alike. */
export interface SampledRecipient extends SampledDomain {
  readonly localPart: string;
  readonly owner: string;
}

export function sampleRecipients(compared: Compared): readonly SampledRecipient[] {
  const { was, is, owners } = compared;
  const trusted = trustedIn(compared);
  const patterns = [
    ...[was, is].flatMap(({ outboundConnectors, acceptedDomains }) => [
      { kind: 'any' } as const,
      ...outboundConnectors.flatMap(({ recipientDomains }) => recipientDomains),
      ...acceptedDomains.flatMap(patternsOfAccepted),
    ]),
    ...owners.moved,
    ...acceptedOf(compared, trusted),
  ];
  const localPart = unusedName('somebody', new Set([was, is].flatMap(localPartsOf)));
  const samples = patterns.map(samplerFor(patterns, owners.labels));
  const ownerOf = ownersOf(compared, trusted);
  const byDomain = new Map(
    samples.map((each) => [each.domain, { ...each, localPart, owner: ownerOf(each.domain) }]),
  );
  return [...byDomain.values()];
}

/**
 * Organizations that any connector of either trusts; none where connectors and rules are the same, so
 * that only a domain that has moved takes another way.
 */
function trustedIn({ was, is }: Compared): ReadonlySet<string> {
  if (textOfWays(was) === textOfWays(is)) return new Set();
  return new Set(
    [was, is].flatMap(({ outboundConnectors }) =>
      outboundConnectors.flatMap(({ trustedOrganizations }) => trustedOrganizations),
    ),
  );
}

function textOfWays({ outboundConnectors, rules }: Organization): string {
  return JSON.stringify([outboundConnectors, rules]);
}

function acceptedOf(
  { before, after }: Compared,
  organizations: ReadonlySet<string>,
): readonly DomainPattern[] {
  return [...organizations].flatMap((id) =>
    [before, after].flatMap(
      (policy) => findOrganization(policy, id)?.acceptedDomains.flatMap(patternsOfAccepted) ?? [],
    ),
  );
}

/** Nobody's, this organization's, another one's, or that of one that connectors trust, by its id. */
function ownersOf(
  { before, after, was, is }: Compared,
  trusted: ReadonlySet<string>,
): (domain: string) => string {
  const ownerIn = (policy: Policy, own: Organization, domain: string): string => {
    const id = findDomainOwner(policy, domain)?.organization.id;
    if (id === undefined) return 'nobody';
    if (id === own.id) return 'own';
    return trusted.has(id) ? `trusted ${id}` : 'another';
  };
  return (domain) => `${ownerIn(before, was, domain)}, ${ownerIn(after, is, domain)}`;
}

function localPartsOf({ mailboxes }: Organization): readonly string[] {
  return mailboxes.flatMap(({ addresses }) => addresses.map((each) => each.localPart));
}
