/**
 * The hop from one organization of this gateway to another: no network, and so no handshake, but a
 * requirement, evidence and a verdict like any other.
 *
 * Who takes it judges the message as if it came from anybody.
 */
import type { Recipient } from '../mail/recipient.ts';
import type { Reply } from '../mail/reply.ts';
import { isPositive } from '../mail/reply.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import { classifyAccepted, classifyTrouble } from '../policy/classify.ts';
import type { OutboundDecision } from '../policy/decision.ts';
import type { CandidateRecord, Delivery } from '../policy/delivery.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { Outcome, RemoteMta } from '../policy/outcome.ts';
import { judgeShadow } from '../policy/shadow.ts';
import type { Requirement } from '../policy/tls-requirement.ts';
import { isForced } from '../policy/tls-requirement.ts';
import { judgeTls } from '../policy/tls-verdict.ts';

/** What the other organization is given. `evidence` says from whom, `isForced` that TLS was demanded. */
export interface HandedInside {
  readonly delivery: Delivery;
  readonly recipients: readonly Recipient[];
  readonly toOrganization: string;
  readonly evidence: Evidence;
  readonly isForced: boolean;
}

/** One answer for each recipient, in their order. A positive one means durable. Never rejects. */
export type TakeInside = (handed: HandedInside) => Promise<readonly Reply[]>;

export interface InsideTask {
  readonly delivery: Delivery;
  readonly decision: OutboundDecision;
  readonly requirement: Requirement;
  readonly recipients: readonly Recipient[];
}

export interface InsideServices {
  readonly hostName: string;
  readonly nowMs: number;
  newConnectionId(): string;
  readonly takeInside: TakeInside;
}

export interface InsideResult {
  readonly candidates: readonly CandidateRecord[];
  readonly outcomes: readonly Outcome[];
}

export async function handInside(
  services: InsideServices,
  task: InsideTask,
  toOrganization: string,
): Promise<InsideResult> {
  const { delivery, requirement, recipients, decision } = task;
  const { hostName, nowMs } = services;
  const remoteMta: RemoteMta = { hostName, address: null, port: 0 };
  const context = { remoteMta, at: new Date(nowMs).toISOString() };
  const evidence = evidenceOf(services, delivery.organization);
  const shadow = judgeShadow(decision.shadow, evidence, nowMs);
  const candidate = {
    ...remoteMta,
    addedClauses: [],
    evidence,
    ...(shadow.length === 0 ? {} : { shadow }),
  };
  const verdict = judgeTls(requirement, evidence, nowMs, null);
  if (verdict.kind === 'refuse') {
    const { reason } = verdict;
    const status = formatEnhancedStatus(verdict.status);
    const outcome = classifyTrouble({ ...verdict, kind: 'tls' }, context);
    const refused = { kind: 'refuse', status, reason } as const;
    return {
      candidates: [{ ...candidate, verdict: refused }],
      outcomes: recipients.map(() => outcome),
    };
  }
  const replies = await services.takeInside({
    delivery,
    recipients,
    toOrganization,
    evidence,
    isForced: isForced(requirement),
  });
  return {
    candidates: [{ ...candidate, verdict: { kind: 'proceed', met: verdict.met } }],
    outcomes: replies.map((reply) => outcomeOf(reply, context)),
  };
}

function evidenceOf(services: InsideServices, fromOrganization: string): Evidence {
  const { hostName, nowMs } = services;
  return {
    formatVersion: 1,
    connectionId: services.newConnectionId(),
    observedAt: new Date(nowMs).toISOString(),
    role: 'client',
    peer: { address: '', port: 0, hostName },
    encryption: 'internal',
    fromOrganization,
    failure: null,
    tls: null,
  };
}

function outcomeOf(
  reply: Reply,
  context: { readonly remoteMta: RemoteMta; readonly at: string },
): Outcome {
  if (isPositive(reply)) {
    const handOver = { handedTo: 'relay-with-dsn', clearTextReason: null } as const;
    return classifyAccepted(reply, context, handOver);
  }
  const trouble = { kind: 'reply', stage: 'rcpt', reply, isEncrypted: true } as const;
  return classifyTrouble(trouble, context);
}
