/**
 * Mail as the gateway decides and records it, without a network: the real verdicts, plans and record
 * writers, on sessions and servers that the test names.
 */
import type { Address } from '../../src/mail/address.ts';
import { formatQueueId } from '../../src/mail/queue-id.ts';
import { reply } from '../../src/mail/reply.ts';
import { chooseOutbound } from '../../src/policy/choose-outbound.ts';
import { classifyAccepted, classifyTrouble } from '../../src/policy/classify.ts';
import type { IncomingMessage, MessageSource, RouteAttempt } from '../../src/policy/delivery.ts';
import type { Evidence } from '../../src/policy/evidence.ts';
import { requirementOf } from '../../src/policy/floor.ts';
import type { InboundSession } from '../../src/policy/inbound-session.ts';
import { judgeRecipient } from '../../src/policy/judge-recipient.ts';
import { judgeMailFrom } from '../../src/policy/judge-sender.ts';
import type { Outcome } from '../../src/policy/outcome.ts';
import { planDeliveries } from '../../src/policy/plan-deliveries.ts';
import type { Policy } from '../../src/policy/policy.ts';
import type { Recorded } from '../../src/policy/recorded.ts';
import { routingOf } from '../../src/policy/routing.ts';
import type { Ruling } from '../../src/policy/rules/ruling.ts';
import { judgeShadow } from '../../src/policy/shadow.ts';
import { judgeTls } from '../../src/policy/tls-verdict.ts';
import { inboundDecisionOf } from '../../src/receiving/inbound-decision.ts';
import { partsByOrganization } from '../../src/receiving/message-part.ts';
import { recordRefusal as refuse } from '../../src/receiving/refusal.ts';
import type { Refusal } from '../../src/receiving/refusal.ts';
import type { ReceivingServices } from '../../src/receiving/services.ts';
import type { ListenerSettings } from '../../src/receiving/settings.ts';
import type { AcceptedDecision } from '../../src/receiving/transaction-start.ts';
import { silentLog } from '../../src/report/log.ts';
import { RecordedReader } from '../../src/report/read-recorded.ts';
import type { Fact, TraceRecord } from '../../src/report/record.ts';
import type { Recorded as Written } from '../../src/report/trace.ts';
import { recordAttempt, recordReceived, recordRefusal } from '../../src/report/trace.ts';
import { formatEnhancedStatus } from '../../src/mail/enhanced-status.ts';
import { evidence } from './policy.ts';

/** One transaction, and the servers that take its mail. */
export interface Mail {
  readonly session: InboundSession;
  readonly recipients: readonly Address[];
  readonly atMs: number;
  /** What the server for a domain shows; TLS 1.3 with a good certificate where absent. */
  readonly server?: (domain: string) => Evidence;
  readonly ruling?: Ruling;
}

/** Records and facts as the store gets them; keys rise from `key` on. */
export function recordMail(
  policy: Policy,
  mail: Mail,
  key: number,
): { readonly records: readonly TraceRecord[]; readonly facts: readonly Fact[]; key: number } {
  const written: Written[] = [];
  let next = key;
  const newId = (): string => formatQueueId({ key: next++, shard: 0 });
  const { session, atMs } = mail;
  const note = (refusal: Refusal): void => {
    const services = {
      log: silentLog,
      newId,
      now: () => atMs,
      recordRefusal: (made: Parameters<typeof recordRefusal>[0]) => {
        written.push(recordRefusal(made));
      },
    } as unknown as ReceivingServices;
    const settings = { name: 'mx', kind: session.listener } as unknown as ListenerSettings;
    const account = session.account?.account ?? null;
    const known = session.account === null ? {} : { organization: session.account.organization };
    refuse({ ...session, ...known, account, settings, services, policy }, refusal);
  };
  const sender = judgeMailFrom(policy, session);
  if (sender !== null) {
    note({ ...sender, connector: null, considered: [], recipient: null });
  } else {
    const accepted = judgeAll(policy, mail, note);
    for (const part of partsByOrganization(accepted.recipients, accepted.decisions)) {
      written.push(...recordPart(policy, mail, part, newId()));
    }
  }
  const records = written.flatMap((each) => each.records);
  return { records, facts: written.flatMap(({ facts }) => facts), key: next };
}

function judgeAll(policy: Policy, mail: Mail, note: (refusal: Refusal) => void) {
  const recipients: Address[] = [];
  const decisions: AcceptedDecision[] = [];
  const clock = { nowMs: mail.atMs, firstRefusedAtMs: () => null };
  for (const recipient of mail.recipients) {
    const decision = judgeRecipient(policy, mail.session, recipient, clock);
    if (decision.kind === 'refuse') {
      note({ ...decision, recipient });
      continue;
    }
    recipients.push(recipient);
    decisions.push(decision);
  }
  return { recipients, decisions };
}

