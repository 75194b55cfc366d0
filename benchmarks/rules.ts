/**
 * What mail-flow rules cost with ten and with many, of which nearly none concerns the message:
 * microseconds per message for questions, decision and the text of its record, and the ratio.
 *
 *     node benchmarks/rules.ts [--many 300] [--messages 5000]
 */
import { parseArgs } from 'node:util';
import { address, noon, policy } from '../test/support/policy.ts';
import { header, message, recipients, requireTls, rule } from '../test/support/rules.ts';
import { whenBody, whenSubject } from '../test/support/rules.ts';
import type { Policy } from '../src/policy/policy.ts';
import { applyRules } from '../src/policy/rules/evaluate-rules.ts';
import { questionsOf } from '../src/policy/rules/questions.ts';
import type { MailFlowRule, RuleAction, RuleCondition } from '../src/policy/rules/rule.ts';
import type { RuleMessage } from '../src/policy/rules/rule-message.ts';

const { values } = parseArgs({
  options: {
    many: { type: 'string', default: '300' },
    messages: { type: 'string', default: '5000' },
  },
});
const many = Number(values.many);
const messages = Number(values.messages);

const inside: RuleCondition = { kind: 'from-scope', scope: 'InOrganization' };
const outside: RuleCondition = { kind: 'sent-to-scope', scope: 'NotInOrganization' };
const copy: RuleAction = { kind: 'blind-copy', to: [address('archive@example.test')] };
const field = (name: string) => ({ kind: 'header', name }) as const;

/** Two rules concern much mail; the others are about one partner, team, project or program each. */
function ruleOf(i: number): MailFlowRule {
  const of = (actions: RuleAction[], ...conditions: RuleCondition[]): MailFlowRule =>
    rule(`A rule of the ordinary length, number ${i}`, { conditions, actions });
  if (i === 0) return of([{ kind: 'prepend-subject', text: '[external] ' }], inside, outside);
  if (i === 1)
    return of([requireTls], outside, { kind: 'has-classification', classification: 's' });
  switch (i % 10) {
    case 0:
    case 1:
      return of([requireTls], {
        kind: 'recipient-domain-is',
        domains: [`p${i}.test`, `q${i}.test`],
      });
    case 2:
      return of([copy], { kind: 'sender-domain-is', domains: [`p${i}.test`] });
    case 3:
      return of([copy], { kind: 'from', addresses: [address(`boss${i}@example.test`)] }, outside);
    case 4:
      return of([copy], { kind: 'sent-to', addresses: [address(`team${i}@example.test`)] });
    case 5:
      return of([requireTls], outside, whenSubject(`project ${i}`, `codename${i}`));
    case 6:
      return of([copy], { kind: 'sender-ip-ranges', ranges: [`10.0.${i % 256}.0/24`] });
    case 7:
      return of([{ kind: 'quarantine' }], {
        kind: 'contains-words',
        place: field(`x-label-${i}`),
        words: ['confidential', 'secret'],
      });
    case 8:
      return of([{ kind: 'quarantine' }], {
        kind: 'matches-patterns',
        place: field(`x-program-${i}`),
        patterns: ['^v[0-9]+'],
      });
    default: {
      const team = address(`lawyers${i}@example.test`);
      return of([requireTls], { kind: 'from', addresses: [team] }, whenBody(`case ${i}`), outside);
    }
  }
}

const fields = [
  ...Array.from({ length: 20 }, (_, i) => `X-Field-${i}: some value of a field`),
  'Subject: The quarterly report for the board, second draft with figures',
];
const mails: Readonly<Record<string, RuleMessage>> = {
  inbound: message({ header: header('From: ann@contoso.com', ...fields) }),
  outbound: message({
    reversePath: address('user@example.test'),
    recipients: recipients('ann@contoso.com', 'bob@else.test'),
    isAuthenticated: true,
    header: header('From: user@example.test', ...fields),
  }),
  'inbound, 50 recipients': message({
    recipients: recipients(...Array.from({ length: 50 }, (_, i) => `user${i}@example.test`)),
    header: header('From: ann@contoso.com', ...fields),
  }),
};

function policyOf(count: number): Policy {
  return policy({ rules: Array.from({ length: count }, (_, i) => ruleOf(i)) });
}

/** Microseconds for each message; the index was built before. */
function measure(value: Policy, mail: RuleMessage): number {
  const organization = value.organizations[0]!;
  const from = performance.now();
  for (let i = 0; i < messages; i++) {
    questionsOf(value, organization, mail, noon);
    const { record } = applyRules(value, organization, mail, { facts: new Map(), nowMs: noon });
    JSON.stringify(record);
  }
  return ((performance.now() - from) * 1000) / messages;
}

function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

const [few, lots] = [policyOf(10), policyOf(many)];
for (const [name, mail] of Object.entries(mails)) {
  for (const value of [few, lots, few, lots]) measure(value, mail);
  // By turns, so that a noisy moment hits both.
  const rounds = Array.from(
    { length: 15 },
    () => [measure(few, mail), measure(lots, mail)] as const,
  );
  const small = medianOf(rounds.map(([one]) => one));
  const large = medianOf(rounds.map(([, one]) => one));
  const ratio = medianOf(rounds.map(([a, b]) => b / a)).toFixed(2);
  console.log(
    `${name}: ${small.toFixed(1)} µs with 10, ${large.toFixed(1)} µs with ${many}: ${ratio}`,
  );
}
