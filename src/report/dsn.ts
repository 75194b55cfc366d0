/**
 * Writes the DSN that tells a sender what became of mail: failed, delayed, delivered, relayed, expanded.
 *
 * It has the null reverse-path, and none is ever written about mail that had it. About forced mail
 * it says nothing of the content: no body, no Subject, and it must travel encrypted itself.
 * @see RFC 3464, RFC 3461 §6, RFC 5321 §6.1, RFC 6522, RFC 6533 §3, RFC 3834 §3.1.8 (Auto-Submitted)
 */
import { randomBytes } from 'node:crypto';
import type { Address, ReversePath } from '../mail/address.ts';
import { formatAddress, formatPath } from '../mail/address.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import type { DsnRequest } from '../mail/envelope.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { OriginalRecipient } from '../mail/recipient.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import type { Outcome } from '../policy/outcome.ts';
import type {
  DeliveryStatus,
  DsnAction,
  RecipientFields,
  TypedText,
} from '../standards/dsn/delivery-status.ts';
import { formatDeliveryStatus } from '../standards/dsn/delivery-status.ts';
import type { Field } from '../standards/dsn/field-blocks.ts';
import { formatField } from '../standards/dsn/field-blocks.ts';
import { formatReportBody, formatReportType } from '../standards/dsn/report.ts';
import { formatUtf8Address } from '../standards/dsn/utf8-address.ts';
import { formatDateTime } from '../standards/message-format/date-time.ts';
import type { DsnRecipient } from './dsn-recipient.ts';
import { actionOf, hideAliasTargets } from './dsn-recipient.ts';
import { writeDsnText } from './dsn-text.ts';
import { isAscii, toPlainText } from './plain-text.ts';
import { findReturnedField, writeReturned } from './returned-content.ts';

/** The mail that a DSN speaks of. */
export interface DsnSubject {
  readonly id: string;
  readonly reversePath: ReversePath;
  readonly receivedAtMs: number;
  readonly organization: string;
  /** Its content must not be shown to anybody on the way. */
  readonly isForced: boolean;
  /** RET and ENVID of the sender; null where it gave neither. */
  readonly request: DsnRequest | null;
  /** Null where it could not be read. */
  readonly header: Buffer | null;
  /** The whole content, where it was asked for and is small enough; else null. */
  readonly content: Buffer | null;
}

export interface DsnInput {
  /** Queue id of the DSN itself. */
  readonly id: string;
  readonly about: DsnSubject;
  /** Each of them wants to be reported: NOTIFY was looked at by the caller. */
  readonly recipients: readonly DsnRecipient[];
  readonly hostName: string;
  readonly postmaster: Address;
  readonly nowMs: number;
}

/**
 * A message to the sender, ready to be queued. Null where nobody is to be told: the mail had the
 * null reverse-path, or there is nothing to tell.
 */
export function writeDsn(input: DsnInput): IncomingMessage | null {
  const { about } = input;
  const { reversePath } = about;
  if (reversePath === null || input.recipients.length === 0) return null;
  const isForced = about.isForced || input.recipients.some(({ clauses }) => clauses.length > 0);
  const recipients = hideAliasTargets(input.recipients);
  const shown = { ...input, about: { ...about, isForced }, recipients };
  const bytes = Buffer.from(composeMessage(shown, reversePath), 'utf8');
  const needsUtf8 = !isAscii(formatAddress(reversePath));
  return {
    id: input.id,
    organization: about.organization,
    reversePath: null,
    recipients: [reversePath],
    bodyType: needsUtf8 ? '8bitmime' : '7bit',
    ...(needsUtf8 ? { smtpUtf8: true } : {}),
    content: { kind: 'memory', bytes },
    source: { kind: 'dsn', about: about.id },
    receivedAtMs: input.nowMs,
    clauses: isForced ? [{ kind: 'encrypted', origin: { kind: 'dsn', name: about.id } }] : [],
    evidence: null,
    decision: null,
  };
}

