/**
 * Reads stored traces back as what a decision can be made of again, for `replay` and `readiness`.
 *
 * Written by `trace.ts`. A thousand records cite one fact, so a fact is parsed once as long as it is
 * remembered.
 */
import type { Address, ReversePath } from '../mail/address.ts';
import { formatAddress, parseUtf8Address } from '../mail/address.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { InboundSession } from '../policy/inbound-session.ts';
import type {
  Recorded,
  RecordedAcceptance,
  RecordedArrival,
  RecordedCandidate,
  RecordedMessage,
  RecordedRecipient,
  RecordedRefusal,
  RecordedRoute,
  RecordedSending,
} from '../policy/recorded.ts';
import type { ShadowOutcome } from '../policy/shadow.ts';
import { isForgotten, parseRecord, resolveFacts } from './resolve-facts.ts';
import type { AttemptEvent, ReceivedEvent, RefusedEvent, TraceEvent } from './trace-event.ts';

/** One message or refusal as it is stored: canonical JSON texts, in order of time. */
export interface StoredTrace {
  readonly id: string;
  readonly records: readonly string[];
}

const factsMax = 20_000;

export class RecordedReader {
  #stored = new Map<string, string>();
  readonly #parsed = new Map<string, unknown>();

  /** What the traces of the next page cite; those of the pages before are forgotten. */
  takeFacts(facts: readonly { readonly hash: string; readonly json: string }[]): void {
    this.#stored = new Map(facts.map(({ hash, json }) => [hash, json]));
  }

