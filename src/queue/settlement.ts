/**
 * What commits are made of: messages as they are accepted, and the parts of a batch.
 *
 * One commit ends an attempt: what is completed, updated and traced, and the DSN with it, so that a
 * DSN is neither lost nor doubled by a crash.
 */
import { status } from '../mail/enhanced-status.ts';
import { mailParametersOf } from '../mail/envelope.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import type { Recorded } from '../report/trace.ts';
import type { Batch, StoredDelivery, StoredMessage } from '../store/store.ts';
import type { QueueServices } from './queue-services.ts';

/** A message as it is about to be stored. */
export interface Acceptance {
  readonly message: StoredMessage;
  readonly deliveries: readonly StoredDelivery[];
  readonly recorded: Recorded;
}

/** Splits a message into deliveries, due at once. Its id must be one of this shard. */
export function prepareAcceptance(
  services: QueueServices,
  incoming: IncomingMessage,
  key: number,
): Acceptance {
  const { organization, receivedAtMs } = incoming;
  const plans = services.plan(services.policy(), incoming);
  const nowMs = services.now();
  const deliveries = plans.map((plan, ordinal): StoredDelivery => ({
    key,
    ordinal,
    recipients: plan.recipients,
    routeKey: plan.routeKey,
    floor: plan.floor,
    attempts: 0,
    failedTlsAtMs: [],
    retriesFromMs: nowMs,
    dueAtMs: nowMs,
    ...firstState(incoming, nowMs),
  }));
  const message: StoredMessage = {
    key,
    organization,
    reversePath: incoming.reversePath,
    ...mailParametersOf(incoming),
    source: incoming.source,
    ...(incoming.ruling === undefined ? {} : { ruling: incoming.ruling }),
    receivedAtMs,
    content: incoming.content,
  };
  return { message, deliveries, recorded: services.recorder.recordReceived(incoming, deliveries) };
}

function firstState(
  { hold }: IncomingMessage,
  nowMs: number,
): Pick<StoredDelivery, 'state' | 'lastOutcome'> {
  if (hold === undefined) return { state: 'queued', lastOutcome: null };
  const at = new Date(nowMs).toISOString();
  const lastOutcome = {
    kind: 'held',
    ...hold,
    status: status('4.7.0'),
    reply: null,
    remoteMta: null,
    at,
  } as const;
  return { state: 'held', lastOutcome };
}

/** Of a part that is held from now on. */
export function recordHeld(
  { recorder, now }: QueueServices,
  id: string,
  { ordinal, lastOutcome: outcome }: StoredDelivery,
): Recorded {
  const cause = outcome?.kind === 'held' ? outcome.cause : 'held';
  const held = { atMs: now(), cause, reason: outcome?.reason ?? cause };
  return recorder.recordHeld({ id, ordinal }, held);
}

/** Joins parts into one batch; the recorded go with it. */
export function toBatch(
  parts: Partial<Pick<Batch, 'accepted' | 'updated' | 'completed'>>,
  ...recorded: readonly Recorded[]
): Batch {
  return {
    accepted: parts.accepted ?? [],
    updated: parts.updated ?? [],
    completed: parts.completed ?? [],
    traces: recorded.flatMap(({ records }) => records),
    facts: recorded.flatMap(({ facts }) => facts),
  };
}
