/**
 * What follows the answer at RCPT, for a hypothetical message: the sender in its header, the rules of
 * its organization, the way out.
 */
import type { Address, ReversePath } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';
import type { ArrivalOrigin } from '../policy/arrival.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import type { Evidence } from '../policy/evidence.ts';
import { findRecipient } from '../policy/find-recipient.ts';
import type { InboundSession } from '../policy/inbound-session.ts';
import type { HeaderFrom } from '../policy/judge-sender.ts';
import { judgeHeader } from '../policy/judge-sender.ts';
import type { Policy } from '../policy/policy.ts';
import type { RuledFork } from '../policy/rules/join-forks.ts';
import type { RuleHeader, RuleMessage } from '../policy/rules/rule-message.ts';
import type { ExplainAnswer, ExplainQuestion } from './contract.ts';
import type { ExplainedMessage } from './explain-rules.ts';
import { askRules, finalDecisions } from './explain-rules.ts';
import { formatReplyLine } from './queue-view.ts';

/** A message as it came, as far as its header is judged by it. */
export interface SupposedArrival {
  readonly organization: string;
  readonly origin: ArrivalOrigin;
  readonly connectors: readonly string[];
  readonly recipients: readonly Address[];
  readonly reversePath: ReversePath;
  readonly clientAddress: string;
}

/** `header` as it is kept; `removed`: families of fields that the sender may not write. */
export interface SupposedHeader {
  readonly from: HeaderFrom;
  readonly header: RuleHeader;
  readonly removed: readonly string[];
}

/**
 * `examineCertificate` makes the evidence of a session that showed this chain under this policy;
 * `readHeader` reads fields without line ends as those of a message that arrives.
 */
export interface ExplainTools {
  readonly nowMs: number;
  examineCertificate(pem: string, policy: Policy): Promise<Evidence>;
  readHeader(policy: Policy, lines: readonly string[], arrival: SupposedArrival): SupposedHeader;
}

/** What is asked, of whom, with which tools. */
export interface Supposed {
  readonly policy: Policy;
  readonly question: ExplainQuestion;
  readonly session: InboundSession;
  readonly recipient: Address;
  readonly tools: ExplainTools;
}

export type JudgedContent = Pick<
  ExplainAnswer,
  'inbound' | 'rules' | 'outbound' | 'expansion' | 'notes'
>;

/** What follows RCPT: the sender in the header, the rules, the way out. */
export function judgeContent(
  supposed: Supposed,
  inbound: ExplainAnswer['inbound'],
  organization: string,
): JudgedContent {
  const { policy, question, session, recipient, tools } = supposed;
  const message = { organization, source: sourceOf(inbound), evidence: session.evidence };
  const { reversePath } = session;
  const clientAddress = inbound === null ? question.clientAddress : session.clientAddress;
  const origin = inbound?.origin ?? submitted;
  const connectors = inbound?.connectors ?? [];
  const lines = withFrom(question.headers, reversePath);
  const arrival = { organization, origin, connectors, recipients: [recipient], reversePath };
  const read = tools.readHeader(policy, lines, { ...arrival, clientAddress: clientAddress ?? '' });
  const refused = lines === question.headers ? judgeFrom(supposed, inbound, read.from) : null;
  const nothing = { rules: null, outbound: null, expansion: null, notes: [] };
  if (refused !== null) return { ...nothing, inbound: refused };
  const ruled: RuleMessage = {
    reversePath,
    recipients: [recipient],
    isAuthenticated: origin.kind === 'originating',
    clientAddress,
    isOverTls: question.encryption !== 'none',
    sizeBytes: question.sizeBytes ?? 0,
    header: read.header,
  };
  const isSizeGiven = question.sizeBytes !== null;
  const rules = askRules(policy, message, { ruled, isSizeGiven, nowMs: tools.nowMs });
  const fork = rules === null ? unruled(recipient) : rules.fork;
  return {
    inbound,
    rules: rules?.answer ?? null,
    ...(fork === null ? { outbound: null, expansion: null } : wayOf(supposed, message, fork)),
    notes: [
      ...(rules === null ? [] : noteHeader(question, inbound, rules.notes)),
      ...read.removed.map((family) => `the sender may not write ${family}: it is removed`),
    ],
  };
}

const submitted = { kind: 'originating', connector: null, by: 'account' } as const;

/** The same list where it names an author. */
function withFrom(headers: readonly string[], sender: ReversePath): readonly string[] {
  const hasFrom = headers.some((line) => /^from[ \t]*:/i.test(line));
  return hasFrom || sender === null ? headers : [`From: ${formatAddress(sender)}`, ...headers];
}

/** The answer after the content, where From is judged and refused. */
function judgeFrom(
  { policy, session, recipient, tools }: Supposed,
  inbound: ExplainAnswer['inbound'],
  from: HeaderFrom,
): ExplainAnswer['inbound'] {
  if (inbound === null) return null;
  const clock = { nowMs: tools.nowMs, firstRefusedAtMs: () => null };
  const { refusal } = judgeHeader(policy, session, { from, recipients: [recipient] }, clock);
  if (refusal === null) return null;
  const { reason } = refusal;
  const reply = formatReplyLine(refusal.reply);
  return { ...inbound, kind: 'refuse', reply, repliedAt: 'content', reason };
}

function noteHeader(
  { headers }: ExplainQuestion,
  inbound: ExplainAnswer['inbound'],
  others: readonly string[],
): string[] {
  const given =
    headers.length === 0
      ? 'no header was given: rules see nothing in it but the sender as From'
      : 'rules see no other header fields than those that were given';
  return [
    ...(inbound === null ? ['rules see it as sent by an account that is signed in'] : []),
    given,
    ...others,
  ];
}

function sourceOf(inbound: ExplainAnswer['inbound']): IncomingMessage['source'] {
  const ownServer = inbound?.origin?.connector ?? null;
  return { kind: 'mx', inboundConnectors: [], ...(ownServer === null ? {} : { ownServer }) };
}

const nothingRuled = { connector: null, rule: null, overrides: [], clauses: [] };

function unruled(recipient: Address): Pick<RuledFork, 'recipients' | 'ruling'> {
  return { recipients: [recipient], ruling: nothingRuled };
}

/** The way of the asked recipient, or of those that it stands for, under what rules said. */
function wayOf(
  { policy, recipient }: Supposed,
  message: ExplainedMessage,
  { ruling }: Pick<RuledFork, 'ruling'>,
): Pick<ExplainAnswer, 'outbound' | 'expansion'> {
  const to = finalDecisions(policy, message, { recipients: [recipient], ruling });
  const found = findRecipient(policy, recipient);
  if (found.kind !== 'alias') return { outbound: to[0]?.outbound ?? null, expansion: null };
  return { outbound: null, expansion: { via: found.via, name: formatAddress(found.name), to } };
}