  /** `atMs` stands in for the time of what cannot be read. */
  read(trace: StoredTrace, atMs: number): Recorded {
    const unreadable = (reason: string): Recorded => {
      return { kind: 'unreadable', id: trace.id, atMs, reason };
    };
    const events: TraceEvent[] = [];
    for (const json of trace.records) {
      const data = parseRecord(json);
      if (data === null) return unreadable('a record is damaged');
      if (data['formatVersion'] !== 1) return unreadable('a record is of a later version');
      resolveFacts(data, (hash) => this.#find(hash));
      events.push(data as unknown as TraceEvent);
    }
    try {
      return readEvents(events) ?? unreadable('its first record is forgotten');
    } catch (error) {
      // What is JSON and yet not what we wrote: damage on the disk.
      if (error instanceof TypeError) return unreadable('a record is damaged');
      throw error;
    }
  }

  /** Undefined where it is not stored any more, or damaged. */
  #find(hash: string): unknown {
    const known = this.#parsed.get(hash);
    if (known !== undefined) return known;
    const json = this.#stored.get(hash);
    const value = json === undefined ? undefined : (parseRecord(json) ?? undefined);
    if (value === undefined) return undefined;
    if (this.#parsed.size >= factsMax) this.#parsed.clear();
    this.#parsed.set(hash, value);
    return value;
  }
}

/** Null without the first record. An address of ours that cannot be read is damage: a TypeError. */
function readEvents(events: readonly TraceEvent[]): Recorded | null {
  const first = events.find(({ kind }) => kind === 'received' || kind === 'refused');
  if (first === undefined) return null;
  if (first.kind === 'received') return readMessage(first, events);
  return readRefusal(first as RefusedEvent);
}

/** As `receiving/inbound-decision.ts` writes it, as far as it is needed; `account` for API and SMTP. */
interface ArrivalDecision {
  readonly policyRevision?: string;
  readonly listener?: InboundSession['listener'] | 'api';
  readonly heloName?: string;
  readonly account?: string | null;
  readonly groups?: readonly {
    readonly recipients: readonly string[] | null;
    readonly connectors: readonly string[];
    readonly shadow?: readonly ShadowOutcome[];
  }[];
}

/** As `receiving/refusal.ts` writes it. */
interface RefusalDecision extends ArrivalDecision {
  readonly organization?: string | null;
  readonly connector?: string | null;
  readonly reason?: string;
}

function readMessage(received: ReceivedEvent, events: readonly TraceEvent[]): RecordedMessage {
  const reversePath = readPath(received.reversePath);
  const attempts = events.filter((event) => event.kind === 'attempt');
  const tried = attempts.flatMap((attempt) =>
    attempt.routes.map((shown) => ({ shown, route: readRoute(attempt, shown) })),
  );
  const routes = tried.flatMap(({ route }) => route ?? []);
  const recipients = readRecipients(received, tried);
  const arrival = readArrival(received, reversePath, recipients);
  const isOurs = received.source.kind === 'dsn';
  const isPartial =
    (arrival === null && !isOurs) ||
    routes.length < tried.length ||
    received.deliveries.some(({ floor }) => isForgotten(floor));
  return {
    kind: 'message',
    id: received.id,
    atMs: Date.parse(received.at),
    organization: received.organization,
    reversePath,
    source: received.source,
    sizeBytes: received.sizeBytes,
    ruling: received.ruling ?? null,
    arrival,
    recipients,
    routes,
    isPartial,
  };
}

/** Null of our own messages, and where a fact is missing. */
function readArrival(
  received: ReceivedEvent,
  reversePath: ReversePath,
  recipients: readonly RecordedRecipient[],
): RecordedArrival | null {
  const decision = received.decision as ArrivalDecision | null;
  if (decision?.listener === undefined || isForgotten(received.evidence)) return null;
  const { organization, evidence } = received;
  const { policyRevision = null } = decision;
  const named = new Map(recipients.map((each) => [formatAddress(each.named), each.named]));
  if (decision.listener === 'api') {
    const accepted = Array.from(named.values(), (recipient) => ({
      recipient,
      connectors: [],
      shadow: [],
    }));
    return { policyRevision, session: null, accepted };
  }
  if (evidence === null || decision.groups === undefined) return null;
  const accepted: RecordedAcceptance[] = [];
  for (const { recipients: texts, connectors, shadow = [] } of decision.groups) {
    for (const text of texts ?? named.keys()) {
      accepted.push({ recipient: readAddress(text), connectors, shadow });
    }
  }
  const shown = { listener: decision.listener, evidence: evidence, reversePath };
  const session = sessionOf(decision, shown, organization);
  return { policyRevision, session, accepted };
}

function sessionOf(
  { heloName = '', account = null }: ArrivalDecision,
  shown: Pick<InboundSession, 'listener' | 'evidence' | 'reversePath'>,
  organization: string,
): InboundSession {
  return {
    ...shown,
    clientAddress: shown.listener === 'inside' ? '' : shown.evidence.peer.address,
    heloName,
    account: account === null ? null : { organization, account },
  };
}

function readRecipients(received: ReceivedEvent, tried: readonly Tried[]): RecordedRecipient[] {
  const last = lastSendings(tried);
  const recipients: RecordedRecipient[] = [];
  for (const { recipients: texts, aliasedFrom, floor } of received.deliveries) {
    for (const text of texts) {
      recipients.push({
        recipient: readAddress(text),
        named: readAddress(aliasedFrom?.[text] ?? text),
        floor: isForgotten(floor) ? [] : floor,
        last: last.get(text) ?? null,
      });
    }
  }
  return recipients;
}

/** A route as it is stored; null where what it cites is forgotten. */
interface Tried {
  readonly shown: AttemptEvent['routes'][number];
  readonly route: RecordedRoute | null;
}

/** By recipient. */
function lastSendings(tried: readonly Tried[]): ReadonlyMap<string, RecordedSending> {
  const last = new Map<string, RecordedSending>();
  for (const { shown, route } of tried) {
    for (const { recipient, kind, cause = null, at, remoteMta } of shown.outcomes) {
      if (route === null) last.delete(recipient);
      else {
        const known = cause as RecordedSending['cause'];
        last.set(recipient, { route, kind, cause: known, atMs: Date.parse(at), remoteMta });
      }
    }
  }
  return last;
}

/** Null where what it cites is forgotten. */
function readRoute(
  { ordinal, at }: AttemptEvent,
  shown: AttemptEvent['routes'][number],
): RecordedRoute | null {
  const { decision, clauses, candidates } = shown;
  if (isForgotten(decision) || isForgotten(clauses)) return null;
  return {
    ordinal,
    atMs: Date.parse(at),
    decision: decision,
    clauses: clauses,
    candidates: candidates.map(readCandidate),
  };
}

function readCandidate(
  candidate: AttemptEvent['routes'][number]['candidates'][number],
): RecordedCandidate {
  const { hostName, address, port, evidence, verdict, shadow = [] } = candidate;
  return {
    hostName,
    address,
    port,
    evidence: isForgotten(evidence) ? null : evidence,
    verdict: verdict.kind,
    reason: verdict.kind === 'proceed' ? '' : verdict.reason,
    shadow,
  };
}

function readRefusal(refused: RefusedEvent): RecordedRefusal {
  const decision = refused.decision as RefusalDecision | null;
  const isPartial = isForgotten(decision) || isForgotten(refused.evidence);
  const recipient = refused.recipient === null ? null : readAddress(refused.recipient);
  const { code, status } = refused.reply;
  return {
    kind: 'refusal',
    id: refused.id,
    atMs: Date.parse(refused.at),
    policyRevision: decision?.policyRevision ?? null,
    organization: decision?.organization ?? null,
    session: isPartial ? null : readRefusedSession(refused, decision),
    recipient,
    code,
    status,
    connector: decision?.connector ?? null,
    reason: decision?.reason ?? refused.reply.lines.join(' '),
    isPartial,
  };
}

function readRefusedSession(
  refused: RefusedEvent,
  decision: RefusalDecision | null,
): InboundSession | null {
  const { evidence } = refused;
  const reversePath = refused.reversePath === undefined ? undefined : readPath(refused.reversePath);
  const listener = decision?.listener;
  if (evidence === null || reversePath === undefined || decision === null) return null;
  if (listener === undefined || listener === 'api') return null;
  const shown = { listener, evidence: evidence as Evidence, reversePath };
  return {
    ...sessionOf(decision, shown, decision.organization ?? ''),
    clientAddress: refused.clientAddress,
  };
}

/** Empty is the null reverse-path. */
function readPath(text: string): ReversePath {
  return text === '' ? null : readAddress(text);
}

function readAddress(text: string): Address {
  const address = parseUtf8Address(text);
  if (address === null) throw new TypeError(`not an address: ${text}`);
  return address;
}
