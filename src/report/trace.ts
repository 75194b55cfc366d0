/**
 * Writes the trace: what happened to each message, as versioned canonical JSON records.
 *
 * Decisions and evidence are facts that records cite by hash. A thousand messages share one decision
 * and one connection's evidence, so a fact is made once per object: the caller must not change a
 * value after it was recorded. For the queue and receiving; read back by `show-trace.ts`.
 */
import assert from 'node:assert/strict';
import type { Address, ReversePath } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';
import { sizeOf } from '../mail/content.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import { parseQueueId } from '../mail/queue-id.ts';
import type { Recipient } from '../mail/recipient.ts';
import type { Reply } from '../mail/reply.ts';
import type {
  AttemptReport,
  CandidateRecord,
  Delivery,
  IncomingMessage,
  RouteAttempt,
} from '../policy/delivery.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { Outcome, RecipientOutcome } from '../policy/outcome.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import { canonicalJson } from '../standards/canonical-json/canonical-json.ts';
import { hashText } from './hash-text.ts';
import type { DsnRecipient } from './dsn-recipient.ts';
import { actionOf } from './dsn-recipient.ts';
import type { Fact, TraceKind, TraceRecord } from './record.ts';

/** Records to store, and the facts that they cite; facts may already be stored. */
export interface Recorded {
  readonly records: readonly TraceRecord[];
  readonly facts: readonly Fact[];
}

/** What the trace keeps of a planned delivery; a `StoredDelivery` is one. */
export interface RecordedDelivery {
  readonly ordinal: number;
  readonly recipients: readonly Recipient[];
  readonly routeKey: string;
  readonly floor: readonly Clause[];
}

/** Names one delivery: queue id of the message, and ordinal. */
export type DeliveryName = Pick<Delivery, 'id' | 'ordinal'>;

/** Accepted, with the session's evidence and decision. */
export function recordReceived(
  message: IncomingMessage,
  deliveries: readonly RecordedDelivery[],
): Recorded {
  const facts: Fact[] = [];
  const record = makeRecord('received', message.id, message.receivedAtMs, {
    bodyType: message.bodyType,
    clauses: citeClauses(facts, message.clauses),
    decision: cite(facts, 'decision', message.decision),
    deliveries: deliveries.map(({ ordinal, recipients, routeKey, floor }) => ({
      ...namedAliases(recipients),
      floor: citeClauses(facts, floor),
      ordinal,
      recipients: recipients.map(formatAddress),
      routeKey,
    })),
    evidence: cite(facts, 'evidence', message.evidence),
    ...(message.headerChanges === undefined ? {} : { headerChanges: message.headerChanges }),
    organization: message.organization,
    reversePath: formatReversePath(message.reversePath),
    ...(message.ruling === undefined ? {} : { ruling: message.ruling }),
    sizeBytes: sizeOf(message.content),
    source: message.source,
  });
  const index = {
    sender: formatReversePath(message.reversePath),
    recipients: [...new Set(deliveries.flatMap(({ recipients }) => recipients.flatMap(namesOf)))],
  };
  return { records: [{ ...record, index }], facts };
}

/** A message is also found by the alias that it was sent to. */
function namesOf(recipient: Recipient): string[] {
  const { aliasedFrom } = recipient;
  const name = formatAddress(recipient);
  return aliasedFrom === undefined ? [name] : [name, formatAddress(aliasedFrom)];
}

/** By recipient; absent where no alias led to any. */
function namedAliases(recipients: readonly Recipient[]) {
  const led = recipients.flatMap((recipient) => {
    const { aliasedFrom } = recipient;
    return aliasedFrom === undefined
      ? []
      : [[formatAddress(recipient), formatAddress(aliasedFrom)]];
  });
  return led.length === 0 ? {} : { aliasedFrom: Object.fromEntries(led) as object };
}

