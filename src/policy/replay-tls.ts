/**
 * Another requirement on the recorded evidence: of the server that took the message, or of those that
 * did not for their TLS. Evidence of one server says nothing of another.
 */
import type { ClearTextAllowance } from './clear-text.ts';
import type { OutboundDecision } from './decision.ts';
import type { Evidence } from './evidence.ts';
import type { RecordedCandidate, RecordedSending } from './recorded.ts';
import type { Change, Undecided } from './replayed.ts';
import { hopOf } from './replay-hop.ts';
import type { Requirement } from './tls-requirement.ts';
import { isForced } from './tls-requirement.ts';
import type { TlsRefusal } from './tls-verdict.ts';
import { judgeTls } from './tls-verdict.ts';
import { judgeExamined } from './unexamined.ts';

/** A recorded attempt, and what another policy says about the same recipient. */
export interface Sent {
  readonly last: RecordedSending;
  readonly decision: OutboundDecision;
  readonly requirement: Requirement;
}

export interface ReplayedTls {
  readonly changes: readonly Pick<Change, 'kind' | 'because' | 'reason'>[];
  readonly undecided: readonly Undecided[];
}

const same: ReplayedTls = { changes: [], undecided: [] };

export function replayTls(sent: Sent): ReplayedTls {
  const { last } = sent;
  if (last.kind === 'delivered') return replayDelivered(sent);
  const isForTls = last.cause === 'policy' || last.cause?.startsWith('tls-') === true;
  return isForTls ? replayStopped(sent) : same;
}

function replayDelivered(sent: Sent): ReplayedTls {
  const { last, decision, requirement } = sent;
  const broken = requirement.clauses.find(({ kind }) => kind === 'unsatisfiable');
  if (broken?.kind === 'unsatisfiable') {
    return deferred(`${broken.origin.kind} "${broken.origin.name}" is broken`, broken.reason);
  }
  const candidate = findTaker(last);
  if (!isSameServer(sent, candidate)) return isForced(requirement) ? undecided('other-hop') : same;
  if (candidate === null) return same;
  if (candidate.evidence === null) return undecided('partial');
  const result = judgeAgain(sent, candidate.evidence);
  if (result === 'unexamined') return undecided('not-examined');
  if (result !== 'met') return deferred(nameRefusal(result), result.reason);
  const isOtherOwn = decision.clientCertificate !== last.route.decision.clientCertificate;
  return isOtherOwn && candidate.evidence.tls !== null ? undecided('own-certificate') : same;
}

/** Waited, or was given up, for want of TLS. */
function replayStopped(sent: Sent): ReplayedTls {
  const { last, requirement } = sent;
  if (requirement.clauses.some(({ kind }) => kind === 'unsatisfiable')) return same;
  const wasBroken = last.route.clauses.some(({ kind }) => kind === 'unsatisfiable');
  const seen = last.route.candidates.filter((each) => isSameServer(sent, each));
  const evidence = seen.flatMap((each) => each.evidence ?? []);
  if (evidence.length === 0) return wasBroken ? undecided('no-evidence') : same;
  const results = evidence.map((each) => judgeAgain(sent, each));
  if (results.includes('met')) {
    const reason = last.route.candidates.find(({ verdict }) => verdict === 'refuse')?.reason ?? '';
    return { changes: [{ kind: 'passed', because: `had ${last.cause}`, reason }], undecided: [] };
  }
  return results.includes('unexamined') ? undecided('not-examined') : same;
}

/** The one that the outcome names; null for mailboxes. */
function findTaker({ route, remoteMta }: RecordedSending): RecordedCandidate | null {
  if (remoteMta === null) return null;
  const taker = route.candidates.findLast(
    ({ verdict, hostName, address, port }) =>
      verdict === 'proceed' &&
      hostName === remoteMta.hostName &&
      address === remoteMta.address &&
      port === remoteMta.port,
  );
  return taker ?? null;
}

/** Whether the candidate's server is one that the decision leads to. */
function isSameServer({ last, decision }: Sent, candidate: RecordedCandidate | null): boolean {
  if (hopOf(last.route.decision) === hopOf(decision)) return true;
  const { destination } = decision;
  if (destination.kind !== 'smart-hosts' || candidate === null) return false;
  return destination.hosts.some(
    ({ host, port }) => host === candidate.hostName && port === candidate.port,
  );
}

function judgeAgain(
  { last, decision, requirement }: Sent,
  evidence: Evidence,
): 'met' | 'unexamined' | TlsRefusal {
  const allowance: ClearTextAllowance | null =
    decision.clearTextAfterFailedTls && !isForced(requirement)
      ? { kind: 'clear-text-after-failed-tls', failedAttempts: 2 }
      : null;
  const refusal = judgeExamined(requirement, (part) => {
    const verdict = judgeTls(part, evidence, last.atMs, allowance);
    return verdict.kind === 'refuse' ? verdict : null;
  });
  if (refusal === null) return 'met';
  return refusal.cause === 'not-examined' ? 'unexamined' : refusal;
}

function nameRefusal({ problem, unmet }: TlsRefusal): string {
  return unmet === null ? problem : `${problem} for ${unmet.origin.kind} "${unmet.origin.name}"`;
}

function deferred(because: string, reason: string): ReplayedTls {
  return { changes: [{ kind: 'deferred', because, reason }], undecided: [] };
}

function undecided(why: Undecided['why']): ReplayedTls {
  return { changes: [], undecided: [{ why, detail: '' }] };
}
