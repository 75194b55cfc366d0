/**
 * What the policy, the queue and the log need to know of a message's header.
 *
 * From decides about spoofing: what cannot be read in exactly one way is `unreadable`, so that the
 * policy refuses instead of guessing.
 * @see RFC 5322 §3.6
 */
import type { Address } from '../mail/address.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { HeaderFrom } from '../policy/judge-sender.ts';
import {
  addressListLengthMax,
  parseAddressList,
} from '../standards/message-format/address-list.ts';
import type {
  FieldSpan,
  HeaderProblem,
  HeaderScan,
} from '../standards/message-format/header-fields.ts';
import {
  nameOfMalformed,
  scanHeaderFields,
  unfoldValue,
} from '../standards/message-format/header-fields.ts';
import { decodeValue } from './header-block.ts';

/** Texts are sanitized; encoded words stay as written. */
export interface HeaderFacts {
  /** The addresses of every From field together. */
  readonly from: HeaderFrom;
  /** Why From is unreadable, completing "the field …"; null otherwise. */
  readonly fromProblem: string | null;
  /** For the detection of loops. */
  readonly receivedCount: number;
  /** With its angle brackets; null where there is none, or an empty one. */
  readonly messageId: string | null;
  readonly hasMessageId: boolean;
  readonly hasDate: boolean;
  readonly subject: string | null;
  /** Some line is no field, or a line end is no CRLF. */
  readonly isMalformed: boolean;
}

/** Reads a header block of up to 256 KB in linear time; never throws. */
export function readHeaderFacts(header: Buffer): HeaderFacts {
  const text = header.toString('latin1');
  return factsOfScan(text, scanHeaderFields(text));
}

/** The same of a header that was scanned already; `text` is the header as latin1. */
export function factsOfScan(text: string, scan: HeaderScan): HeaderFacts {
  const found = sortFields(scan.fields);
  const from = readFrom(text, found.from, scan);
  return {
    from: from.from,
    fromProblem: from.problem,
    receivedCount: found.receivedCount,
    messageId: readText(text, found.messageId),
    hasMessageId: found.messageId !== null,
    hasDate: found.hasDate,
    subject: readText(text, found.subject),
    isMalformed: scan.problems.length > 0,
  };
}

interface FoundFields {
  readonly from: FieldSpan[];
  receivedCount: number;
  messageId: FieldSpan | null;
  hasDate: boolean;
  subject: FieldSpan | null;
}

/** Of a field that should stand once, the first counts; of From, all. */
function sortFields(fields: readonly FieldSpan[]): FoundFields {
  const found: FoundFields = {
    from: [],
    receivedCount: 0,
    messageId: null,
    hasDate: false,
    subject: null,
  };
  for (const field of fields) {
    switch (field.name.toLowerCase()) {
      case 'from':
        found.from.push(field);
        break;
      case 'received':
        found.receivedCount++;
        break;
      case 'message-id':
        found.messageId ??= field;
        break;
      case 'date':
        found.hasDate = true;
        break;
      case 'subject':
        found.subject ??= field;
        break;
      default:
    }
  }
  return found;
}

function readText(text: string, field: FieldSpan | null): string | null {
  if (field === null) return null;
  const value = sanitizePeerText(decodeValue(text, field));
  return value.length === 0 ? null : value;
}

/** Defects of the block after which readers no longer agree on what its fields are. */
const deceptive: ReadonlyMap<HeaderProblem, string> = new Map([
  ['too-many-fields', 'stands in a header with too many fields'],
  ['bare-line-end', 'stands in a header with a bare CR or LF'],
  ['null-byte', 'stands in a header with a null byte'],
  ['continuation-first', 'may hide in the first line, which begins with white space'],
]);

interface ReadFrom {
  readonly from: HeaderFrom;
  readonly problem: string | null;
}

function readFrom(text: string, fields: readonly FieldSpan[], scan: HeaderScan): ReadFrom {
  for (const problem of scan.problems) {
    const reason = deceptive.get(problem);
    if (reason !== undefined) return unreadable(reason);
  }
  // Only some readers see it: whoever asks of whom the message is must not be told of the others.
  if (scan.malformed.some((line) => nameOfMalformed(text, line).toLowerCase() === 'from')) {
    return unreadable('stands in a line that is no field, and that some readers take for one');
  }
  if (fields.length === 0) return { from: { kind: 'none' }, problem: null };
  const lengthAll = fields.reduce((sum, field) => sum + field.end - field.start, 0);
  if (lengthAll > addressListLengthMax) return unreadable('is too long');
  const addresses: Address[] = [];
  for (const field of fields) {
    const list = parseAddressList(unfoldValue(text, field));
    if (list.kind === 'unparsable') return unreadable(list.reason);
    addresses.push(...list.addresses);
  }
  return { from: { kind: 'addresses', addresses }, problem: null };
}

function unreadable(problem: string): ReadFrom {
  return { from: { kind: 'unreadable' }, problem };
}
