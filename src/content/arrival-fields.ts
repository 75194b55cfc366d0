/**
 * What we state in the header of an arriving message, besides Received: which way it goes, how its
 * sender was authenticated, and who sent it before hops that are passed over.
 *
 * A header is read once; what is stated is each organization's own, where a message has recipients
 * of several.
 */
import type { ArrivalStatement } from '../policy/arrival.ts';
import type { HeaderChanges } from '../policy/delivery.ts';
import type { Hop } from '../policy/original-source.ts';
import { findOriginalSource } from '../policy/original-source.ts';
import type { EnhancedFiltering } from '../policy/policy.ts';
import type { ArrivingHeader } from './arriving-header.ts';
import { composeFields } from './header-pieces.ts';

/** What an organization wants to read; both null: nothing. */
export interface ArrivalWishes {
  readonly statement: ArrivalStatement | null;
  readonly skipListing: SkipListing | null;
}

/** The filtering of the connectors that the message came by. */
export interface SkipListing {
  readonly filtering: EnhancedFiltering;
  readonly clientAddress: string;
  /** Every recipient is one that the filtering is for (`isForRecipients`). */
  readonly isForRecipients: boolean;
}

/** `isInScope`: it counts for SPF and reports. False: it is only shown, to see what would be. */
export interface OriginalSource extends Hop {
  readonly isInScope: boolean;
}

export interface StatedHeader {
  /** What stands in the place of the header, in order: what is stated first. */
  readonly pieces: readonly Buffer[];
  /** With what is stated; null where nothing was changed. */
  readonly changes: HeaderChanges | null;
  /** Null where nothing was passed over, or nobody asked. */
  readonly originalSource: OriginalSource | null;
}

/** The header as one organization gets it; `hostName` is ours. */
export function stateArrival(
  header: ArrivingHeader,
  hostName: string,
  { statement, skipListing }: ArrivalWishes,
): StatedHeader {
  const originalSource = findSource(header, skipListing);
  const fields = [
    ...fieldsOfStatement(header, hostName, statement),
    ...fieldsOfPromotion(header, hostName),
    ...fieldsOfSource(originalSource),
  ];
  const { pieces, changes } = header;
  if (fields.length === 0) return { pieces, changes, originalSource };
  const added = [...fields.map(([name]) => name), ...(changes?.added ?? [])];
  return {
    pieces: [composeFields(fields), ...pieces],
    changes: { removed: changes?.removed ?? {}, added },
    originalSource,
  };
}

function findSource(
  header: ArrivingHeader,
  skipListing: SkipListing | null,
): OriginalSource | null {
  if (skipListing === null) return null;
  const { clientAddress, filtering, isForRecipients: isInScope } = skipListing;
  const source = findOriginalSource(header.hops(), clientAddress, filtering);
  return source === null ? null : { ...source, isInScope };
}

/** A name, and a value of ASCII without line ends. */
type StatedField = readonly [string, string];

/** The other side's word on who sent it, where it gave one, says more than ours. */
function fieldsOfStatement(
  { promotion }: ArrivingHeader,
  hostName: string,
  statement: ArrivalStatement | null,
): readonly StatedField[] {
  if (statement === null) return [];
  const direction: StatedField = [
    'X-MS-Exchange-Organization-MessageDirectionality',
    statement.direction,
  ];
  if (promotion?.hasAuthAs === true) return [direction];
  return [
    direction,
    ['X-MS-Exchange-Organization-AuthSource', hostName],
    ['X-MS-Exchange-Organization-AuthAs', statement.authAs],
  ];
}

function fieldsOfPromotion({ promotion }: ArrivingHeader, hostName: string): StatedField[] {
  const hasPromoted = promotion?.edits.some(({ bytes }) => bytes !== null) === true;
  return hasPromoted ? [['X-CrossPremisesHeadersPromoted', hostName]] : [];
}

function fieldsOfSource(source: OriginalSource | null): readonly StatedField[] {
  if (source === null) return [];
  const value = `ip=[${source.address}];domain=${source.heloName}`;
  const shown: StatedField = ['X-MS-Exchange-SkipListedInternetSender', value];
  if (!source.isInScope) return [shown];
  return [shown, ['X-MS-Exchange-ExternalOriginalInternetSender', value]];
}
