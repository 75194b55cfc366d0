/**
 * What an attempt means for the queue: recipients that are done, that failed, and what is left of the
 * delivery, divided where fates differ. Pure.
 */
import type { Address } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';
import { status } from '../mail/enhanced-status.ts';
import type { AttemptReport, RouteAttempt } from '../policy/delivery.ts';
import { wantsNotice } from '../mail/recipient.ts';
import { raiseFloor } from '../policy/floor.ts';
import type { Outcome, RecipientOutcome } from '../policy/outcome.ts';
import { isExpired } from '../policy/retry.ts';
import type { DsnRecipient } from '../report/dsn-recipient.ts';
import type { StoredDelivery } from '../store/store.ts';
import type { DelayCause, TurnBy } from './next-turn.ts';
import { planTurn } from './next-turn.ts';
import { reportOutcomes } from './reported.ts';

/** Failed handshakes that are remembered per delivery. */
const failedTlsMax = 8;

/** What was tried for some recipients: a route, or nothing where the attempt itself broke. */
export type Tried = Pick<RouteAttempt, 'outcomes' | 'clauses' | 'candidates' | 'hasFailedTlsOnly'>;

export interface Division {
  /** What is left, still under the ordinal of the delivery; empty where it is completed. */
  readonly left: readonly StoredDelivery[];
  /** As bounced with 4.4.7. */
  readonly expired: readonly RecipientOutcome[];
  /** Whom the sender is told about now; NOTIFY was looked at. */
  readonly reported: readonly DsnRecipient[];
  /** Of the deferred; null where none is. */
  readonly nextAttemptAtMs: number | null;
}

export interface DivideBy extends TurnBy {
  /** The route that today's policy gives these recipients. */
  readonly routeKeyOf: (recipients: readonly Address[]) => string;
}

/** Every recipient ends in exactly one place; one that the report forgot is deferred. */
export function divideByFate(
  delivery: StoredDelivery,
  report: Pick<AttemptReport, 'endedAtMs'> & { readonly routes: readonly Tried[] },
  by: DivideBy,
): Division {
  const parts = completeRoutes(delivery, report.routes, by.nowMs).map((tried) =>
    divideRoute(delivery, tried, report.endedAtMs, by),
  );
  const left = parts.flatMap((part) => part.left);
  const dueAtMs = left.filter(({ state }) => state === 'queued').map((part) => part.dueAtMs);
  return {
    left,
    expired: parts.flatMap((part) => part.expired),
    reported: parts.flatMap((part) => part.reported),
    nextAttemptAtMs: dueAtMs.length === 0 ? null : Math.min(...dueAtMs),
  };
}

function divideRoute(
  before: StoredDelivery,
  tried: Tried,
  endedAtMs: number,
  by: DivideBy,
): Omit<Division, 'nextAttemptAtMs'> {
  const floor = raiseFloor(before.floor, tried.clauses);
  const failedTlsAtMs = tried.hasFailedTlsOnly
    ? [...before.failedTlsAtMs, endedAtMs].slice(-failedTlsMax)
    : before.failedTlsAtMs;
  const delivery = { ...before, floor, failedTlsAtMs };
  const ofKind = (kind: Outcome['kind']): readonly RecipientOutcome[] =>
    tried.outcomes.filter(({ outcome }) => outcome.kind === kind);
  const circumstances = { clauses: floor, candidates: tried.candidates };
  const reported = [
    ...reportOutcomes(ofKind('delivered'), circumstances),
    ...reportOutcomes(ofKind('bounced'), circumstances),
  ];
  const left: StoredDelivery[] = [];
  const deferred = ofKind('deferred');
  const expiry = { fromMs: before.retriesFromMs, nowMs: by.nowMs };
  const hasExpired = isExpired(by.schedule, expiry);
  const expired = hasExpired ? deferred.map((last) => expireRecipient(last, by)) : [];
  reported.push(...reportOutcomes(expired, circumstances));
  if (!hasExpired && deferred.length > 0) {
    const waiting = deferDelivery(delivery, deferred, by);
    left.push(waiting.delivery);
    if (waiting.isTold) {
      const nextAttemptAtMs = waiting.delivery.dueAtMs;
      const willRetryUntilMs = before.retriesFromMs + by.schedule.expiryMs;
      const next = { ...circumstances, nextAttemptAtMs, willRetryUntilMs };
      reported.push(...reportOutcomes(deferred, next));
    }
  }
  const held = ofKind('held');
  if (held.length > 0) {
    const attempts = before.attempts + 1;
    left.push({ ...delivery, ...leftOver(held, by), attempts, state: 'held' });
  }
  return { left, expired, reported };
}

/** Nobody is told, and nothing tried for it, where no recipient wants to hear of delays. */
function deferDelivery(
  delivery: StoredDelivery,
  deferred: readonly RecipientOutcome[],
  by: DivideBy,
): ReturnType<typeof planTurn> {
  const isWanted = deferred.some(({ recipient }) => wantsNotice(recipient, 'delay'));
  const cause: DelayCause = deferred.some((each) => isForcedTls(delivery, each))
    ? 'tls'
    : 'ordinary';
  const rest: StoredDelivery = { ...delivery, ...leftOver(deferred, by), state: 'queued' };
  return planTurn(rest, cause, isWanted ? by : { ...by, notices: null });
}

/** What was required of the connection is why it waits; a broken policy counts as that too. */
function isForcedTls({ floor }: StoredDelivery, { outcome }: RecipientOutcome): boolean {
  if (floor.length === 0 || outcome.kind !== 'deferred') return false;
  return outcome.cause.startsWith('tls-') || outcome.cause === 'policy';
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
    outcomes: route.outcomes.flatMap(({ recipient, outcome }) => {
      const address = formatAddress(recipient);
      const ours = open.get(address);
      // As it was stored: with what the sender asked for.
      return ours !== undefined && open.delete(address) ? [{ recipient: ours, outcome }] : [];
    }),
  }));
  if (open.size === 0) return complete;
  const outcome = internalError('the attempt ended without an outcome', nowMs);
  const outcomes = Array.from(open.values(), (recipient) => ({ recipient, outcome }));
  return [...complete, { outcomes, clauses: [], candidates: [], hasFailedTlsOnly: false }];
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
