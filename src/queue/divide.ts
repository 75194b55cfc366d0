/**
 * What an attempt means for the queue: recipients that are done, that failed, and what is left of the
 * delivery, divided where fates differ. Pure.
 */
import type { Address } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';
import { status } from '../mail/enhanced-status.ts';
import type { AttemptReport, RouteAttempt } from '../policy/delivery.ts';
import { raiseFloor } from '../policy/floor.ts';
import type { Outcome, RecipientOutcome } from '../policy/outcome.ts';
import type { RetrySchedule } from '../policy/policy.ts';
import { isExpired, nextAttemptAt } from '../policy/retry.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import type { StoredDelivery } from '../store/store.ts';

/** Failed handshakes that are remembered per delivery. */
const failedTlsMax = 8;

/** What was tried for some recipients: a route, or nothing where the attempt itself broke. */
export type Tried = Pick<RouteAttempt, 'outcomes' | 'clauses' | 'hasFailedTlsOnly'>;

export interface Division {
  /** What is left, still under the ordinal of the delivery; empty where it is completed. */
  readonly left: readonly StoredDelivery[];
  /** For the DSN; the expired ones are among them, as bounced with 4.4.7. */
  readonly failed: readonly RecipientOutcome[];
  readonly expired: readonly RecipientOutcome[];
  /** All clauses that held for a failed recipient; not empty is forced mail. */
  readonly failedClauses: readonly Clause[];
  /** Of the deferred; null where none is. */
  readonly nextAttemptAtMs: number | null;
}

export interface DivideBy {
  readonly schedule: RetrySchedule;
  readonly nowMs: number;
  readonly random: () => number;
  /** The route that today's policy gives these recipients. */
  readonly routeKeyOf: (recipients: readonly Address[]) => string;
}

/** Every recipient ends in exactly one place; one that the report forgot is deferred. */
export function divideByFate(
  delivery: StoredDelivery,
  report: Pick<AttemptReport, 'endedAtMs'> & { readonly routes: readonly Tried[] },
  by: DivideBy,
): Division {
  const attempts = delivery.attempts + 1;
  const state = { fromMs: delivery.retriesFromMs, attempts, nowMs: by.nowMs };
  const hasExpired = isExpired(by.schedule, state);
  const nextMs = nextAttemptAt(by.schedule, state, by.random);
  const left: StoredDelivery[] = [];
  const failed: RecipientOutcome[] = [];
  const expired: RecipientOutcome[] = [];
  const failedClauses: Clause[] = [];
  for (const tried of completeRoutes(delivery, report.routes, by.nowMs)) {
    const floor = raiseFloor(delivery.floor, tried.clauses);
    const failedTlsAtMs = tried.hasFailedTlsOnly
      ? [...delivery.failedTlsAtMs, report.endedAtMs].slice(-failedTlsMax)
      : delivery.failedTlsAtMs;
    const rest = { ...delivery, attempts, floor, failedTlsAtMs };
    const failedHere = tried.outcomes.filter(({ outcome }) => outcome.kind === 'bounced');
    const deferred = tried.outcomes.filter(({ outcome }) => outcome.kind === 'deferred');
    const held = tried.outcomes.filter(({ outcome }) => outcome.kind === 'held');
    if (hasExpired) {
      expired.push(...deferred.map((last) => expireRecipient(last, by)));
      failedHere.push(...expired.slice(expired.length - deferred.length));
    } else if (deferred.length > 0) {
      left.push({ ...rest, ...leftOver(deferred, by), state: 'queued', dueAtMs: nextMs });
    }
    if (held.length > 0) left.push({ ...rest, ...leftOver(held, by), state: 'held' });
    failed.push(...failedHere);
    if (failedHere.length > 0) failedClauses.push(...floor);
  }
  const isDeferred = left.some((part) => part.state === 'queued');
  return { left, failed, expired, failedClauses, nextAttemptAtMs: isDeferred ? nextMs : null };
}

function leftOver(
  outcomes: readonly RecipientOutcome[],
  by: DivideBy,
): Pick<StoredDelivery, 'recipients' | 'routeKey' | 'lastOutcome'> {
  const recipients = outcomes.map(({ recipient }) => recipient);
  return { recipients, routeKey: by.routeKeyOf(recipients), lastOutcome: outcomes[0]!.outcome };
}

/** The routes with each recipient of the delivery once: the first word counts, silence defers. */
function completeRoutes(
  delivery: StoredDelivery,
  routes: readonly Tried[],
  nowMs: number,
): readonly Tried[] {
  const open = new Map(delivery.recipients.map((each) => [formatAddress(each), each]));
  const complete = routes.map((route) => ({
    ...route,
    outcomes: route.outcomes.filter(({ recipient }) => open.delete(formatAddress(recipient))),
  }));
  if (open.size === 0) return complete;
  const outcome = internalError('the attempt ended without an outcome', nowMs);
  const outcomes = Array.from(open.values(), (recipient) => ({ recipient, outcome }));
  return [...complete, { outcomes, clauses: [], hasFailedTlsOnly: false }];
}

/** Deferred because of ourselves. */
export function internalError(reason: string, nowMs: number): Outcome {
  const at = new Date(nowMs).toISOString();
  return {
    kind: 'deferred',
    cause: 'local',
    status: status('4.3.0'),
    reason,
    reply: null,
    remoteMta: null,
    at,
  };
}

function expireRecipient({ recipient, outcome }: RecipientOutcome, by: DivideBy): RecipientOutcome {
  const reason = `not delivered within ${inWords(by.schedule.expiryMs)}; last: ${outcome.reason}`;
  const cause = outcome.kind === 'deferred' ? outcome.cause : 'local';
  return {
    recipient,
    outcome: { ...outcome, kind: 'bounced', cause, status: status('4.4.7'), reason },
  };
}

/** Whole hours, or minutes below two of them. */
function inWords(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 120) return minutes === 1 ? '1 minute' : `${minutes} minutes`;
  return `${Math.round(minutes / 60)} hours`;
}
