/**
 * The Received field that each accepted message gets: from whom, over which protocol and TLS.
 *
 * It runs once per message, so it only joins strings. Text of the peer can neither break the header
 * nor end the comment that it stands in. Our own are found again, so that a loop is seen early.
 * @see RFC 5321 §4.4, RFC 3848 (ESMTPS, ESMTPSA), RFC 6531 §4.3 (UTF8SMTP), RFC 5322 §3.6.7
 */
import type { Address } from '../mail/address.ts';
import { formatPath } from '../mail/address.ts';
import type { TlsEvidence } from '../policy/evidence.ts';
import { formatDateTime } from '../standards/message-format/date-time.ts';
import type { FieldSpan } from '../standards/message-format/header-fields.ts';
import { isNamed, unfoldValue } from '../standards/message-format/header-fields.ts';

type ExtendedSuffix = '' | 'S' | 'A' | 'SA';
/** The protocol words; `S` is TLS, `A` is AUTH, `UTF8` where SMTPUTF8 was declared. */
export type WireProtocol = 'SMTP' | `ESMTP${ExtendedSuffix}` | `UTF8SMTP${ExtendedSuffix}`;
/** `inside`: it crossed no wire, another organization of this gateway handed it over. */
export type ReceivedProtocol = WireProtocol | 'inside';

/** `heloName` and `clientName` as the peer gave them; `clientName` null where none is known. */
export interface ReceivedFacts {
  readonly heloName: string;
  readonly clientAddress: string;
  readonly clientName: string | null;
  readonly byHost: string;
  readonly protocol: ReceivedProtocol;
  /** Null for a session in clear text. */
  readonly tls: TlsEvidence | null;
  /** Queue id. */
  readonly id: string;
  /** Null where the message has several recipients, who shall not learn of each other. */
  readonly recipient: Address | null;
  readonly atMs: number;
}

/** Behind our name: tells our fields from those of another server of the same host. */
const marker = '(Postern)';
const lineLengthAim = 78;
const wordLengthMax = 320;
const subjectLengthMax = 200;

/** One folded field with CRLFs, ASCII but for the recipient; lines of at most 78 where words allow it, 998 always. */
export function composeReceived(facts: ReceivedFacts): Buffer {
  const literal = facts.clientAddress.includes(':')
    ? `[IPv6:${toDomainText(facts.clientAddress)}]`
    : `[${toDomainText(facts.clientAddress)}]`;
  const name = facts.clientName === null ? '' : `${toDomainText(facts.clientName)} `;
  const tls = facts.tls === null ? '' : ` ${describeTls(facts.tls)}`;
  const recipient = facts.recipient === null ? '' : ` for ${formatPath(facts.recipient)}`;
  const isInside = facts.protocol === 'inside';
  const from = isInside ? '(inside this gateway)' : `(${name}${literal})`;
  const how = isInside ? '' : ` with ${facts.protocol}${tls}`;
  const text =
    `Received: from ${toDomainText(facts.heloName)} ${from}` +
    ` by ${facts.byHost} ${marker}${how} id ${facts.id}${recipient};`;
  const words = text.split(' ');
  words.push(formatDateTime(facts.atMs));
  return Buffer.from(fold(words), 'utf8');
}

/** How often we have had the message before: Received fields by `host`, its canonical name, and us. */
export function countOwnReceived(text: string, fields: readonly FieldSpan[], host: string): number {
  if (!text.includes(marker)) return 0;
  const ours = `by ${host} ${marker} `.toLowerCase();
  return fields.filter(
    (field) =>
      isNamed(field, 'received') &&
      unfoldValue(text, field).replace(/\s+/g, ' ').toLowerCase().includes(ours),
  ).length;
}

/** What was negotiated and which certificate was shown: facts, no opinion about its worth. */
function describeTls(tls: TlsEvidence): string {
  const group = tls.group === null ? '' : ` group=${toCommentText(tls.group)}`;
  const leaf = tls.chain[0];
  const shown =
    leaf === undefined
      ? 'no client certificate'
      : `client certificate ${toCommentText(leaf.subject)}`;
  const version = toCommentText(tls.protocol);
  return `(version=${version} cipher=${toCommentText(tls.cipherStandardName)}${group}; ${shown})`;
}

/** What may stand where a domain or an address literal is expected; all else becomes `?`. */
export function toDomainText(text: string): string {
  const bounded = text.length > wordLengthMax ? text.slice(0, wordLengthMax) : text;
  const clean = bounded.replace(/[^A-Za-z0-9.:_[\]-]/g, '?');
  return clean.length === 0 ? '?' : clean;
}

/** Text inside a comment: brackets for parentheses, no backslash, printable ASCII. */
function toCommentText(text: string): string {
  return text
    .slice(0, subjectLengthMax)
    .replaceAll('(', '[')
    .replaceAll(')', ']')
    .replace(/[^\x20-\x5b\x5d-\x7e]/g, '?');
}

/** Breaks before words where a line would grow beyond the aim; runs of blanks become one. */
function fold(words: readonly string[]): string {
  let folded = '';
  let lineLength = 0;
  for (const word of words) {
    if (word.length === 0) continue;
    if (lineLength > 0 && lineLength + 1 + word.length > lineLengthAim) {
      folded += '\r\n\t';
      lineLength = 1;
    } else if (lineLength > 0) {
      folded += ' ';
      lineLength++;
    }
    folded += word;
    lineLength += word.length;
  }
  return `${folded}\r\n`;
}
