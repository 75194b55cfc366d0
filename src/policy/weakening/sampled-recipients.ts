/**
 * Recipients that stand for all those whose mail two policies may send by different ways.
 *
 * One for each pattern of outbound connectors and each own accepted domain, of both; and one for each
 * domain of which it matters whose it is: since that changed, or since connectors did that trust.
 */
import type { DomainPattern } from '../../mail/domain-pattern.ts';
import type { Compared } from './compared-organizations.ts';
import { patternsOfAccepted } from './compared-organizations.ts';
import { findDomainOwner, findOrganization } from '../directory.ts';
import type { Organization, Policy } from '../policy.ts';
import { areAlike } from './same-text.ts';
import type { SampledDomain } from './sampled-domains.ts';
import { samplerFor, unusedName } from './sampled-domains.ts';

/** A recipient for each sample, none of whom has a mailbox here. `owner`: equal where it decides alike. */
export interface SampledRecipient extends SampledDomain {
  readonly localPart: string;
  readonly owner: string;
}

export function sampleRecipients(compared: Compared): readonly SampledRecipient[] {
  const { was, is, owners } = compared;
  // Where connectors and rules are the same, only a domain that has moved takes another way.
  const haveSameWays = areAlike(waysOf(was), waysOf(is));
  const trusted = new Set(haveSameWays ? [] : [...trustedBy(was), ...trustedBy(is)]);
  const patterns = [
    ...[was, is].flatMap(({ outboundConnectors, acceptedDomains }) => [
      { kind: 'any' } as const,
      ...outboundConnectors.flatMap(({ recipientDomains }) => recipientDomains),
      ...acceptedDomains.flatMap(patternsOfAccepted),
    ]),
    ...movedFor(compared),
    ...acceptedOf(compared, trusted),
    ...(haveSameWays ? [] : nestedFor(compared)),
  ];
  const localPart = unusedName('somebody', new Set([was, is].flatMap(localPartsOf)));
  const samples = patterns.map(samplerFor(patterns, owners.labels));
  const ownerOf = ownersOf(compared, trusted);
  const byDomain = new Map(
    samples.map((each) => [each.domain, { ...each, localPart, owner: ownerOf(each.domain) }]),
  );
  return [...byDomain.values()];
}

/** Whether all mail takes the same way, without a look at any of it. */
export function isSameWay(compared: Compared): boolean {
  const { was, is } = compared;
  return (
    areAlike(waysOf(was), waysOf(is)) && isSameBeside(compared) && movedFor(compared).length === 0
  );
}

/** Whether all but connectors and rules is the same of what decides about the way of mail. */
export function isSameBeside({ was, is }: Compared): boolean {
  return JSON.stringify(besidesWays(was)) === JSON.stringify(besidesWays(is));
}

function waysOf({ outboundConnectors, rules }: Organization): readonly object[] {
  return [...outboundConnectors, ...rules];
}

/** Without what decides about no way of mail to somebody who has no mailbox here. */
function besidesWays(organization: Organization): Organization {
  const without = { mailboxes: [], aliases: [], inboundConnectors: [] };
  return { ...organization, ...without, outboundConnectors: [], rules: [] };
}

/**
 * Who has a domain makes mail to it go under less only where a connector trusts whoever has it now,
 * or where nobody has it now, and mail that leaves the gateway may go in clear.
 */
function movedFor({ is, owners: { moved } }: Compared): readonly DomainPattern[] {
  if (moved.size === 0) return [];
  const trusted = [...trustedBy(is)].flatMap((id) => moved.get(id) ?? []);
  return mayBeAnyClear(is) ? [...trusted, ...(moved.get(null) ?? [])] : trusted;
}

function mayBeAnyClear({ defaultConnector, outboundConnectors }: Organization): boolean {
  return [defaultConnector, ...outboundConnectors].some((each) => each.clearTextAfterFailedTls);
}

/** Mail to what lies below own domains and is another's does not go as mail to these. */
function nestedFor({ was, is, owners: { nested } }: Compared): readonly DomainPattern[] {
  return [...new Set([was.id, is.id])].flatMap((id) => nested.get(id) ?? []);
}

function trustedBy({ outboundConnectors }: Organization): ReadonlySet<string> {
  return new Set(outboundConnectors.flatMap(({ trustedOrganizations }) => trustedOrganizations));
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
