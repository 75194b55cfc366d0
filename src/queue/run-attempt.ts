/** One attempt of a delivery: made, and then read for what becomes of the delivery and its trace. */
import { mailParametersOf } from '../mail/envelope.ts';
import type { AttemptReport, CandidateRecord, Delivery, RouteAttempt } from '../policy/delivery.ts';
import { findOrganization } from '../policy/directory.ts';
import { defaultDelayNotices, defaultRetrySchedule } from '../policy/retry.ts';
import { tellShadow } from '../report/shadow.ts';
import type { Recorded } from '../report/trace.ts';
import type { StoredDelivery, StoredMessage } from '../store/store.ts';
import { brokenReport } from './attempt-report.ts';
import type { Division } from './divide.ts';
import { divideByFate } from './divide.ts';
import { logAttempt } from './log-attempt.ts';
import { meterAttempt } from './meter-attempt.ts';
import type { QueueServices } from './queue-services.ts';

/** A delivery with its message, and the message's id. */
export interface Attempted {
  readonly id: string;
  readonly delivery: StoredDelivery;
  readonly message: StoredMessage;
}

/** What is to be committed after an attempt. */
export interface AttemptResult {
  readonly division: Division;
  readonly recorded: readonly Recorded[];
}

/** Null where the attempt itself broke: a defect, which must not lose or stop mail. */
export async function runAttempt(
  services: QueueServices,
  attempted: Attempted,
): Promise<AttemptReport | null> {
  const delivery = toDelivery(attempted);
  try {
    return await services.attempt(delivery);
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    services.log.error({ queueId: delivery.id, reason }, 'an attempt broke; deferred');
    return null;
  }
}

function toDelivery({ id, delivery, message }: Attempted): Delivery {
  const { organization, reversePath, content, source, receivedAtMs } = message;
  return {
    id,
    ordinal: delivery.ordinal,
    organization,
    reversePath,
    recipients: delivery.recipients,
    ...mailParametersOf(message),
    content,
    source,
    ...(message.ruling === undefined ? {} : { ruling: message.ruling }),
    receivedAtMs,
    floor: delivery.floor,
    attempts: delivery.attempts,
    failedTlsAtMs: delivery.failedTlsAtMs,
  };
}

function candidatesOf({ candidates }: RouteAttempt): readonly CandidateRecord[] {
  return candidates;
}

/**
 * Says the attempt in log and metrics. `report` null as of `runAttempt`; `nowMs` was asked for before
 * the delivery was taken, since a clock that was set is noticed then, and moves the delivery.
 */
export function judgeAttempt(
  services: QueueServices,
  { id, delivery, message }: Attempted,
  report: AttemptReport | null,
  nowMs: number,
): AttemptResult {
  const { organization } = message;
  const policy = services.policy();
  const owner = findOrganization(policy, organization);
  const notices = owner?.delayNotices ?? defaultDelayNotices;
  const division = divideByFate(delivery, report ?? brokenReport(delivery, nowMs), {
    schedule: owner?.retry ?? defaultRetrySchedule,
    notices: message.reversePath === null ? null : notices,
    nowMs,
    random: services.random,
    routeKeyOf: ([first]) =>
      first === undefined ? delivery.routeKey : services.routeKeyFor(policy, message, first),
  });
  const { ordinal, attempts } = delivery;
  const recorded: Recorded[] = [];
  if (report !== null) {
    const tried = { id, ordinal, attempts };
    recorded.push(services.recorder.recordAttempt(tried, report, division.nextAttemptAtMs));
    logAttempt(services.log, tried, report, division);
    meterAttempt(services.meter, message.receivedAtMs, report, division);
    for (const { hostName, address, shadow = [] } of report.routes.flatMap(candidatesOf)) {
      tellShadow(services, 'outbound', shadow, { queueId: id, ordinal, hostName, address });
    }
  }
  if (division.expired.length > 0) {
    const expired = { atMs: nowMs, outcomes: division.expired };
    recorded.push(services.recorder.recordExpired({ id, ordinal }, expired));
  }
  return { division, recorded };
}