/** One attempt; `nextAttemptAtMs` where the queue knows when it tries again. */
export function recordAttempt(
  delivery: DeliveryName & Pick<Delivery, 'attempts'>,
  report: AttemptReport,
  nextAttemptAtMs: number | null = null,
): Recorded {
  const facts: Fact[] = [];
  const record = makeRecord('attempt', delivery.id, report.endedAtMs, {
    attempt: delivery.attempts + 1,
    nextAttemptAt: nextAttemptAtMs === null ? null : formatTime(nextAttemptAtMs),
    ordinal: delivery.ordinal,
    routes: report.routes.map((route) => toRouteData(facts, route)),
    startedAt: formatTime(report.startedAtMs),
  });
  const hasBounced = report.routes.some(({ outcomes }) =>
    outcomes.some(({ outcome }) => outcome.kind === 'bounced'),
  );
  return { records: [hasBounced ? { ...record, hasBounced } : record], facts };
}

/** Stopped until somebody releases it. `reason` is a sentence for people. */
export function recordHeld(
  delivery: DeliveryName,
  held: { readonly atMs: number; readonly cause: string; readonly reason: string },
): Recorded {
  const { cause, reason } = held;
  const data = { cause, ordinal: delivery.ordinal, reason };
  return { records: [makeRecord('held', delivery.id, held.atMs, data)], facts: [] };
}

/**
 * Released by somebody; `by` names who. `lost` is what the policy demanded before and does not any
 * more, in words; empty where it goes out as it was accepted.
 */
export function recordReleased(
  delivery: DeliveryName,
  released: { readonly atMs: number; readonly by: string; readonly lost: readonly string[] },
): Recorded {
  const { by, lost } = released;
  const data = { by, lost: lost.length === 0 ? undefined : lost, ordinal: delivery.ordinal };
  return { records: [makeRecord('released', delivery.id, released.atMs, data)], facts: [] };
}

/** Made due at once by somebody; `by` names who. */
export function recordRetried(
  delivery: DeliveryName,
  retried: { readonly atMs: number; readonly by: string },
): Recorded {
  const data = { by: retried.by, ordinal: delivery.ordinal };
  return { records: [makeRecord('retried', delivery.id, retried.atMs, data)], facts: [] };
}

/** Given up, with the last outcome of each recipient. */
export function recordExpired(
  delivery: DeliveryName,
  expired: { readonly atMs: number; readonly outcomes: readonly RecipientOutcome[] },
): Recorded {
  const data = { ordinal: delivery.ordinal, outcomes: expired.outcomes.map(toOutcomeData) };
  const record = makeRecord('expired', delivery.id, expired.atMs, data);
  return { records: [{ ...record, hasBounced: true }], facts: [] };
}

/** A DSN was queued about a message, which tells of these recipients; kept with that message. */
export function recordDsn(
  about: string,
  dsn: IncomingMessage,
  told: readonly DsnRecipient[],
): Recorded {
  const data = {
    action: actionOf(told),
    dsn: dsn.id,
    recipients: dsn.recipients.map(formatAddress),
    told: told.map(({ recipient, action }) => ({ action, recipient: formatAddress(recipient) })),
  };
  return { records: [makeRecord('dsn', about, dsn.receivedAtMs, data)], facts: [] };
}

/** A refusal in the session; `id` stands in the reply, so that the other side can name it. */
export interface Refusal {
  readonly id: string;
  readonly atMs: number;
  readonly reply: Reply;
  /** What was decided, plain JSON data; null where no policy was asked. */
  readonly decision: unknown;
  readonly evidence: Evidence | null;
  /** Undefined before MAIL FROM; null is the null reverse-path. */
  readonly reversePath: ReversePath | undefined;
  /** Null where the refusal is not about one recipient. */
  readonly recipient: Address | null;
  readonly clientAddress: string;
}

