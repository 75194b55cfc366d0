/**
 * What each demand says of one connection's certificate, for showing: chain, dates, revocation, key,
 * names. Pure. Nothing is sent on the strength of it: that is for `judgeTls` on the whole requirement.
 */
import { formatDomainPattern } from '../../mail/domain-pattern.ts';
import type { CertificateFacts, Evidence, TlsEvidence } from '../evidence.ts';
import { presentedNames } from '../name-match.ts';
import type { Clause, Requirement } from '../tls-requirement.ts';
import { judgeWatched } from '../tls-verdict.ts';
import type { TlsRefusal } from '../tls-verdict.ts';
import type { ValidationState, ValidationStepName } from './run.ts';

/** A step without its time and place. */
export interface JudgedStep {
  readonly step: ValidationStepName;
  readonly state: ValidationState;
  readonly text: string;
}

/** For a session under TLS; empty for any other. */
export function judgeCertificateSteps(
  requirement: Requirement,
  evidence: Evidence,
  nowMs: number,
): readonly JudgedStep[] {
  const { tls } = evidence;
  if (tls === null) return [];
  const look: Look = { requirement, evidence, tls, nowMs };
  return [
    chainStep(look),
    expiryStep(look),
    { step: 'revocation', state: 'skipped', text: revocationText },
    ...pinStep(look),
    nameStep(look),
  ];
}

const revocationText =
  'not checked: this gateway does not ask for revocation yet, and the evidence says so';

interface Look {
  readonly requirement: Requirement;
  readonly evidence: Evidence;
  readonly tls: TlsEvidence;
  readonly nowMs: number;
}

type Kind = Clause['kind'];

/** Whether the kind is demanded, and the first refusal among those. */
function judgeKind(
  { requirement, evidence, nowMs }: Look,
  ...kinds: readonly Kind[]
): { readonly isDemanded: boolean; readonly refusal: TlsRefusal | null } {
  const clauses = requirement.clauses.filter(({ kind }) => kinds.includes(kind));
  for (const clause of clauses) {
    const refusal = judgeWatched({ clauses: [clause] }, evidence, nowMs);
    if (refusal !== null) return { isDemanded: true, refusal };
  }
  return { isDemanded: clauses.length > 0, refusal: null };
}

function isAboutDates({ problem }: TlsRefusal): boolean {
  return problem === 'Expired' || problem === 'NotYetValid';
}

function chainStep(look: Look): JudgedStep {
  const { isDemanded, refusal } = judgeKind(look, 'trust-anchors');
  const sent = `${look.tls.chain.length} certificate${look.tls.chain.length === 1 ? '' : 's'} sent`;
  if (refusal !== null && !isAboutDates(refusal)) return failed('chain', refusal.reason);
  if (refusal !== null) {
    return skipped('chain', `${sent}; not judged further, since the dates do not hold`);
  }
  const path = look.tls.paths[0];
  const leads =
    path?.kind === 'reached'
      ? `it leads to a trusted CA (${path.anchors})`
      : `it leads to no trusted CA: ${path?.detail ?? 'none was asked for'}`;
  if (isDemanded) return { step: 'chain', state: 'succeeded', text: `${sent}; ${leads}` };
  return skipped('chain', `not demanded by this connector; ${sent}; ${leads}`);
}

function expiryStep(look: Look): JudgedStep {
  const { isDemanded, refusal } = judgeKind(look, 'trust-anchors', 'trust-spki');
  if (refusal !== null && isAboutDates(refusal)) return failed('expiry', refusal.reason);
  const leaf = look.tls.chain[0];
  if (leaf === undefined) return skipped('expiry', 'no certificate was shown');
  const text = datesOf(leaf, look.nowMs);
  if (isDemanded) return { step: 'expiry', state: 'succeeded', text };
  return skipped('expiry', `not demanded by this connector; ${text}`);
}

function datesOf({ notBefore, notAfter }: CertificateFacts, nowMs: number): string {
  if (nowMs > Date.parse(notAfter)) return `it expired at ${notAfter}`;
  if (nowMs < Date.parse(notBefore)) return `it is valid only from ${notBefore}`;
  const days = Math.floor((Date.parse(notAfter) - nowMs) / 86_400_000);
  return `it is valid until ${notAfter}, ${days} day${days === 1 ? '' : 's'} more`;
}

/** Only where pins are demanded. */
function pinStep(look: Look): readonly JudgedStep[] {
  const { isDemanded, refusal } = judgeKind(look, 'trust-spki');
  if (!isDemanded) return [];
  if (refusal === null) return [{ step: 'pin', state: 'succeeded', text: 'it has a pinned key' }];
  return isAboutDates(refusal) ? [] : [failed('pin', refusal.reason)];
}

function nameStep(look: Look): JudgedStep {
  const { isDemanded, refusal } = judgeKind(look, 'name');
  if (refusal !== null) return failed('name', refusal.reason);
  const leaf = look.tls.chain[0];
  const names = leaf === undefined ? [] : presentedNames(leaf);
  const shown = names.length === 0 ? 'it carries no name' : `it carries ${listed(names)}`;
  if (!isDemanded) return skipped('name', `not demanded by this connector; ${shown}`);
  const wanted = look.requirement.clauses.flatMap((clause) =>
    clause.kind === 'name' ? clause.references.map(formatDomainPattern) : [],
  );
  return { step: 'name', state: 'succeeded', text: `${shown}; demanded: ${listed(wanted)}` };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

function failed(step: ValidationStepName, text: string): JudgedStep {
  return { step, state: 'failed', text };
}

function skipped(step: ValidationStepName, text: string): JudgedStep {
  return { step, state: 'skipped', text };
}
