/**
 * The envelope of one transaction.
 *
 * @see RFC 5321 §2.3.1, RFC 6152 (BODY), RFC 1870 (SIZE), RFC 6531 §3.4 (SMTPUTF8), RFC 3461 §4.3, §4.4
 */
import type { ReversePath } from './address.ts';
import type { Recipient } from './recipient.ts';

/** What the content may hold: `7bit`, or `8bitmime` where the client declared BODY=8BITMIME. */
export type BodyType = '7bit' | '8bitmime';

/** What MAIL asked of DSNs: RET and ENVID (decoded); null where it did not say. */
export interface DsnRequest {
  readonly ret: 'full' | 'headers' | null;
  readonly envelopeId: string | null;
}

/** What MAIL declared besides the sender; travels with the message to the next hop. */
export interface MailParameters {
  readonly bodyType: BodyType;
  /** SMTPUTF8 was declared: addresses or header hold UTF-8. Absent is false. */
  readonly smtpUtf8?: boolean;
  /** Absent where neither RET nor ENVID was given. */
  readonly dsn?: DsnRequest;
}

/** `recipients` is never empty and keeps the order of the RCPT commands. */
export interface Envelope extends MailParameters {
  readonly reversePath: ReversePath;
  readonly recipients: readonly Recipient[];
}

/** The parameters alone; what is absent stays absent. */
export function mailParametersOf({ bodyType, smtpUtf8, dsn }: MailParameters): MailParameters {
  return {
    bodyType,
    ...(smtpUtf8 === undefined ? {} : { smtpUtf8 }),
    ...(dsn === undefined ? {} : { dsn }),
  };
}
