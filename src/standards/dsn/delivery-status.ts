/**
 * The fields of a message/delivery-status body as data.
 *
 * Text and data are inverses for values in canonical form: printable ASCII, no blanks at the ends,
 * times in whole seconds.
 * @see RFC 3464 §2
 */
import type { EnhancedStatus } from '../../mail/enhanced-status.ts';
import { formatEnhancedStatus, parseEnhancedStatus } from '../../mail/enhanced-status.ts';
import { formatDateTime, parseDateTime } from '../message-format/date-time.ts';
import { parseFieldBlocks } from './field-blocks.ts';
import type { Field } from './field-blocks.ts';
import { formatField } from './field-blocks.ts';

/** A value with its type, as `dns; mx.example.org` or `smtp; 550 5.1.1 unknown`. */
export interface TypedText {
  readonly type: string;
  readonly text: string;
}

/** The word of a recipient's Action field. @see RFC 3464 §2.3.3 */
export type DsnAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';

/** Null fields are left out. `extensions` begin with `X-` and keep their order. */
export interface MessageFields {
  readonly originalEnvelopeId: string | null;
  readonly reportingMta: TypedText;
  readonly receivedFromMta: TypedText | null;
  readonly arrivalAtMs: number | null;
  readonly extensions: readonly Field[];
}

export interface RecipientFields {
  readonly originalRecipient: TypedText | null;
  readonly finalRecipient: TypedText;
  readonly action: DsnAction;
  readonly status: EnhancedStatus;
  readonly remoteMta: TypedText | null;
  readonly diagnosticCode: TypedText | null;
  readonly lastAttemptAtMs: number | null;
  readonly willRetryUntilMs: number | null;
  readonly extensions: readonly Field[];
}

/** `recipients` is never empty. */
export interface DeliveryStatus {
  readonly message: MessageFields;
  readonly recipients: readonly RecipientFields[];
}

/** Recipients beyond this are not read. */
export const recipientsMax = 1000;

/** The body with CRLF line ends; lines of at most 78 where blanks allow it, 998 always. */
export function formatDeliveryStatus(status: DeliveryStatus): string {
  return [formatMessageFields(status.message), ...status.recipients.map(formatRecipientFields)]
    .map((fields) => fields.map(formatField).join(''))
    .join('\r\n');
}

function formatMessageFields(fields: MessageFields): Field[] {
  return [
    ...optional('Original-Envelope-Id', fields.originalEnvelopeId),
    ...optional('Reporting-MTA', formatTypedText(fields.reportingMta)),
    ...optional('Received-From-MTA', formatTypedText(fields.receivedFromMta)),
    ...optional('Arrival-Date', formatTimeOf(fields.arrivalAtMs)),
    ...fields.extensions,
  ];
}

function formatRecipientFields(fields: RecipientFields): Field[] {
  return [
    ...optional('Original-Recipient', formatTypedText(fields.originalRecipient)),
    ...optional('Final-Recipient', formatTypedText(fields.finalRecipient)),
    ...optional('Action', fields.action),
    ...optional('Status', formatEnhancedStatus(fields.status)),
    ...optional('Remote-MTA', formatTypedText(fields.remoteMta)),
    ...optional('Diagnostic-Code', formatTypedText(fields.diagnosticCode)),
    ...optional('Last-Attempt-Date', formatTimeOf(fields.lastAttemptAtMs)),
    ...optional('Will-Retry-Until', formatTimeOf(fields.willRetryUntilMs)),
    ...fields.extensions,
  ];
}

function optional(name: string, value: string | null): Field[] {
  return value === null ? [] : [{ name, value }];
}

function formatTypedText(typed: TypedText | null): string | null {
  return typed === null ? null : `${typed.type}; ${typed.text}`;
}

function formatTimeOf(ms: number | null): string | null {
  return ms === null ? null : formatDateTime(ms);
}

/** Null where a required field is missing or a field that is there cannot be read. */
export function parseDeliveryStatus(text: string): DeliveryStatus | null {
  const blocks = parseFieldBlocks(text, recipientsMax + 1);
  if (blocks === null || blocks.length < 2) return null;
  const [first, ...others] = blocks;
  const message = parseMessageFields(first!);
  const recipients = others.map(parseRecipientFields);
  if (message === null || recipients.includes(null)) return null;
  return { message, recipients: recipients as RecipientFields[] };
}

function parseMessageFields(fields: readonly Field[]): MessageFields | null {
  const reportingMta = parseTypedText(valueOf(fields, 'Reporting-MTA'));
  const receivedFromMta = parseTypedText(valueOf(fields, 'Received-From-MTA'));
  const arrivalAtMs = parseTimeOf(valueOf(fields, 'Arrival-Date'));
  if (reportingMta === null || reportingMta === malformed) return null;
  if (receivedFromMta === malformed || arrivalAtMs === malformed) return null;
  return {
    originalEnvelopeId: valueOf(fields, 'Original-Envelope-Id'),
    reportingMta,
    receivedFromMta,
    arrivalAtMs,
    extensions: extensionsOf(fields),
  };
}

function parseRecipientFields(fields: readonly Field[]): RecipientFields | null {
  const action = actions.find((word) => word === valueOf(fields, 'Action')?.toLowerCase());
  const status = parseEnhancedStatus(valueOf(fields, 'Status') ?? '');
  const finalRecipient = parseTypedText(valueOf(fields, 'Final-Recipient'));
  const originalRecipient = parseTypedText(valueOf(fields, 'Original-Recipient'));
  const remoteMta = parseTypedText(valueOf(fields, 'Remote-MTA'));
  const diagnosticCode = parseTypedText(valueOf(fields, 'Diagnostic-Code'));
  const lastAttemptAtMs = parseTimeOf(valueOf(fields, 'Last-Attempt-Date'));
  const willRetryUntilMs = parseTimeOf(valueOf(fields, 'Will-Retry-Until'));
  if (action === undefined || status === null || finalRecipient === null) return null;
  if (finalRecipient === malformed || originalRecipient === malformed) return null;
  if (remoteMta === malformed || diagnosticCode === malformed) return null;
  if (lastAttemptAtMs === malformed || willRetryUntilMs === malformed) return null;
  return {
    originalRecipient,
    finalRecipient,
    action,
    status,
    remoteMta,
    diagnosticCode,
    lastAttemptAtMs,
    willRetryUntilMs,
    extensions: extensionsOf(fields),
  };
}

const actions: readonly DsnAction[] = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'];
const malformed = Symbol('malformed');

function valueOf(fields: readonly Field[], name: string): string | null {
  const wanted = name.toLowerCase();
  return fields.find((field) => field.name.toLowerCase() === wanted)?.value ?? null;
}

function extensionsOf(fields: readonly Field[]): Field[] {
  return fields.filter((field) => /^x-/i.test(field.name));
}

function parseTypedText(value: string | null): TypedText | typeof malformed | null {
  if (value === null) return null;
  const semicolon = value.indexOf(';');
  if (semicolon <= 0) return malformed;
  return { type: value.slice(0, semicolon).trim(), text: value.slice(semicolon + 1).trim() };
}

function parseTimeOf(value: string | null): number | typeof malformed | null {
  return value === null ? null : (parseDateTime(value) ?? malformed);
}
