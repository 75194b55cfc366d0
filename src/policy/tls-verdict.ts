/**
 * Evidence against requirement: proceed, or refuse with a status and a reason in words. Pure.
 *
 * Third of the three files where forced TLS lives. The only place that makes a `Permit`: nothing but
 * a proceed verdict sends. The same verdict judges inbound sessions.
 */
import type { EnhancedStatus } from '../mail/enhanced-status.ts';
import { status } from '../mail/enhanced-status.ts';
import { formatDomainPattern } from '../mail/domain-pattern.ts';
import { Permit } from '../mail/permit.ts';
import type { ClearTextAllowance } from './clear-text.ts';
import type { CertificateFacts, Evidence, PathProblem, TlsEvidence } from './evidence.ts';
import { findMatchingName, presentedNames } from './name-match.ts';
import type { AnchorsName } from './policy.ts';
import type { Clause, Requirement } from './tls-requirement.ts';
import { describeDemand } from './tls-requirement.ts';

/**
 * Stable words for programs. `not-examined`: this connection's evidence lacks what a clause needs
 * (it was opened for another requirement), so it cannot be used; another connection may.
 */
export type TlsRefusalCause =
  | 'tls-not-offered'
  | 'tls-refused'
  | 'tls-handshake'
  | 'tls-requirement'
  | 'not-examined'
  | 'policy';

export interface TlsRefusal {
  readonly kind: 'refuse';
  /** Class 4: a TLS failure defers. */
  readonly status: EnhancedStatus;
  readonly cause: TlsRefusalCause;
  /** Exchange's word or one of ours in its manner: `UntrustedRoot`, `SubjectMismatch`. */
  readonly problem: string;
  /** One sentence without a full stop: what was required, what was seen. */
  readonly reason: string;
  /** The clause that was not met; null where encryption itself failed without any. */
  readonly unmet: Clause | null;
}

export type TlsVerdict =
  | { readonly kind: 'proceed'; readonly permit: Permit; readonly met: readonly string[] }
  | TlsRefusal;

/**
 * `allowance` lets a client leave an offered STARTTLS unused where nothing is required; null
 * otherwise. `nowMs` is the present: a pooled connection is judged anew for each transaction.
 */
export function judgeTls(
  requirement: Requirement,
  evidence: Evidence,
  nowMs: number,
  allowance: ClearTextAllowance | null,
): TlsVerdict {
  const refusal =
    judgeEncryption(requirement, evidence, allowance) ??
    judgeAnchorSets(requirement, evidence) ??
    judgeClauses(requirement, evidence, { nowMs, isWatched: false });
  if (refusal !== null) return refusal;
  const met = requirement.clauses.map(describeDemand);
  return { kind: 'proceed', permit: new Permit(evidence.connectionId, met), met };
}

/**
 * What a connector that only watches would refuse; null for nothing. It brings no permit, and so it may
 * go by less than `judgeTls`: where OpenSSL was asked about the anchors of what is enforced, our own
 * examination speaks alone for others (`isExaminedAlone`).
 */
export function judgeWatched(
  requirement: Requirement,
  evidence: Evidence,
  nowMs: number,
): TlsRefusal | null {
  return (
    judgeEncryption(requirement, evidence, null) ??
    judgeClauses(requirement, evidence, { nowMs, isWatched: true })
  );
}

/** Whether OpenSSL was asked on this connection, and about other anchors than these. */
export function isExaminedAlone(anchors: AnchorsName, { role, tls }: Evidence): boolean {
  const asked = tls?.openssl ?? null;
  return role === 'client' && asked !== null && asked.anchors !== anchors;
}

/** Null where the connection is encrypted, or in clear and may be. */
function judgeEncryption(
  requirement: Requirement,
  evidence: Evidence,
  allowance: ClearTextAllowance | null,
): TlsRefusal | null {
  const first = requirement.clauses[0] ?? null;
  switch (evidence.encryption) {
    case 'established':
      return judgeVersionFloor(evidence.tls);
    case 'internal':
      return null;
    case 'not-offered':
      if (first === null) return null;
      return refuse('tls-not-offered', 'NoStartTls', '4.4.317', first, 'STARTTLS was not offered');
    case 'not-used':
      if (first === null && (evidence.role === 'server' || allowance !== null)) return null;
      return refuse('tls-not-offered', 'NoTls', '4.4.317', first, 'the session was not encrypted');
    case 'refused':
      return refuse('tls-refused', 'StartTlsRefused', '4.4.317', first, failureOf(evidence));
    case 'failed':
      return judgeFailed(requirement, evidence);
  }
}

/** Where groups are demanded no others are offered: a peer that refused the offer has none of them. */
function judgeFailed({ clauses }: Requirement, evidence: Evidence): TlsRefusal {
  const group = clauses.find(({ kind }) => kind === 'group');
  const isOfferRefused = refusedOffers.has(evidence.failure?.code ?? '');
  const isGroup = group !== undefined && isOfferRefused;
  const problem = isGroup ? 'GroupMismatch' : 'HandshakeFailed';
  const clause = (isGroup ? group : clauses[0]) ?? null;
  return refuse('tls-handshake', problem, '4.4.317', clause, failureOf(evidence));
}

