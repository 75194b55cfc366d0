/**
 * Skip listing (Exchange's enhanced filtering): who sent a message before hops that are known, for
 * SPF and reports.
 *
 * Down from the connecting address, each hop that is passed over says by its own Received field whom
 * it had the message from. The walk ends at the first address that is not passed over: what stands
 * below was written by that one, or for it, and is believed nothing.
 * @see Set-InboundConnector: EFSkipLastIP, EFSkipIPs, EFUsers; docs/adr/0025
 */
import ipaddr from 'ipaddr.js';
import type { Address } from '../mail/address.ts';
import { mailboxKey } from './directory.ts';
import { isInRanges } from './ip-match.ts';
import type { EnhancedFiltering, InboundConnector } from './policy.ts';

/** Whom a server had a message from, by its Received field; `heloName` as that client called itself. */
export interface Hop {
  readonly address: string;
  readonly heloName: string;
}

/** More than any message has that is taken (the limit of Received fields). */
const hopsMax = 100;

/**
 * The filtering of the connectors that a message came by; of several that have one, the first by
 * name. Null where none has.
 */
export function filteringOf(connectors: readonly InboundConnector[]): EnhancedFiltering | null {
  const filtering = connectors.filter((each) => isFilteringOn(each.enhancedFiltering));
  const [first] = filtering.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return first?.enhancedFiltering ?? null;
}

function isFilteringOn({ skipLastIP, skipIPs }: EnhancedFiltering): boolean {
  return skipLastIP || skipIPs.length > 0;
}

/**
 * The source before the hops that are passed over; null where none is, or where a hop does not say
 * whom it had the message from. `hops` are the Received fields as they arrived, the newest first, null
 * where one names no address; only as many are read as the walk needs.
 */
export function findOriginalSource(
  hops: Iterable<Hop | null>,
  clientAddress: string,
  filtering: EnhancedFiltering,
): Hop | null {
  if (!isFilteringOn(filtering) || !isPassedOver(clientAddress, true, filtering)) return null;
  let count = 0;
  for (const hop of hops) {
    if (hop === null || ++count > hopsMax) return null;
    if (!isPassedOver(hop.address, false, filtering)) return hop;
  }
  return null;
}

/** With `skipLastIP` the connecting address alone; private ones in any case. */
function isPassedOver(address: string, isClient: boolean, filtering: EnhancedFiltering): boolean {
  if (filtering.skipLastIP) return isClient || isInside(address);
  return isInRanges(address, filtering.skipIPs) || isInside(address);
}

const insideRanges: ReadonlySet<string> = new Set([
  'private',
  'uniqueLocal',
  'loopback',
  'linkLocal',
]);

/** Of a private network, or of one machine. @see RFC 6890 */
function isInside(address: string): boolean {
  return ipaddr.isValid(address) && insideRanges.has(ipaddr.process(address).range());
}

/** Whether every recipient is one that the filtering is for; without a list it is for all. */
export function isForRecipients(
  { users }: EnhancedFiltering,
  recipients: readonly Address[],
): boolean {
  if (users.length === 0) return true;
  const listed = new Set(users.map(mailboxKey));
  return recipients.length > 0 && recipients.every((each) => listed.has(mailboxKey(each)));
}