export function recordRefusal(refusal: Refusal): Recorded {
  const facts: Fact[] = [];
  const { reversePath, recipient } = refusal;
  const record = makeRecord('refused', refusal.id, refusal.atMs, {
    clientAddress: refusal.clientAddress,
    decision: cite(facts, 'decision', refusal.decision),
    evidence: cite(facts, 'evidence', refusal.evidence),
    recipient: recipient === null ? null : formatAddress(recipient),
    reply: toReplyData(refusal.reply),
    reversePath: reversePath === undefined ? undefined : formatReversePath(reversePath),
  });
  const index = {
    sender: reversePath === undefined ? '' : formatReversePath(reversePath),
    recipients: recipient === null ? [] : [formatAddress(recipient)],
  };
  return { records: [{ ...record, index }], facts };
}

/** RFC 3339 in UTC with milliseconds, as all stored times. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}

function formatReversePath(path: ReversePath): string {
  return path === null ? '' : formatAddress(path);
}

function makeRecord(
  kind: TraceKind,
  id: string,
  atMs: number,
  data: Readonly<Record<string, unknown>>,
): TraceRecord {
  const queueId = parseQueueId(id);
  assert(queueId !== null, `not a queue id: ${id}`);
  const json = canonicalJson({ ...data, at: formatTime(atMs), formatVersion: 1, id, kind });
  return { key: queueId.key, atMs, kind, json };
}

/** Clauses are cited too: they are most of a record, and a connector's mail shares them. */
function citeClauses(facts: Fact[], clauses: readonly Clause[]): string | readonly Clause[] {
  return clauses.length === 0 ? clauses : cite(facts, 'clauses', clauses)!;
}

const factOf = new WeakMap<object, Fact>();

/** The hash by which the record cites the value, null for null; the fact is added once. */
function cite(facts: Fact[], kind: Fact['kind'], value: unknown): string | null {
  if (value === null || value === undefined) return null;
  const fact = typeof value === 'object' ? cachedFact(kind, value) : makeFact(kind, value);
  if (!facts.some(({ hash }) => hash === fact.hash)) facts.push(fact);
  return fact.hash;
}

function cachedFact(kind: Fact['kind'], value: object): Fact {
  const known = factOf.get(value);
  if (known !== undefined) return known;
  const fact = makeFact(kind, value);
  factOf.set(value, fact);
  return fact;
}

function makeFact(kind: Fact['kind'], value: unknown): Fact {
  const json = canonicalJson(value);
  return { hash: hashText(json), kind, json };
}

function toRouteData(facts: Fact[], route: RouteAttempt): Readonly<Record<string, unknown>> {
  return {
    candidates: route.candidates.map((candidate) => toCandidateData(facts, candidate)),
    clauses: citeClauses(facts, route.clauses),
    decision: cite(facts, 'decision', route.decision),
    hasFailedTlsOnly: route.hasFailedTlsOnly,
    outcomes: route.outcomes.map(toOutcomeData),
  };
}

function toCandidateData(
  facts: Fact[],
  candidate: CandidateRecord,
): Readonly<Record<string, unknown>> {
  return { ...candidate, evidence: cite(facts, 'evidence', candidate.evidence) };
}

/** Statuses as `4.7.5`, so that people can search for them. */
function toOutcomeData({
  recipient,
  outcome,
}: RecipientOutcome): Readonly<Record<string, unknown>> {
  return {
    at: outcome.at,
    cause: outcome.kind === 'delivered' ? undefined : outcome.cause,
    handedTo: outcome.kind === 'delivered' ? outcome.handedTo : undefined,
    kind: outcome.kind,
    reason: outcome.reason,
    recipient: formatAddress(recipient),
    remoteMta: outcome.remoteMta,
    reply: outcome.reply === null ? null : toReplyData(outcome.reply),
    status: formatEnhancedStatus(outcome.status),
  } satisfies Record<keyof Outcome | 'recipient' | 'cause' | 'handedTo', unknown>;
}

function toReplyData(reply: Reply): Readonly<Record<string, unknown>> {
  const status = reply.status === null ? null : formatEnhancedStatus(reply.status);
  return { code: reply.code, lines: reply.lines, status };
}
