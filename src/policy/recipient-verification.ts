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

/**
 * Whether a refusal of RCPT says something about the recipient. Refused for the order of commands
 * (503, 5.5.z), for want of sign-in or TLS (530), by policy (5.7.z) or for the system's state (5.3.z),
 * it says that we are not welcome, and nothing about who lives there.
 * @see RFC 3463 §3, ADR 0010
 */
export function isAboutRecipient({ code, status }: Reply): boolean {
  if (code < 500 || code === 503 || code === 530) return false;
  return status === null || ![3, 5, 7].includes(status.subject);
}
