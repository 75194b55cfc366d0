/** Makers of mail-flow rules and messages for tests: complete, unremarkable, overridden by part. */
import type { Recipient } from '../../src/mail/recipient.ts';
import type { Organization } from '../../src/policy/policy.ts';
import type { RulesResult } from '../../src/policy/rules/run-rules.ts';
import { applyRules } from '../../src/policy/rules/evaluate-rules.ts';
import { questionsOf } from '../../src/policy/rules/questions.ts';
import type { RuleAction, MailFlowRule, RuleCondition } from '../../src/policy/rules/rule.ts';
import type {
  Answer,
  ContentQuestion,
  MessageFacts,
  RuleHeader,
  RuleMessage,
} from '../../src/policy/rules/rule-message.ts';
import { address, noon, policy } from './policy.ts';

/** A rule that holds every message. */
export function rule(name: string, part: Partial<MailFlowRule> = {}): MailFlowRule {
  return {
    name,
    enabled: true,
    comments: '',
    mode: 'Enforce',
    activationAtMs: null,
    expiryAtMs: null,
    senderAddressLocation: 'Header',
    conditions: [],
    exceptions: [],
    actions: [{ kind: 'quarantine' }],
    stopRuleProcessing: false,
    overrides: [],
    ...part,
  };
}

/** Words, all messages with which are held. */
export function whenSubject(...words: string[]): RuleCondition {
  return { kind: 'contains-words', place: { kind: 'subject' }, words };
}

export function whenBody(...words: string[]): RuleCondition {
  return { kind: 'contains-words', place: { kind: 'subject-or-body' }, words };
}

export const prepend: RuleAction = { kind: 'prepend-subject', text: '[x] ' };
export const requireTls: RuleAction = { kind: 'require-tls' };
export const reject: RuleAction = { kind: 'reject', enhancedStatus: '5.7.1', text: 'no' };

/** `Name: value` lines. */
export function header(...lines: string[]): RuleHeader {
  const fields = lines.map((line) => {
    const colon = line.indexOf(':');
    return { name: line.slice(0, colon).toLowerCase(), value: line.slice(colon + 1).trim() };
  });
  const from = fields.filter(({ name }) => name === 'from').map(({ value }) => address(value));
  return {
    fields,
    from: from.length === 0 ? { kind: 'none' } : { kind: 'addresses', addresses: from },
    passes: 0,
  };
}

/** From a stranger to user@example.test, in clear. */
export function message(part: Partial<RuleMessage> = {}): RuleMessage {
  return {
    reversePath: address('ann@contoso.com'),
    recipients: [address('user@example.test')],
    isAuthenticated: false,
    clientAddress: '192.0.2.9',
    isOverTls: false,
    sizeBytes: 2000,
    header: header('From: ann@contoso.com', 'Subject: The quarterly report'),
    ...part,
  };
}

export function recipients(...texts: string[]): Recipient[] {
  return texts.map(address);
}

/** The rules on the message; `answer` answers what is asked of the content. */
export function run(
  rules: readonly MailFlowRule[],
  of: RuleMessage = message(),
  answer: (question: ContentQuestion) => Answer = () => ({ kind: 'no' }),
  part: Partial<Organization> = {},
): RulesResult {
  const value = policy({ rules, ...part });
  const [organization] = value.organizations;
  const facts: MessageFacts = new Map(
    questionsOf(value, organization!, of, noon).map((question) => [question.key, answer(question)]),
  );
  return applyRules(value, organization!, of, { facts, nowMs: noon });
}

/** Whether a rule with these conditions and exceptions meets the message; `unknown` where it waits. */
export function meets(
  conditions: readonly RuleCondition[],
  of: RuleMessage = message(),
  exceptions: readonly RuleCondition[] = [],
  part: Partial<MailFlowRule> = {},
): boolean | 'unknown' {
  const result = run([rule('r', { conditions, exceptions, actions: [prepend], ...part })], of);
  if (result.kind === 'defer') return 'unknown';
  return result.record!.met.length > 0;
}
