/**
 * When a deferred delivery is tried again, and when it is given up. Pure: time and randomness are
 * arguments.
 *
 * @see RFC 5321 §4.5.4.1
 */
import type { DelayNotices, RetrySchedule } from './policy.ts';

/** The schedule where an organization is unknown: 15 minutes growing to an hour, for a day. */
export const defaultRetrySchedule: RetrySchedule = {
  firstRetryMs: 15 * 60_000,
  maxRetryMs: 60 * 60_000,
  expiryMs: 24 * 60 * 60_000,
};

export const defaultDelayNotices: DelayNotices = {
  tlsMs: 5 * 60_000,
  ordinaryMs: 4 * 60 * 60_000,
};

/** Times in ms since the epoch; `attempts` counts those made so far, at least 1. */
export interface RetryState {
  /** Where the clock of expiry starts: when the message was received, or released from a hold. */
  readonly fromMs: number;
  readonly attempts: number;
  readonly nowMs: number;
}

/** Retries of many messages are spread over the last fifth of the interval, never beyond it. */
const spread = 0.2;

/**
 * The next attempt: after min(first · 2^(n-1), max), up to a fifth earlier by `random()` (0..1), and
 * not later than the expiry, so that the last attempt is made when it falls due.
 */
export function nextAttemptAt(
  schedule: RetrySchedule,
  state: RetryState,
  random: () => number,
): number {
  const doubled = schedule.firstRetryMs * 2 ** Math.max(0, state.attempts - 1);
  const interval = Math.min(doubled, schedule.maxRetryMs);
  const delay = Math.max(1, Math.round(interval * (1 - spread * random())));
  const expiryAt = state.fromMs + schedule.expiryMs;
  return Math.max(state.nowMs + 1, Math.min(state.nowMs + delay, expiryAt));
}

/** Whether a failure at `nowMs` is the last one. */
export function isExpired(schedule: RetrySchedule, state: Omit<RetryState, 'attempts'>): boolean {
  return state.nowMs - state.fromMs >= schedule.expiryMs;
}
