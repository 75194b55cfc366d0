/**
 * Mail-flow rules on the parts of one message: once, when its content is there and before it is
 * answered, so that a rejection is a reply.
 */
import { editHeader } from '../content/edit-header.ts';
import { readRuleHeader } from '../content/read-rule-header.ts';
import type { Content } from '../mail/content.ts';
import { sizeOf } from '../mail/content.ts';
import type { ReversePath } from '../mail/address.ts';
import type { Recipient } from '../mail/recipient.ts';
import type { Reply } from '../mail/reply.ts';
import { reply } from '../mail/reply.ts';
import { findOrganization } from '../policy/directory.ts';
import type { HeaderFrom } from '../policy/judge-sender.ts';
import type { HoldCause } from '../policy/outcome.ts';
import type { Policy } from '../policy/policy.ts';
import { applyRules } from '../policy/rules/evaluate-rules.ts';
import type { HeaderEdit } from '../policy/rules/header-edit.ts';
import type { RuledFork } from '../policy/rules/join-forks.ts';
import { questionsOf } from '../policy/rules/questions.ts';
import type { ContentQuestion, MessageFacts, RuleMessage } from '../policy/rules/rule-message.ts';
import type { RulesRecord } from '../policy/rules/rule-record.ts';
import type { Ruling } from '../policy/rules/ruling.ts';

/** What rules look at besides the part itself; the same for all parts of a message. */
export interface RuledSession {
  readonly policy: Policy;
  readonly reversePath: ReversePath;
  /** Empty where no client connected. */
  readonly clientAddress: string;
  /** It was in clear on no network so far. */
  readonly isOverTls: boolean;
  readonly from: HeaderFrom;
  readonly content: Content;
  readonly nowMs: number;
  examine(content: Content, questions: readonly ContentQuestion[]): Promise<MessageFacts>;
}

/** A part of the message before its rules; `header` makes what stands in the place of the header. */
export interface UnruledPart {
  readonly organization: string;
  readonly recipients: readonly Recipient[];
  /** Of an account, or of an own server that may relay. */
  readonly isOriginating: boolean;
  readonly header: () => readonly Buffer[];
}

/** What one message of the part is; `headerEdits` in order, for `editPieces`. */
export interface RuledPart {
  readonly recipients: readonly Recipient[];
  readonly ruling: Ruling | null;
  readonly hold: { readonly cause: HoldCause; readonly reason: string } | null;
  readonly headerEdits: readonly HeaderEdit[];
}

/**
 * `refused`: the whole part, by the rule. `ruled`: the messages to queue, none where rules deleted
 * every copy. `record` null where the organization has no rules.
 */
export type Ruled =
  | {
      readonly kind: 'refused';
      readonly reply: Reply;
      readonly reason: string;
      readonly record: RulesRecord;
    }
  | {
      readonly kind: 'ruled';
      readonly parts: readonly RuledPart[];
      readonly record: RulesRecord | null;
    };

export async function rulePart(ruled: RuledSession, part: UnruledPart): Promise<Ruled> {
  const { policy, nowMs, content } = ruled;
  const organization = findOrganization(policy, part.organization);
  if (organization === null || organization.rules.length === 0) {
    return { kind: 'ruled', parts: [untouched(part)], record: null };
  }
  const header = Buffer.concat(part.header());
  const message = toRuleMessage(ruled, part, header);
  const questions = questionsOf(policy, organization, message, nowMs);
  const facts = await ruled.examine(content, questions);
  const result = applyRules(policy, organization, message, { facts, nowMs });
  const { record } = result;
  if (result.kind !== 'pass') {
    return { kind: 'refused', reply: result.reply, reason: result.reason, record: result.record };
  }
  return { kind: 'ruled', parts: result.forks.map(toPart), record };
}

function untouched({ recipients }: UnruledPart): RuledPart {
  return { recipients, ruling: null, hold: null, headerEdits: [] };
}

function toRuleMessage(
  { policy, reversePath, clientAddress, isOverTls, from, content }: RuledSession,
  { recipients, isOriginating }: UnruledPart,
  header: Buffer,
): RuleMessage {
  return {
    reversePath,
    recipients,
    isAuthenticated: isOriginating,
    clientAddress: clientAddress === '' ? null : clientAddress,
    isOverTls,
    sizeBytes: sizeOf(content),
    header: readRuleHeader(header, from, policy.hostName),
  };
}

function toPart({ recipients, ruling, hold, headerEdits }: RuledFork): RuledPart {
  const { connector, overrides, clauses } = ruling;
  const says = connector !== null || overrides.length > 0 || clauses.length > 0;
  return {
    recipients,
    ruling: says ? ruling : null,
    hold:
      hold === null
        ? null
        : { cause: 'rule', reason: `the rule "${hold.rule}" put it in quarantine` },
    headerEdits,
  };
}

/** What rules make of the header of a message, which names that message and no other of its part. */
export function editPieces(
  header: readonly Buffer[],
  { headerEdits }: RuledPart,
): readonly Buffer[] {
  return headerEdits.length === 0 ? header : [editHeader(Buffer.concat(header), headerEdits)];
}

/**
 * Rules of several organizations that do not agree whether the message is taken: one answer cannot be
 * true for all, so the client brings each organization's recipients in a transaction of its own.
 */
export const oneAtATime = reply(
  451,
  '4.5.3',
  'recipients of several organizations are treated differently: send to them one at a time',
);

/** The answer to RCPT while that client has to do so. */
export const otherOrganization = reply(
  452,
  '4.5.3',
  'recipients of another organization go in a transaction of their own',
);
