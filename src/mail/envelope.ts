/** The envelope of one transaction. @see RFC 5321 §2.3.1, RFC 6152 (BODY), RFC 1870 (SIZE) */
import type { Address, ReversePath } from './address.ts';

/** What the content may hold: `7bit`, or `8bitmime` where the client declared BODY=8BITMIME. */
export type BodyType = '7bit' | '8bitmime';

/** `recipients` is never empty and keeps the order of the RCPT commands. */
export interface Envelope {
  readonly reversePath: ReversePath;
  readonly recipients: readonly Address[];
  readonly bodyType: BodyType;
}