/** Codes of `tls/tls-errors.ts` for a peer that answered, and took nothing of what was offered. */
const refusedOffers: ReadonlySet<string> = new Set([
  'peer-refused',
  'no-common-algorithm',
  'version',
]);

/** Whatever was required: nothing below TLS 1.2 counts as encrypted. */
function judgeVersionFloor(tls: TlsEvidence | null): TlsRefusal | null {
  if (tls?.protocol === 'TLSv1.2' || tls?.protocol === 'TLSv1.3') return null;
  const seen = `the version was ${tls === null ? 'unknown' : tls.protocol}`;
  return refuse('tls-handshake', 'OldVersion', '4.4.317', null, seen);
}

/**
 * OpenSSL is asked about one set of anchors on each connection, so that nothing proves two. (Of both
 * joined into one its word would be about either.) Said before anything else, since until it is mended
 * whatever the peer shows is refused.
 */
function judgeAnchorSets(
  { clauses }: Requirement,
  { role, encryption }: Evidence,
): TlsRefusal | null {
  if (role !== 'client' || encryption !== 'established') return null;
  const trusting = clauses.filter((clause) => clause.kind === 'trust-anchors');
  const [first] = trusting;
  const other = trusting.find(({ anchors }) => anchors !== first?.anchors);
  if (first === undefined || other === undefined) return null;
  const [one, two] = [first, other].map(
    ({ anchors, origin }) => `${anchors} by ${origin.kind} "${origin.name}"`,
  );
  const seen = `two sets of trust anchors are demanded, ${one} and ${two}, and one connection cannot be examined for both: give both the same anchors`;
  return { ...refuse('policy', 'TwoAnchorSets', '4.7.5', null, seen), unmet: other };
}

/** `isWatched`: nothing is sent on the strength of it. */
interface Terms {
  readonly nowMs: number;
  readonly isWatched: boolean;
}

function judgeClauses(
  requirement: Requirement,
  evidence: Evidence,
  terms: Terms,
): TlsRefusal | null {
  for (const clause of requirement.clauses) {
    const refusal = judgeClause(clause, evidence, terms);
    if (refusal !== null) return refusal;
  }
  return null;
}

function judgeClause(clause: Clause, evidence: Evidence, terms: Terms): TlsRefusal | null {
  if (clause.kind === 'unsatisfiable') {
    return refuse('policy', 'BrokenPolicy', '4.7.5', clause, clause.reason);
  }
  const tls = evidence.tls;
  if (evidence.encryption === 'internal') return judgeInternal(clause);
  if (evidence.encryption !== 'established' || tls === null) {
    return refuse('tls-not-offered', 'NoTls', '4.4.317', clause, 'the session was not encrypted');
  }
  switch (clause.kind) {
    case 'encrypted':
      return null;
    case 'min-version':
      if (clause.version === 'TLSv1.2' || tls.protocol === 'TLSv1.3') return null;
      return unmet(clause, 'OldVersion', '4.4.317', `the version was ${tls.protocol}`);
    case 'group':
      if (tls.group !== null && clause.groups.includes(tls.group)) return null;
      return unmet(clause, 'GroupMismatch', '4.4.317', `the group was ${tls.group ?? 'not told'}`);
    case 'trust-anchors':
      return judgeAnchors(clause, evidence, tls, terms);
    case 'trust-spki':
      return judgePins(clause, tls.chain[0], terms.nowMs);
    case 'name':
      return judgeName(clause, tls.chain[0]);
  }
}

/** Nobody could read it on the way; but who is on the other side, no certificate has shown. */
function judgeInternal(clause: Clause): TlsRefusal | null {
  if (clause.kind === 'encrypted' || clause.kind === 'min-version' || clause.kind === 'group') {
    return null;
  }
  const seen = 'it was handed over inside this gateway, where no certificate is shown';
  return unmet(clause, 'NoCertificate', '4.7.320', seen);
}

function judgeAnchors(
  clause: Clause & { readonly kind: 'trust-anchors' },
  evidence: Evidence,
  tls: TlsEvidence,
  { nowMs, isWatched }: Terms,
): TlsRefusal | null {
  if (tls.chain.length === 0) return unmet(clause, 'NoCertificate', '4.7.320', 'none was shown');
  const path = tls.paths.find((p) => p.anchors === clause.anchors && p.purpose === clause.purpose);
  const isAlone = isWatched && isExaminedAlone(clause.anchors, evidence);
  const needsOpenssl = evidence.role === 'client' && !isAlone;
  if (path === undefined || (needsOpenssl && tls.openssl?.anchors !== clause.anchors)) {
    const seen = 'this connection was not examined for that';
    return refuse('not-examined', 'NotExamined', '4.4.317', clause, seen);
  }
  if (path.kind === 'not-reached') {
    const { problem, code } = wordsOfProblem[path.problem];
    return unmet(clause, problem, code, path.detail);
  }
  const dates = judgeDates(path, nowMs);
  if (dates !== null) return unmet(clause, dates.problem, '4.7.320', dates.seen);
  if (needsOpenssl && tls.openssl?.result !== 'ok') {
    const seen = `OpenSSL refused the path that we found (${tls.openssl?.result ?? 'no verdict'})`;
    return unmet(clause, 'Disagreement', '4.7.320', seen);
  }
  return null;
}

