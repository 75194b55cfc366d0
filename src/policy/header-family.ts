/**
 * Families of header fields that only we, or servers that we trust, may write.
 *
 * For the header firewall in both directions and for DSNs, which return the header of a message.
 * @see docs/adr/0009, docs/adr/0025
 */
import { loopField } from './rules/header-edit.ts';

/** Names for logs, the trace and the metric; one family may be many fields. */
export type HeaderFamily =
  | 'X-MS-Exchange-Organization'
  | 'X-MS-Exchange-Forest'
  | 'X-MS-Exchange-CrossPremises'
  | 'X-MS-Exchange-ExternalOriginalInternetSender'
  | 'X-MS-Exchange-SkipListedInternetSender'
  | 'X-OriginatorOrg'
  | 'Authentication-Results'
  | 'Return-Path'
  | 'X-Postern'
  | 'Bcc';

/** By the beginning of the name, lower case. `x-postern-` holds every field of our own. */
const familyByPrefix: readonly (readonly [string, HeaderFamily])[] = [
  ['x-ms-exchange-organization-', 'X-MS-Exchange-Organization'],
  ['x-ms-exchange-forest-', 'X-MS-Exchange-Forest'],
  ['x-ms-exchange-crosspremises-', 'X-MS-Exchange-CrossPremises'],
  ['x-postern-', 'X-Postern'],
];

const familyByName: ReadonlyMap<string, HeaderFamily> = new Map([
  ['x-ms-exchange-externaloriginalinternetsender', 'X-MS-Exchange-ExternalOriginalInternetSender'],
  ['x-ms-exchange-skiplistedinternetsender', 'X-MS-Exchange-SkipListedInternetSender'],
  ['x-originatororg', 'X-OriginatorOrg'],
  ['authentication-results', 'Authentication-Results'],
  ['return-path', 'Return-Path'],
  ['bcc', 'Bcc'],
  ['resent-bcc', 'Bcc'],
]);

/** What an organization says to itself about a message: it never leaves under these names. */
const internalFamilies: ReadonlySet<HeaderFamily | null> = new Set<HeaderFamily>([
  'X-MS-Exchange-Organization',
  'X-MS-Exchange-Forest',
  'X-MS-Exchange-CrossPremises',
]);

/** Null for a field that anybody may write. */
export function familyOf(name: string): HeaderFamily | null {
  const lower = name.toLowerCase();
  // It comes back with the message; whoever forges it has only its own mail refused sooner.
  if (lower === loopField) return null;
  const family = familyByName.get(lower);
  if (family !== undefined) return family;
  return familyByPrefix.find(([prefix]) => lower.startsWith(prefix))?.[1] ?? null;
}

/** Whether a field of this family is for the organization's own servers alone. */
export function isInternal(family: HeaderFamily | null): boolean {
  return internalFamilies.has(family);
}

/** Whether some field of the header may be internal, or `X-OriginatorOrg`: spares most mail a scan. */
export function mayHoldInternal(header: string): boolean {
  return internalOrOriginator.test(header);
}

const internalOrOriginator = /x-ms-exchange-(?:organization|forest|crosspremises)|x-originatororg/i;
