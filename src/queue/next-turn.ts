/**
 * When a deferred delivery is tried next, and whether its sender is told now that it waits. Pure.
 *
 * A notice leaves with the failure of an attempt, so that it is true when it is sent. Where none
 * would be made at the time of the notice, one is made besides the schedule; the schedule stays.
 */
import type { DelayNotices, RetrySchedule } from '../policy/policy.ts';
import { nextAttemptAt } from '../policy/retry.ts';
import type { StoredDelivery } from '../store/store.ts';

/** Why it waits, as far as notices go. */
export type DelayCause = 'tls' | 'ordinary';

export interface TurnBy {
  readonly schedule: RetrySchedule;
  /** Null where nobody is to be told. */
  readonly notices: DelayNotices | null;
  readonly nowMs: number;
  /** 0 up to 1. */
  readonly random: () => number;
}

/** This near to the bounce no notice is given: the bounce will say it all. */
const bounceNearMs = 10 * 60_000;

/** The delivery after an attempt at `nowMs` that was not its last; `isTold`: a notice is due now. */
export function planTurn(
  delivery: StoredDelivery,
  cause: DelayCause,
  by: TurnBy,
): { readonly delivery: StoredDelivery; readonly isTold: boolean } {
  const { nowMs } = by;
  const { regularDueAtMs = 0, ...rest } = delivery;
  const isExtra = nowMs < regularDueAtMs;
  const extraAttempts = (delivery.extraAttempts ?? 0) + (isExtra ? 1 : 0);
  const attempts = delivery.attempts + 1;
  const state = { fromMs: delivery.retriesFromMs, attempts: attempts - extraAttempts, nowMs };
  const regularMs = isExtra ? regularDueAtMs : nextAttemptAt(by.schedule, state, by.random);
  const noticeMs = noticeDueAt(delivery, cause, by);
  const isTold = noticeMs !== null && noticeMs <= nowMs;
  const isEarlier = noticeMs !== null && !isTold && noticeMs < regularMs;
  return {
    delivery: {
      ...rest,
      attempts,
      dueAtMs: isEarlier ? noticeMs : regularMs,
      ...(isEarlier ? { regularDueAtMs: regularMs } : {}),
      ...(extraAttempts > 0 ? { extraAttempts } : {}),
      ...(isTold ? toldNow(cause, nowMs) : {}),
    },
    isTold,
  };
}

/** What is kept of a notice. */
export function toldNow(cause: DelayCause, nowMs: number): Partial<StoredDelivery> {
  return cause === 'tls' ? { tlsDelayToldAtMs: nowMs } : { delayToldAtMs: nowMs };
}

/**
 * When the sender is to be told; null for never. Each cause is told once: that TLS is why may follow a
 * notice of another cause, since somebody can do something about it, but not the other way round.
 */
export function noticeDueAt(
  delivery: StoredDelivery,
  cause: DelayCause,
  { schedule, notices, nowMs }: Omit<TurnBy, 'random'>,
): number | null {
  if (notices === null || delivery.tlsDelayToldAtMs !== undefined) return null;
  if (cause === 'ordinary' && delivery.delayToldAtMs !== undefined) return null;
  const afterMs = cause === 'tls' ? notices.tlsMs : notices.ordinaryMs;
  if (afterMs === 0) return null;
  const dueAtMs = delivery.retriesFromMs + afterMs;
  const bounceAtMs = delivery.retriesFromMs + schedule.expiryMs;
  const leftMs = bounceAtMs - Math.max(dueAtMs, nowMs);
  return leftMs < Math.min(bounceNearMs, afterMs) ? null : dueAtMs;
}
