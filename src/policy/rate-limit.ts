/**
 * Rate limits: how much mail an account, a sender or an organization may bring in a time.
 *
 * Token buckets: what was not used within the time may come at once, so a burst passes and a flood
 * does not. For receiving, which keeps the buckets.
 * @see RFC 3463 §3.8 (4.7.1), ADR 0009
 */
import { formatAddress } from '../mail/address.ts';
import type { InboundSession } from './inbound-session.ts';

/** The names of the limits, as in the configuration; 0 is none. */
export interface RateLimits {
  readonly messagesPerAccountPerHour: number;
  readonly recipientsPerAccountPerHour: number;
  readonly messagesPerSenderPerHour: number;
  readonly recipientsPerSenderPerHour: number;
  readonly messagesPerOrganizationPerMinute: number;
}

export type RateLimitName = keyof RateLimits;

/** No limit at all. */
export const noRateLimits: RateLimits = {
  messagesPerAccountPerHour: 0,
  recipientsPerAccountPerHour: 0,
  messagesPerSenderPerHour: 0,
  recipientsPerSenderPerHour: 0,
  messagesPerOrganizationPerMinute: 0,
};

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export function windowMsOf(name: RateLimitName): number {
  return name === 'messagesPerOrganizationPerMinute' ? minuteMs : hourMs;
}

/** One token of the bucket of `key` under this limit. */
export interface RateClaim {
  readonly limit: RateLimitName;
  readonly key: string;
}

/**
 * What an accepted recipient counts against; the first one brings the message with it. A sender is the
 * account; else the address of MAIL FROM; for the null reverse-path the client's address, or the
 * organization that hands over inside. Each organization counts the senders to it apart: what comes
 * to one delays nothing for another, and tells it nothing.
 */
export function rateClaimsOf(
  session: InboundSession,
  organization: string,
  isFirst: boolean,
): readonly RateClaim[] {
  const { account, reversePath, clientAddress, evidence } = session;
  if (account !== null) {
    // Accounts of two organizations may share a name.
    const key = `${account.organization} ${account.account}`;
    const recipient: RateClaim = { limit: 'recipientsPerAccountPerHour', key };
    if (!isFirst) return [recipient];
    return [
      { limit: 'messagesPerOrganizationPerMinute', key: organization },
      { limit: 'messagesPerAccountPerHour', key },
      recipient,
    ];
  }
  const sender =
    reversePath === null
      ? `<> ${evidence.fromOrganization ?? clientAddress}`
      : formatAddress(reversePath).toLowerCase();
  const key = `${organization} ${sender}`;
  const recipient: RateClaim = { limit: 'recipientsPerSenderPerHour', key };
  if (!isFirst) return [recipient];
  return [
    { limit: 'messagesPerOrganizationPerMinute', key: organization },
    { limit: 'messagesPerSenderPerHour', key },
    recipient,
  ];
}

/** `tokens` is what was left at `atMs`; a fraction counts when it has grown to a whole one. */
export interface RateBucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** What is in the bucket now; null for a bucket never used. A clock set back takes nothing away. */
export function refill(
  bucket: RateBucket | null,
  limit: { readonly amount: number; readonly windowMs: number },
  nowMs: number,
): RateBucket {
  const { amount, windowMs } = limit;
  if (bucket === null) return { tokens: amount, atMs: nowMs };
  const grown = (Math.max(0, nowMs - bucket.atMs) * amount) / windowMs;
  return { tokens: Math.min(amount, bucket.tokens + grown), atMs: nowMs };
}

/** Milliseconds until there is a whole token; 0 where there is one. */
export function waitMsFor(
  bucket: RateBucket,
  limit: { readonly amount: number; readonly windowMs: number },
): number {
  if (bucket.tokens >= 1) return 0;
  return Math.ceil(((1 - bucket.tokens) * limit.windowMs) / limit.amount);
}
