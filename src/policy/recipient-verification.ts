/**
 * What the server that keeps a mailbox said when it was asked whether the mailbox exists.
 *
 * `receiving` asks and `delivery` finds out; they do not know each other.
 */
import type { Address } from '../mail/address.ts';
import type { Reply } from '../mail/reply.ts';

/**
 * `unknown`: it refused the recipient for good. `silent`: it could not be reached under what TLS must
 * be, or answered "not now"; nobody knows, so the client is asked to try again.
 */
export type RecipientVerification =
  | { readonly kind: 'exists' }
  | { readonly kind: 'unknown'; readonly reply: Reply; readonly reason: string }
  | { readonly kind: 'silent'; readonly reason: string };

/** Settles in bounded time and never rejects. */
export type VerifyRecipient = (
  organization: string,
  recipient: Address,
) => Promise<RecipientVerification>;