function recordPart(
  policy: Policy,
  mail: Mail,
  part: ReturnType<typeof partsByOrganization>[number],
  id: string,
): Written[] {
  const { session, atMs, ruling } = mail;
  const { organization, recipients, decisions } = part;
  const message: IncomingMessage = {
    id,
    organization,
    reversePath: session.reversePath,
    recipients,
    bodyType: '7bit',
    content: { kind: 'memory', bytes: Buffer.alloc(1000) },
    source: sourceOf(session, decisions),
    receivedAtMs: atMs,
    clauses: ruling?.clauses ?? [],
    evidence: session.evidence,
    decision: inboundDecisionOf({ policy, session, rules: null }, recipients, decisions),
    ...(ruling === undefined ? {} : { ruling }),
  };
  const deliveries = planDeliveries(policy, message).map((planned, ordinal) => {
    return { ...planned, ordinal };
  });
  return [
    recordReceived(message, deliveries),
    ...deliveries.map((delivery) => {
      const routes = attempt(policy, message, delivery, mail);
      const endedAtMs = atMs + 500;
      const about = { id, ordinal: delivery.ordinal, attempts: 0 };
      return recordAttempt(about, { startedAtMs: atMs, endedAtMs, routes });
    }),
  ];
}

function sourceOf(session: InboundSession, decisions: readonly AcceptedDecision[]): MessageSource {
  const { account } = session;
  if (account !== null) return { kind: 'submission', account: account.account };
  const inboundConnectors = [...new Set(decisions.flatMap(({ connectors }) => connectors))];
  const own = decisions.find(({ origin }) => origin.connector !== null)?.origin.connector ?? null;
  return { kind: 'mx', inboundConnectors, ...(own === null ? {} : { ownServer: own }) };
}

/** Each recipient on a route of its own, as far as the record is concerned. */
function attempt(
  policy: Policy,
  message: IncomingMessage,
  delivery: ReturnType<typeof planDeliveries>[number],
  mail: Mail,
): RouteAttempt[] {
  return delivery.recipients.map((recipient) => {
    const { organization } = message;
    const decision = chooseOutbound(policy, organization, recipient, routingOf(message));
    const requirement = requirementOf(decision, delivery.floor);
    const at = new Date(mail.atMs).toISOString();
    const base = { decision, clauses: requirement.clauses, hasFailedTlsOnly: false };
    const done = (outcome: Outcome, candidates: RouteAttempt['candidates'] = []): RouteAttempt => {
      return { ...base, candidates, outcomes: [{ recipient, outcome }] };
    };
    const { kind } = decision.destination;
    if (kind === 'mailbox') {
      return done(classifyAccepted(reply(250, '2.0.0', 'ok'), { remoteMta: null, at }, taken));
    }
    if (decision.destination.kind === 'none') {
      const { reason, isPermanent } = decision.destination;
      const trouble = { kind: 'policy', reason, isPermanent } as const;
      return done(classifyTrouble(trouble, { remoteMta: null, at }));
    }
    const { destination } = decision;
    const host = destination.kind === 'smart-hosts' ? destination.hosts[0]! : null;
    const hostName = host?.host ?? `mx.${recipient.domain}`;
    const remoteMta = { hostName, address: '192.0.2.9', port: host?.port ?? 25 };
    const seen = mail.server?.(recipient.domain) ?? evidence();
    const verdict = judgeTls(requirement, seen, mail.atMs, null);
    const shadow = judgeShadow(decision.shadow, seen, mail.atMs);
    const candidate = {
      ...remoteMta,
      addedClauses: [],
      evidence: seen,
      ...(shadow.length === 0 ? {} : { shadow }),
    };
    if (verdict.kind === 'proceed') {
      const outcome = classifyAccepted(reply(250, '2.0.0', 'ok'), { remoteMta, at }, taken);
      return done(outcome, [{ ...candidate, verdict: { kind: 'proceed', met: verdict.met } }]);
    }
    const status = formatEnhancedStatus(verdict.status);
    const refused = { kind: 'refuse', status, reason: verdict.reason } as const;
    const outcome = classifyTrouble({ ...verdict, kind: 'tls' }, { remoteMta, at });
    return done(outcome, [{ ...candidate, verdict: refused }]);
  });
}

const taken = { handedTo: 'relay', clearTextReason: null } as const;

/** As `replay` reads them. */
export function readBack(policy: Policy, ...mails: readonly Mail[]): Recorded[] {
  const reader = new RecordedReader();
  let key = 890_000_000_000_000;
  return mails.flatMap((mail) => {
    const made = recordMail(policy, mail, key);
    key = made.key;
    reader.takeFacts(made.facts);
    const byKey = Map.groupBy(made.records, (record) => record.key);
    return Array.from(byKey, ([at, records]) =>
      reader.read(
        { id: formatQueueId({ key: at, shard: 0 }), records: records.map(({ json }) => json) },
        mail.atMs,
      ),
    );
  });
}