/** ASCII but for the sender's own address in To, where that is beyond it. */
function composeMessage(input: DsnInput, sender: Address): string {
  const { about, recipients } = input;
  const boundary = `=_${randomBytes(18).toString('base64url')}`;
  const messageId = findReturnedField(about.header, 'message-id');
  const { returned, leftOut } = writeReturned(about, actionOf(recipients));
  const header = [
    { name: 'Date', value: formatDateTime(input.nowMs) },
    { name: 'From', value: `"Mail gateway" ${formatPath(input.postmaster)}` },
    { name: 'Subject', value: writeSubject(recipients) },
    { name: 'Message-ID', value: `<${input.id}.dsn@${input.hostName}>` },
    ...writeReferences(messageId),
    { name: 'Auto-Submitted', value: 'auto-replied' },
    { name: 'MIME-Version', value: '1.0' },
  ];
  const to = `To: ${sanitizePeerText(formatPath(sender))}\r\n`;
  const subject = about.isForced ? null : findReturnedField(about.header, 'subject');
  const body = formatReportBody({
    boundary,
    text: writeDsnText({ ...input, messageId, subject, leftOut }),
    deliveryStatus: formatDeliveryStatus(toDeliveryStatus(input)),
    returned,
  });
  const type = `Content-Type: ${formatReportType(boundary)}\r\n`;
  return `${header.map(formatField).join('')}${to}${type}\r\n${body}`;
}

const subjects: Readonly<Record<DsnAction, string>> = {
  failed: 'Not delivered',
  delayed: 'Delayed',
  delivered: 'Delivered',
  relayed: 'Passed on',
  expanded: 'Passed on',
};

function writeSubject(recipients: readonly DsnRecipient[]): string {
  const action = actionOf(recipients);
  const concerned = recipients.filter((each) => each.action === action);
  const start = `${subjects[action]}: your mail to`;
  if (concerned.length > 1) return `${start} ${concerned.length} recipients`;
  const address = formatAddress(concerned[0]!.recipient);
  return isAscii(address) ? `${start} ${address}` : `${start} one recipient`;
}

/** Only where the id is one: a text of the sender must not become a header of ours. */
function writeReferences(messageId: string | null): Field[] {
  if (messageId === null || !/^<[^<>\s]{1,250}>$/.test(messageId)) return [];
  return [
    { name: 'In-Reply-To', value: messageId },
    { name: 'References', value: messageId },
  ];
}

function toDeliveryStatus(input: DsnInput): DeliveryStatus {
  const { id, request, receivedAtMs } = input.about;
  const envelopeId = request?.envelopeId ?? null;
  return {
    message: {
      originalEnvelopeId: envelopeId === null ? null : toPlainText(envelopeId),
      reportingMta: { type: 'dns', text: input.hostName },
      receivedFromMta: null,
      arrivalAtMs: receivedAtMs,
      extensions: [{ name: 'X-Postern-Queue-ID', value: id }],
    },
    recipients: input.recipients.map(toRecipientFields),
  };
}

function toRecipientFields(each: DsnRecipient): RecipientFields {
  const { recipient, outcome, action } = each;
  const { remoteMta } = outcome;
  const attemptedAtMs = Date.parse(outcome.at);
  return {
    originalRecipient: toOriginalRecipient(recipient.originalRecipient),
    finalRecipient: toTypedAddress(formatAddress(recipient)),
    action,
    status: outcome.status,
    remoteMta: remoteMta === null ? null : { type: 'dns', text: toPlainText(remoteMta.hostName) },
    diagnosticCode: toDiagnosticCode(outcome),
    lastAttemptAtMs: Number.isNaN(attemptedAtMs) ? null : attemptedAtMs,
    willRetryUntilMs: each.willRetryUntilMs,
    extensions: [],
  };
}

function toTypedAddress(text: string): TypedText {
  return isAscii(text)
    ? { type: 'rfc822', text: toPlainText(text) }
    : { type: 'utf-8', text: formatUtf8Address(text) };
}

/** Null where the sender gave none. Whatever it gave, it stays one word of ASCII. */
function toOriginalRecipient(original: OriginalRecipient | undefined): TypedText | null {
  if (original === undefined) return null;
  if (original.type.toLowerCase() === 'utf-8') {
    return { type: 'utf-8', text: formatUtf8Address(sanitizePeerText(original.text)) };
  }
  const type = /^[A-Za-z0-9-]{1,32}$/.test(original.type) ? original.type : 'x-unknown';
  return { type, text: toPlainText(original.text) };
}

/** The peer's reply where there was one; else our own reason under a type of ours, but for success. */
function toDiagnosticCode(outcome: Outcome): TypedText | null {
  const { reply } = outcome;
  if (reply !== null) {
    const status = reply.status === null ? '' : `${formatEnhancedStatus(reply.status)} `;
    const text = reply.lines.slice(0, 20).map(toPlainText).join(' ');
    return { type: 'smtp', text: `${reply.code} ${status}${text}` };
  }
  if (outcome.kind === 'delivered') return null;
  return { type: 'x-postern', text: toPlainText(outcome.reason) };
}
