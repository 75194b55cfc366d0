/**
 * Whether a partner is ready for a connector to be enforced: what its demands came to on real mail.
 *
 * Counted by message: one passes where every delivery of it met the demands on some server that was
 * tried; refusals count for themselves. The demands are those of the time, in whatever mode.
 */
import { formatAddress, formatPath } from '../mail/address.ts';
import type {
  Recorded,
  RecordedCandidate,
  RecordedMessage,
  RecordedRefusal,
  RecordedRoute,
} from './recorded.ts';
import { judgeTls } from './tls-verdict.ts';
import { judgeExamined } from './unexamined.ts';

/** A connector by its name; `organization` null is any. */
export interface ReadinessQuestion {
  readonly name: string;
  readonly direction: 'inbound' | 'outbound';
  readonly organization: string | null;
}

/** `isMet` null where what was examined does not tell. `mode`: the connector's at the time. */
export interface Readiness {
  readonly isMet: boolean | null;
  readonly mode: 'enforce' | 'warn' | 'observe';
  readonly policyRevision: string | null;
  /** Null where it is not unmet. */
  readonly failure: ReadinessFailure | null;
}

/** `other`: the client's address, or host and address of the server. */
export interface ReadinessFailure {
  readonly id: string;
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  readonly other: string;
  readonly reason: string;
}

/** Null where the connector had nothing to say of it. */
export function readReadiness(question: ReadinessQuestion, recorded: Recorded): Readiness | null {
  const { organization, direction } = question;
  if (recorded.kind === 'unreadable') return null;
  if (organization !== null && recorded.organization !== organization) return null;
  if (recorded.kind === 'refusal') {
    return direction === 'inbound' ? readRefused(question, recorded) : null;
  }
  return direction === 'inbound' ? readArrived(question, recorded) : readSent(question, recorded);
}

function readRefused({ name }: ReadinessQuestion, refusal: RecordedRefusal): Readiness | null {
  if (refusal.connector !== name) return null;
  const { id, atMs, session, recipient, reason, policyRevision } = refusal;
  const failure = {
    id,
    atMs,
    from: formatPath(session?.reversePath ?? null),
    to: recipient === null ? '' : formatAddress(recipient),
    other: session?.clientAddress ?? '',
    reason,
  };
  return { isMet: false, mode: 'enforce', policyRevision, failure };
}

function readArrived({ name }: ReadinessQuestion, message: RecordedMessage): Readiness | null {
  const { arrival } = message;
  if (arrival === null) return null;
  const { policyRevision, session } = arrival;
  const shown = arrival.accepted.flatMap(({ recipient, shadow }) =>
    shadow.filter(({ connector }) => connector === name).map((each) => ({ recipient, each })),
  );
  const [first] = shown;
  if (first === undefined) {
    const isMet = arrival.accepted.some(({ connectors }) => connectors.includes(name));
    return isMet ? { isMet, mode: 'enforce', policyRevision, failure: null } : null;
  }
  const { mode } = first.each;
  const unmet = shown.find(({ each }) => each.isMet === false);
  if (unmet === undefined) {
    const isMet = shown.some(({ each }) => each.isMet === null) ? null : true;
    return { isMet, mode, policyRevision, failure: null };
  }
  const failure = {
    id: message.id,
    atMs: message.atMs,
    from: formatPath(message.reversePath),
    to: formatAddress(unmet.recipient),
    other: session?.clientAddress ?? '',
    reason: unmet.each.reason,
  };
  return { isMet: false, mode, policyRevision, failure };
}

/** One server that was tried, and what the connector said of it; `mode` as it was. */
interface Said {
  readonly route: RecordedRoute;
  readonly candidate: RecordedCandidate;
  readonly mode: Readiness['mode'];
  readonly isMet: boolean | null;
  readonly reason: string;
}

function readSent({ name }: ReadinessQuestion, message: RecordedMessage): Readiness | null {
  const said = message.routes.flatMap((route) =>
    route.candidates.flatMap((candidate) => sayOf(name, route, candidate) ?? []),
  );
  const [first] = said;
  if (first === undefined) return null;
  const { mode } = first;
  const { policyRevision } = first.route.decision;
  const metWays = new Set(said.filter(({ isMet }) => isMet).map(({ route }) => wayOf(route)));
  const open = said.filter(({ route }) => !metWays.has(wayOf(route)));
  const unmet = open.findLast(({ isMet }) => isMet === false);
  if (unmet === undefined) {
    return { isMet: open.length === 0 ? true : null, mode, policyRevision, failure: null };
  }
  const { hostName, address } = unmet.candidate;
  const failure = {
    id: message.id,
    atMs: unmet.route.atMs,
    from: formatPath(message.reversePath),
    to: unmet.route.decision.recipientDomain,
    other: address === null ? hostName : `${hostName} [${address}]`,
    reason: unmet.reason,
  };
  return { isMet: false, mode: unmet.mode, policyRevision, failure };
}

/** A delivery that was divided, or a domain of one, has a way of its own. */
function wayOf({ ordinal, decision }: RecordedRoute): string {
  return `${ordinal} ${decision.recipientDomain}`;
}

/** Null where the connector had no part, or the server was not reached. */
function sayOf(name: string, route: RecordedRoute, candidate: RecordedCandidate): Said | null {
  const shadow = candidate.shadow.find(({ connector }) => connector === name);
  if (shadow !== undefined) {
    const { mode, isMet, reason } = shadow;
    return { route, candidate, mode, isMet, reason };
  }
  const { evidence } = candidate;
  const clauses = route.clauses.filter(
    ({ origin }) => origin.kind === 'connector' && origin.name === name,
  );
  if (clauses.length === 0 || evidence === null) return null;
  // Of its own clauses alone: what else was demanded is no fault of this partner's.
  const refusal = judgeExamined({ clauses }, (part) => {
    const verdict = judgeTls(part, evidence, route.atMs, null);
    return verdict.kind === 'refuse' ? verdict : null;
  });
  const isMet = refusal === null ? true : refusal.cause === 'not-examined' ? null : false;
  return { route, candidate, mode: 'enforce', isMet, reason: refusal?.reason ?? '' };
}
