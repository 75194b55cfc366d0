/**
 * The header firewall: fields that only we, or servers that we trust, may write.
 *
 * A stranger who could write them would speak in our name: "internal", "checked", "scanned". They
 * are removed on arrival, with their continuation lines and in every spelling that some reader takes
 * for the field. All other fields, signatures among them, are not touched.
 * @see RFC 8601 §5 (Authentication-Results), RFC 5321 §4.4 (Return-Path), RFC 6409 §8, ADR 0009
 */
import { parseDomain } from '../mail/domain.ts';
import type { HeaderFamily } from '../policy/header-family.ts';
import { familyOf } from '../policy/header-family.ts';
import { parseAuthservId } from '../standards/message-format/authserv-id.ts';
import type { FieldSpan, HeaderScan } from '../standards/message-format/header-fields.ts';
import { nameOfMalformed, unfoldValue } from '../standards/message-format/header-fields.ts';

/** What no stranger may write. */
export const strangersFamilies: ReadonlySet<HeaderFamily> = new Set([
  'X-MS-Exchange-Organization',
  'X-MS-Exchange-Forest',
  'X-MS-Exchange-CrossPremises',
  'X-MS-Exchange-ExternalOriginalInternetSender',
  'X-MS-Exchange-SkipListedInternetSender',
  'X-OriginatorOrg',
  'Authentication-Results',
  'Return-Path',
  'X-Postern',
]);

/** What a submitted message must not carry on: the above, and whom its other readers must not see. */
export const submittersFamilies: ReadonlySet<HeaderFamily> = new Set([...strangersFamilies, 'Bcc']);

/** A field to remove; `name` as written, null where the line is no field by the grammar. */
export interface ForbiddenField {
  readonly family: HeaderFamily;
  readonly name: string | null;
  readonly start: number;
  readonly end: number;
}

export interface FirewallRules {
  /** An Authentication-Results field of this id, our canonical host name, is a claim in our name. */
  readonly hostName: string;
  readonly forbids: ReadonlySet<HeaderFamily>;
  /** Cross-premises fields become the organization's own; absent or false: as forbidden. */
  readonly promotes?: boolean;
}

/** The fields to remove, in order; `text` is the header as latin1 and `scan` made of it. */
export function findForbiddenFields(
  text: string,
  scan: HeaderScan,
  rules: FirewallRules,
): readonly ForbiddenField[] {
  const found: ForbiddenField[] = [];
  for (const field of scan.fields) {
    const family = mayBeForbidden(text.charCodeAt(field.start)) ? familyOf(field.name) : null;
    if (family === null) continue;
    found.push({ family, name: field.name, start: field.start, end: field.end });
  }
  for (const line of scan.malformed) {
    const family = familyOf(nameOfMalformed(text, line));
    if (family !== null) found.push({ family, name: null, start: line.start, end: line.end });
  }
  if (found.length === 0) return found;
  return found
    .filter(({ family }) => rules.forbids.has(family))
    .filter((field) => field.family !== 'Authentication-Results' || isOurs(text, field, rules))
    .sort((a, b) => a.start - b.start);
}

/** By the first letter: spares the ordinary field everything else. */
function mayBeForbidden(code: number): boolean {
  switch (code | 0x20) {
    case 0x61: // a
    case 0x62: // b
    case 0x72: // r
    case 0x78: // x
      return true;
    default:
      return false;
  }
}

/** Whether the results are given in our name. Where nobody can tell, our name anywhere decides. */
function isOurs(text: string, field: ForbiddenField, rules: FirewallRules): boolean {
  const valueStart = text.indexOf(':', field.start) + 1;
  const span: FieldSpan = { name: '', start: field.start, valueStart, end: field.end };
  const value = unfoldValue(text, span);
  const id = parseAuthservId(value);
  if (id === null) return value.toLowerCase().includes(rules.hostName);
  const written = Buffer.from(id, 'latin1').toString('utf8');
  return (parseDomain(written) ?? written.toLowerCase()) === rules.hostName;
}
