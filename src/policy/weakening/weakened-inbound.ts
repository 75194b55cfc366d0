/** What an inbound connector no longer demands of the mail that it concerns. */
import { addedRanges } from '../address-cover.ts';
import { requirementOfInbound } from '../connector-clauses.ts';
import type { InboundConnector } from '../policy.ts';
import { describeLost } from './weakened-demands.ts';

/** `what` completes `the connector …`, or `the organization …` where `connector` is null. */
export interface ConnectorLoss {
  readonly connector: string | null;
  readonly what: string;
}

/**
 * What meets `after` without meeting `before`; null where it enforces nothing any more. Which mail the
 * two concern is looked at apart, in `weakened-sessions.ts`.
 */
export function inboundLosses(before: InboundConnector, after: InboundConnector | null): string[] {
  const requirement = after === null ? { clauses: [] } : requirementOfInbound(after);
  return [
    ...describeLost(requirementOfInbound(before).clauses, requirement),
    ...lostAddresses(before, after),
    ...(after === null ? [] : newlyTrusted(before, after)),
  ];
}

function lostAddresses(before: InboundConnector, after: InboundConnector | null): string[] {
  if (!before.restrictDomainsToIPAddresses) return [];
  if (after === null || !after.restrictDomainsToIPAddresses) return ['takes mail from any address'];
  return textOf(
    'also takes mail from',
    addedRanges(before.senderIPAddresses, after.senderIPAddresses),
  );
}

/** They need show neither certificate nor address. */
function newlyTrusted(before: InboundConnector, after: InboundConnector): string[] {
  if (!before.restrictDomainsToIPAddresses && !before.restrictDomainsToCertificate) return [];
  const known = new Set(before.trustedOrganizations);
  return textOf(
    'trusts',
    after.trustedOrganizations.filter((each) => !known.has(each)),
  );
}

function textOf(what: string, list: readonly string[]): string[] {
  return list.length === 0 ? [] : [`${what} ${list.join(', ')}`];
}
