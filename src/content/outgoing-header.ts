/**
 * The header firewall on the way out: what an organization says to itself does not leave.
 *
 * Through a connector that keeps it, it goes to the organization's other side under names that only
 * that side believes; to everybody else it is taken out. All other bytes stay.
 * @see New-OutboundConnector, CloudServicesMailEnabled; docs/adr/0025
 */
import { familyOf, isInternal, mayHoldInternal } from '../policy/header-family.ts';
import { nameOfMalformed, scanHeaderFields } from '../standards/message-format/header-fields.ts';
import { demote } from './cross-premises.ts';
import type { FieldEdit } from './header-pieces.ts';
import { replaceSpans, composeFields } from './header-pieces.ts';

/** How a route treats the organization's own fields. */
export interface OutgoingRules {
  /** Ours, to be named where fields were kept or taken out. */
  readonly hostName: string;
  /** The connector has `cloudServicesMailEnabled`. */
  readonly keepsCrossPremises: boolean;
  /** What `X-OriginatorOrg` states there; null states nothing. */
  readonly originatorOrg: string | null;
}

/**
 * What stands in the place of `header`, with the empty line that ends it; null where it goes out as
 * it is. Linear; never throws.
 */
export function outgoingHeader(header: Buffer, rules: OutgoingRules): readonly Buffer[] | null {
  const text = header.toString('latin1');
  if (!rules.keepsCrossPremises && !mayHoldInternal(text)) return null;
  const { edits, hasKept, hasLost } = editsOf(text, rules.keepsCrossPremises);
  const added: [string, string][] = [];
  if (hasKept) added.push(['X-OrganizationHeadersPreserved', rules.hostName]);
  if (hasLost) added.push(['X-CrossPremisesHeadersFilteredBySendConnector', rules.hostName]);
  if (rules.keepsCrossPremises && rules.originatorOrg !== null) {
    added.push(['X-OriginatorOrg', rules.originatorOrg]);
  }
  if (edits.length === 0 && added.length === 0) return null;
  const pieces = replaceSpans(header, edits);
  return added.length === 0 ? pieces : [composeFields(added), ...pieces];
}

interface OutgoingEdits {
  readonly edits: readonly FieldEdit[];
  /** Some field crosses to the other side. */
  readonly hasKept: boolean;
  /** Some internal field was taken out of mail to somebody else. */
  readonly hasLost: boolean;
}

function editsOf(text: string, keepsCrossPremises: boolean): OutgoingEdits {
  // Of a header that was taken, and that has grown since, no field may go unread.
  const scan = scanHeaderFields(text, Infinity);
  const edits: FieldEdit[] = [];
  let hasLost = false;
  for (const { name, start, end } of scan.fields) {
    const family = familyOf(name);
    if (keepsCrossPremises && family === 'X-MS-Exchange-Organization') {
      edits.push(demote({ name, start, end }));
    } else if (isInternal(family) || family === 'X-OriginatorOrg') {
      edits.push({ start, end, bytes: null });
      hasLost ||= !keepsCrossPremises && isInternal(family);
    }
  }
  for (const { start, end } of scan.malformed) {
    const family = familyOf(nameOfMalformed(text, { start, end }));
    if (isInternal(family) || family === 'X-OriginatorOrg') edits.push({ start, end, bytes: null });
  }
  edits.sort((a, b) => a.start - b.start);
  return { edits, hasKept: edits.some(({ bytes }) => bytes !== null), hasLost };
}
