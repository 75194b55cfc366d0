/**
 * Writes the DSN about mail that was not delivered.
 *
 * It has the null reverse-path, and none is ever written about mail that had it. About forced mail
 * it says nothing of the content: no body, no Subject, and it must travel encrypted itself.
 * @see RFC 3464, RFC 5321 §6.1, RFC 6522, RFC 3834 §3.1.8 (Auto-Submitted)
 */
import { randomBytes } from 'node:crypto';
import type { Address, ReversePath } from '../mail/address.ts';
import { formatAddress, formatPath } from '../mail/address.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import type { Outcome, RecipientOutcome } from '../policy/outcome.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import type { DeliveryStatus, RecipientFields } from '../standards/dsn/delivery-status.ts';
import { formatDeliveryStatus } from '../standards/dsn/delivery-status.ts';
import type { Field } from '../standards/dsn/field-blocks.ts';
import { formatField } from '../standards/dsn/field-blocks.ts';
import { formatReportBody, formatReportType } from '../standards/dsn/report.ts';
import { formatDateTime } from '../standards/message-format/date-time.ts';
import { toPlainText, writeDsnText } from './dsn-text.ts';
import { findReturnedField, writeReturnedHeaders } from './returned-headers.ts';

/** The mail that a DSN speaks of. `header` null where it could not be read. */
export interface DsnSubject {
  readonly id: string;
  readonly reversePath: ReversePath;
  readonly receivedAtMs: number;
  readonly organization: string;
  /** Clauses were required of its delivery. */
  readonly isForced: boolean;
  readonly header: Buffer | null;
  /** What was required, for the text; left out where unknown. */
  readonly clauses?: readonly Clause[];
}

export interface FailedDsnInput {
  /** Queue id of the DSN itself. */
  readonly id: string;
  readonly about: DsnSubject;
  /** Recipients that were delivered are passed over. */
  readonly recipients: readonly RecipientOutcome[];
  readonly hostName: string;
  readonly postmaster: Address;
  readonly nowMs: number;
}

/**
 * A message to the sender, ready to be queued. Null where nobody is to be told: the mail had the
 * null reverse-path, or no recipient failed.
 */
export function writeFailedDsn(input: FailedDsnInput): IncomingMessage | null {
  const { about } = input;
  const failed = input.recipients.filter(({ outcome }) => outcome.kind !== 'delivered');
  if (about.reversePath === null || failed.length === 0) return null;
  const bytes = Buffer.from(composeMessage(input, about.reversePath, failed), 'latin1');
  return {
    id: input.id,
    organization: about.organization,
    reversePath: null,
    recipients: [about.reversePath],
    bodyType: '7bit',
    content: { kind: 'memory', bytes },
    source: { kind: 'dsn', about: about.id },
    receivedAtMs: input.nowMs,
    clauses: about.isForced ? [{ kind: 'encrypted', origin: { kind: 'dsn', name: about.id } }] : [],
    evidence: null,
    decision: null,
  };
}

function composeMessage(
  input: FailedDsnInput,
  sender: Address,
  failed: readonly RecipientOutcome[],
): string {
  const { about } = input;
  const boundary = `=_${randomBytes(18).toString('base64url')}`;
  const messageId = findReturnedField(about.header, 'message-id');
  const header = [
    { name: 'Date', value: formatDateTime(input.nowMs) },
    { name: 'From', value: `"Mail gateway" ${formatPath(input.postmaster)}` },
    { name: 'To', value: formatPath(sender) },
    { name: 'Subject', value: writeSubject(failed) },
    { name: 'Message-ID', value: `<${input.id}.dsn@${input.hostName}>` },
    ...writeReferences(messageId),
    { name: 'Auto-Submitted', value: 'auto-replied' },
    { name: 'MIME-Version', value: '1.0' },
  ];
  const text = writeDsnText({
    id: about.id,
    receivedAtMs: about.receivedAtMs,
    nowMs: input.nowMs,
    isForced: about.isForced,
    clauses: about.clauses ?? [],
    messageId,
    recipients: failed,
    hostName: input.hostName,
    postmaster: input.postmaster,
  });
  const body = formatReportBody({
    boundary,
    text,
    deliveryStatus: formatDeliveryStatus(toDeliveryStatus(input, failed)),
    returnedHeaders: writeReturnedHeaders(about.header, about.isForced),
  });
  const type = `Content-Type: ${formatReportType(boundary)}\r\n`;
  return `${header.map(formatField).join('')}${type}\r\n${body}`;
}

function writeSubject(failed: readonly RecipientOutcome[]): string {
  if (failed.length > 1) return `Not delivered: your mail to ${failed.length} recipients`;
  return `Not delivered: your mail to ${formatAddress(failed[0]!.recipient)}`;
}

/** Only where the id is one: a text of the sender must not become a header of ours. */
function writeReferences(messageId: string | null): Field[] {
  if (messageId === null || !/^<[^<>\s]{1,250}>$/.test(messageId)) return [];
  return [
    { name: 'In-Reply-To', value: messageId },
    { name: 'References', value: messageId },
  ];
}

function toDeliveryStatus(
  input: FailedDsnInput,
  failed: readonly RecipientOutcome[],
): DeliveryStatus {
  return {
    message: {
      originalEnvelopeId: null,
      reportingMta: { type: 'dns', text: input.hostName },
      receivedFromMta: null,
      arrivalAtMs: input.about.receivedAtMs,
      extensions: [{ name: 'X-Postern-Queue-ID', value: input.about.id }],
    },
    recipients: failed.map(toRecipientFields),
  };
}

function toRecipientFields({ recipient, outcome }: RecipientOutcome): RecipientFields {
  const { remoteMta } = outcome;
  const attemptedAtMs = Date.parse(outcome.at);
  return {
    originalRecipient: null,
    finalRecipient: { type: 'rfc822', text: formatAddress(recipient) },
    action: 'failed',
    status: outcome.status,
    remoteMta: remoteMta === null ? null : { type: 'dns', text: toPlainText(remoteMta.hostName) },
    diagnosticCode: toDiagnosticCode(outcome),
    lastAttemptAtMs: Number.isNaN(attemptedAtMs) ? null : attemptedAtMs,
    willRetryUntilMs: null,
    extensions: [],
  };
}

/** The peer's reply where there was one, else our own reason under a type of ours. */
function toDiagnosticCode(outcome: Outcome): { readonly type: string; readonly text: string } {
  const { reply } = outcome;
  if (reply === null) return { type: 'x-postern', text: toPlainText(outcome.reason) };
  const status = reply.status === null ? '' : `${formatEnhancedStatus(reply.status)} `;
  const text = reply.lines.slice(0, 20).map(toPlainText).join(' ');
  return { type: 'smtp', text: `${reply.code} ${status}${text}` };
}