function judgePins(
  clause: Clause & { readonly kind: 'trust-spki' },
  leaf: CertificateFacts | undefined,
  nowMs: number,
): TlsRefusal | null {
  if (leaf === undefined) return unmet(clause, 'NoCertificate', '4.7.320', 'none was shown');
  if (!clause.pins.includes(leaf.spki256)) {
    return unmet(clause, 'PinMismatch', '4.7.320', `the key was ${leaf.spki256}`);
  }
  const dates = judgeDates(leaf, nowMs);
  return dates === null ? null : unmet(clause, dates.problem, '4.7.320', dates.seen);
}

function judgeName(
  clause: Clause & { readonly kind: 'name' },
  leaf: CertificateFacts | undefined,
): TlsRefusal | null {
  if (leaf === undefined) return unmet(clause, 'NoCertificate', '4.7.320', 'none was shown');
  const presented = presentedNames(leaf);
  if (findMatchingName(presented, clause.references) !== null) return null;
  const shown = presented.slice(0, 5).join(', ');
  const more = presented.length > 5 ? ` and ${presented.length - 5} more` : '';
  const names = presented.length === 0 ? 'no name' : `${shown}${more}`;
  const expected = clause.references.map(formatDomainPattern).join(', ');
  const seen = `Expected Subject: ${expected}; Presented Subject: ${names}`;
  return unmet(clause, 'SubjectMismatch', '4.4.317', seen);
}

function judgeDates(
  window: { readonly notBefore: string; readonly notAfter: string },
  nowMs: number,
): { problem: string; seen: string } | null {
  const from = Date.parse(window.notBefore);
  const to = Date.parse(window.notAfter);
  if (Number.isNaN(from) || Number.isNaN(to)) {
    return { problem: 'Malformed', seen: 'its dates cannot be read' };
  }
  if (nowMs < from) return { problem: 'NotYetValid', seen: `it is valid from ${window.notBefore}` };
  if (nowMs > to) return { problem: 'Expired', seen: `it expired at ${window.notAfter}` };
  return null;
}

/** Exchange's word and code where it has one (450 4.4.317 and 4.7.320). */
const wordsOfProblem: Readonly<Record<PathProblem, { problem: string; code: string }>> = {
  'no-certificate': { problem: 'NoCertificate', code: '4.7.320' },
  'self-signed': { problem: 'UntrustedRoot', code: '4.4.317' },
  'untrusted-root': { problem: 'UntrustedRoot', code: '4.4.317' },
  expired: { problem: 'Expired', code: '4.7.320' },
  'not-yet-valid': { problem: 'NotYetValid', code: '4.7.320' },
  'wrong-purpose': { problem: 'WrongUsage', code: '4.7.320' },
  'weak-signature': { problem: 'WeakSignature', code: '4.7.320' },
  'weak-key': { problem: 'WeakKey', code: '4.7.320' },
  'not-a-ca': { problem: 'NotACa', code: '4.7.320' },
  'path-too-long': { problem: 'PathTooLong', code: '4.7.320' },
  'name-constraint': { problem: 'NameConstraint', code: '4.7.320' },
  'unknown-critical-extension': { problem: 'UnknownCriticalExtension', code: '4.7.320' },
  'bad-signature': { problem: 'BadSignature', code: '4.7.320' },
  malformed: { problem: 'Malformed', code: '4.7.320' },
  'limit-exceeded': { problem: 'LimitExceeded', code: '4.7.320' },
  'anchors-unavailable': { problem: 'AnchorsUnavailable', code: '4.7.5' },
};

function failureOf(evidence: Evidence): string {
  const what = evidence.encryption === 'refused' ? 'STARTTLS was refused' : 'the handshake failed';
  return evidence.failure === null ? what : `${what}: ${evidence.failure.text}`;
}

function unmet(clause: Clause, problem: string, code: string, seen: string): TlsRefusal {
  return refuse('tls-requirement', problem, code, clause, seen);
}

// oxlint-disable-next-line eslint/max-params -- one constructor of a refusal, each part distinct
function refuse(
  cause: TlsRefusalCause,
  problem: string,
  code: string,
  clause: Clause | null,
  seen: string,
): TlsRefusal {
  const required =
    clause === null
      ? ''
      : `${clause.origin.kind} "${clause.origin.name}" requires ${describeDemand(clause)}; `;
  return {
    kind: 'refuse',
    status: status(code),
    cause,
    problem,
    reason: required + seen,
    unmet: clause,
  };
}
