/**
 * Writes the mail that answers a rehearsal. It goes to MAIL FROM alone, has the null reverse-path, says
 * that it is automatic, and holds nothing of the mail that it answers but its Message-ID.
 * @see RFC 3834 §3, §5; RFC 5321 §4.5.5 (null reverse-path)
 */
import type { Address } from '../mail/address.ts';
import { formatAddress, formatPath } from '../mail/address.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import type { Field } from '../standards/dsn/field-blocks.ts';
import { formatField } from '../standards/dsn/field-blocks.ts';
import { formatDateTime } from '../standards/message-format/date-time.ts';
import { isAscii } from './plain-text.ts';
import type { RehearsalText } from './rehearsal-text.ts';
import { replyOf, writeRehearsalText } from './rehearsal-text.ts';

export interface RehearsalAnswer extends RehearsalText {
  /** Queue id of the answer. */
  readonly id: string;
  /** Whose rehearsal address it is. */
  readonly organization: string;
  /** MAIL FROM of the rehearsal. */
  readonly sender: Address;
  /** Mail of the sender is bound to TLS, by a connector here or where it was handed over from. */
  readonly isForced: boolean;
  readonly nowMs: number;
}

/** Ready to be queued; bound to TLS where mail of the sender is. */
export function writeRehearsalAnswer(answer: RehearsalAnswer): IncomingMessage {
  const { id, organization, sender, about, isForced, nowMs } = answer;
  const bytes = Buffer.from(composeAnswer(answer), 'utf8');
  const needsUtf8 = !isAscii(formatAddress(sender));
  return {
    id,
    organization,
    reversePath: null,
    recipients: [sender],
    bodyType: needsUtf8 ? '8bitmime' : '7bit',
    ...(needsUtf8 ? { smtpUtf8: true } : {}),
    content: { kind: 'memory', bytes },
    source: { kind: 'dsn', about: about.id, isRehearsal: true },
    receivedAtMs: nowMs,
    clauses: isForced ? [{ kind: 'encrypted', origin: { kind: 'dsn', name: about.id } }] : [],
    evidence: null,
    decision: null,
  };
}

/** ASCII but for the sender's own address in To, where that is beyond it. */
function composeAnswer(answer: RehearsalAnswer): string {
  const { about, verdict, sender, hostName } = answer;
  const passes = replyOf(verdict) === null;
  const header: Field[] = [
    { name: 'Date', value: formatDateTime(answer.nowMs) },
    { name: 'From', value: `"Mail gateway" ${formatPath(answer.postmaster)}` },
    { name: 'Subject', value: `Rehearsal: your mail ${passes ? 'passes' : 'would be refused'}` },
    { name: 'Message-ID', value: `<${answer.id}${messageIdMark}${hostName}>` },
    ...writeReferences(about.messageId),
    { name: 'Auto-Submitted', value: 'auto-replied' },
    { name: 'X-Auto-Response-Suppress', value: 'All' },
    { name: 'MIME-Version', value: '1.0' },
    { name: 'Content-Type', value: 'text/plain; charset=us-ascii' },
  ];
  const to = `To: ${sanitizePeerText(formatPath(sender))}\r\n`;
  return `${header.map(formatField).join('')}${to}\r\n${writeRehearsalText(answer)}`;
}

/** Stands in the Message-ID of every answer: what cites one of ours answers an answer. */
export const messageIdMark = '.rehearsal@';

/** Only where the id is one: a text of the sender must not become a header of ours. */
export function messageIdOf(text: string | null): string | null {
  return text !== null && /^<[!-;=?-~]{1,250}>$/.test(text) ? text : null;
}

function writeReferences(messageId: string | null): Field[] {
  if (messageId === null) return [];
  return [
    { name: 'In-Reply-To', value: messageId },
    { name: 'References', value: messageId },
  ];
}
