/**
 * A refusal in the session: on the wire, in the log and in the trace under one id.
 *
 * The id stands at the end of the reply, so that either side's administrator can name the event.
 */
import type { Address, ReversePath } from '../mail/address.ts';
import { formatAddress, formatPath } from '../mail/address.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import type { Reply } from '../mail/reply.ts';
import type { Considered } from '../policy/decision.ts';
import type { Evidence } from '../policy/evidence.ts';
import { evidenceFor } from '../policy/inbound-paths.ts';
import type { Policy } from '../policy/policy.ts';
import { describeEvidence } from './evidence-text.ts';
import type { ReceivingServices } from './services.ts';
import type { ListenerSettings } from './settings.ts';

export interface Refusal {
  readonly reply: Reply;
  /** For logs and the trace. */
  readonly reason: string;
  /** Whose requirement was not met; null where no connector had a part in it. */
  readonly connector: string | null;
  /** Whose refusal it is; null where it is no single organization's. Absent: whose the transaction is. */
  readonly organization?: string | null;
  readonly considered: readonly Considered[];
  readonly recipient: Address | null;
  /** What rules said; plain JSON data. Absent where none was asked. */
  readonly rules?: unknown;
  /** Mail that was taken and kept by nobody: absent where a rule deleted it, and of refusals. */
  readonly result?: 'rehearsed';
  /** The log has told of it lately; absent is false. */
  readonly isRepeated?: boolean;
  /** The client is told this one in another reply; absent: a new one, which the reply gets. */
  readonly id?: string;
}

/** For refusals in which no connector and no single recipient had a part. */
export const nobody = { connector: null, considered: [], recipient: null } as const;

export interface RefusedSession {
  readonly settings: ListenerSettings;
  readonly services: ReceivingServices;
  readonly policy: Policy;
  readonly clientAddress: string;
  readonly heloName: string;
  readonly account: string | null;
  /** The account's; absent without one. */
  readonly organization?: string;
  readonly reversePath: ReversePath;
  readonly evidence: Evidence;
}

/** Logs and records the refusal; the reply to give, with its id. */
export function recordRefusal(session: RefusedSession, refusal: Refusal): Reply {
  const { services, evidence, reversePath } = session;
  const id = refusal.id ?? services.newId();
  const { reason, connector, recipient, considered } = refusal;
  const organization = refusal.organization ?? session.organization ?? null;
  const reply = withId(refusal.reply, id);
  const result = refusal.result ?? (reply.code < 300 ? 'deleted' : 'refused');
  services.log[levelOf(refusal)](
    {
      refusalId: id,
      listener: session.settings.name,
      client: session.clientAddress,
      helo: session.heloName,
      account: session.account,
      organization,
      from: formatPath(reversePath),
      to: recipient === null ? null : formatAddress(recipient),
      code: reply.code,
      status: reply.status === null ? null : formatEnhancedStatus(reply.status),
      connector,
      reason,
      tls: describeEvidence(evidence),
    },
    whatWasDone(result, recipient),
  );
  services.recordRefusal({
    id,
    atMs: services.now(),
    reply,
    decision: {
      formatVersion: 1,
      policyRevision: session.policy.revision,
      listener: session.settings.kind,
      result,
      heloName: session.heloName,
      account: session.account,
      organization,
      connector,
      reason,
      considered,
      ...(refusal.rules === undefined ? {} : { rules: refusal.rules }),
    },
    evidence: evidenceFor(session.policy, organization, evidence),
    reversePath,
    recipient,
    clientAddress: session.clientAddress,
  });
  return reply;
}

function levelOf({ isRepeated, result }: Refusal): 'debug' | 'info' | 'warn' {
  if (isRepeated === true) return 'debug';
  return result === 'rehearsed' ? 'info' : 'warn';
}

function whatWasDone(
  result: 'deleted' | 'refused' | 'rehearsed',
  recipient: Address | null,
): string {
  if (result === 'deleted') return 'message deleted by a rule';
  if (result === 'rehearsed') return 'rehearsal judged';
  return recipient === null ? 'message refused' : 'recipient refused';
}

function withId(reply: Reply, id: string): Reply {
  const last = reply.lines.length - 1;
  return { ...reply, lines: reply.lines.with(last, `${reply.lines[last]} [${id}]`) };
}
