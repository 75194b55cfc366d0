/**
 * A recipient of a message: a forward-path, and what the sender asked to be told about it.
 *
 * @see RFC 3461 §4.1 (NOTIFY), §4.2 (ORCPT)
 */
import type { Address } from './address.ts';

/** What a DSN is asked for. */
export type NotifyOn = 'success' | 'failure' | 'delay';

/** ORCPT, decoded: `rfc822` or `utf-8` with the address as the sender first wrote it. */
export interface OriginalRecipient {
  readonly type: string;
  readonly text: string;
}

/** What RCPT asked of DSNs. */
export interface RecipientRequest {
  /** Empty is NEVER. Absent: nothing was asked, so failures are told, and delays as we see fit. */
  readonly notify?: readonly NotifyOn[];
  /** Absent where the sender gave none. */
  readonly originalRecipient?: OriginalRecipient;
}

export interface Recipient extends Address, RecipientRequest {
  /** The alias or catch-all of ours that led here; absent where the sender named it itself. */
  readonly aliasedFrom?: Address;
}

/** Whether the sender wants a DSN of that kind; a delay is told unless NOTIFY leaves it out. */
export function wantsNotice(recipient: Recipient, kind: NotifyOn): boolean {
  if (recipient.notify === undefined) return kind !== 'success';
  return recipient.notify.includes(kind);
}
