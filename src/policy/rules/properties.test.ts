/** What must hold for whatever rules and messages there are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatAddress } from '../../mail/address.ts';
import { address } from '../../../test/support/policy.ts';
import { header, message, run } from '../../../test/support/rules.ts';
import type { MailFlowRule, RuleAction, RuleCondition } from './rule.ts';
import type { Answer, ContentQuestion, RuleMessage } from './rule-message.ts';
import type { RulesResult } from './run-rules.ts';

const word = fc.constantFrom('secret', 'report', 'plan', 'x');
const domain = fc.constantFrom('contoso.com', 'eu.contoso.com', 'else.test', 'example.test');
const mailbox = fc
  .tuple(fc.constantFrom('ann', 'bob', 'eve'), domain)
  .map(([name, host]) => address(`${name}@${host}`));
const listOf = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 3 });
const place = fc.constantFrom(
  { kind: 'subject' } as const,
  { kind: 'subject-or-body' } as const,
  { kind: 'sender-address' } as const,
  { kind: 'recipient-address' } as const,
  { kind: 'attachment-name' } as const,
);
const scope = fc.constantFrom('InOrganization' as const, 'NotInOrganization' as const);
const condition: fc.Arbitrary<RuleCondition> = fc.oneof(
  fc.record({ kind: fc.constant('contains-words' as const), place, words: listOf(word) }),
  fc.record({ kind: fc.constant('matches-patterns' as const), place, patterns: listOf(word) }),
  fc.record({ kind: fc.constant('sender-domain-is' as const), domains: listOf(domain) }),
  fc.record({ kind: fc.constant('recipient-domain-is' as const), domains: listOf(domain) }),
  fc.record({ kind: fc.constant('from' as const), addresses: listOf(mailbox) }),
  fc.record({ kind: fc.constant('sent-to' as const), addresses: listOf(mailbox) }),
  fc.record({ kind: fc.constant('from-scope' as const), scope }),
  fc.record({ kind: fc.constant('sent-to-scope' as const), scope }),
  fc.record({ kind: fc.constant('received-over-tls' as const), isOverTls: fc.boolean() }),
  fc.record({ kind: fc.constant('attachment-type-is' as const), types: listOf(word) }),
);
const conditions = fc.array(condition, { maxLength: 3 });
const action: fc.Arbitrary<RuleAction> = fc.oneof(
  fc.constantFrom<RuleAction[]>(
    { kind: 'require-tls' },
    { kind: 'quarantine' },
    { kind: 'delete' },
    { kind: 'reject', enhancedStatus: '5.7.1', text: 'no' },
    { kind: 'route-to-connector', connector: 'scan' },
    { kind: 'prepend-subject', text: 'x' },
  ),
  fc.record({
    kind: fc.constantFrom('redirect', 'blind-copy', 'add-recipients'),
    to: listOf(mailbox),
  }),
);
const rules = fc
  .array(
    fc.record({
      conditions,
      exceptions: fc.array(condition, { maxLength: 2 }),
      actions: fc.array(action, { minLength: 1, maxLength: 2 }),
      stopRuleProcessing: fc.boolean(),
      mode: fc.constantFrom('Enforce' as const, 'Audit' as const),
      senderAddressLocation: fc.constantFrom('Header', 'Envelope', 'HeaderOrEnvelope'),
    }),
    { maxLength: 5 },
  )
  .map((parts) =>
    parts.map((part, i): MailFlowRule => ({
      ...part,
      name: `rule ${i}`,
      enabled: true,
      comments: '',
      activationAtMs: null,
      expiryAtMs: null,
      overrides: [],
    })),
  );
const mail: fc.Arbitrary<RuleMessage> = fc
  .record({
    reversePath: fc.option(mailbox),
    recipients: fc.uniqueArray(mailbox, { minLength: 1, maxLength: 4, selector: formatAddress }),
    isAuthenticated: fc.boolean(),
    isOverTls: fc.boolean(),
    subject: fc.array(word, { maxLength: 3 }).map((list) => list.join(' ')),
    from: fc.option(mailbox),
  })
  .map(({ subject, from, ...rest }) => {
    const author = from === null ? [] : [`From: ${formatAddress(from)}`];
    return message({ ...rest, header: header(...author, `Subject: ${subject}`) });
  });

/** Answers that depend on what is asked alone; the order of its values is no part of it. */
function answerBy(seed: number) {
  return (question: ContentQuestion): Answer => {
    const text = JSON.stringify({ ...question, key: '' })
      .split('')
      .sort()
      .join('');
    let sum = seed;
    for (const character of text) sum = (sum * 31 + character.charCodeAt(0)) % 65_521;
    if (sum % 3 === 0) return { kind: 'unknown', reason: 'it is too large' };
    return { kind: sum % 3 === 1 ? 'yes' : 'no' };
  };
}
const answers = fc.nat(10_000).map(answerBy);

function reverse(of: RuleCondition): RuleCondition {
  return Object.fromEntries(
    Object.entries(of).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.toReversed() : value,
    ]),
  ) as never;
}

/** Without the words for why. */
function effectOf(result: RulesResult): string {
  if (result.kind !== 'pass') return `${result.kind} ${result.rule}`;
  return JSON.stringify(result.forks);
}

test('the order of the values in a condition, and of the conditions, changes nothing', () => {
  fc.assert(
    fc.property(rules, mail, answers, (list, of, answer) => {
      const turned = list.map((rule) => ({
        ...rule,
        conditions: rule.conditions.map(reverse).toReversed(),
        exceptions: rule.exceptions.map(reverse).toReversed(),
      }));
      assert.equal(effectOf(run(turned, of, answer)), effectOf(run(list, of, answer)));
    }),
    { numRuns: 1500 },
  );
});

test('an exception never makes a rule meet what it did not meet', () => {
  fc.assert(
    fc.property(rules, condition, mail, answers, (list, exception, of, answer) => {
      for (const rule of list) {
        const alone = { ...rule, mode: 'Audit' as const };
        const less = run([{ ...alone, exceptions: [...rule.exceptions, exception] }], of, answer);
        const more = run([alone], of, answer);
        const metBy = (result: RulesResult) => {
          const met = result.record!.met[0];
          return new Set(
            met === undefined ? [] : (met.recipients ?? of.recipients.map(formatAddress)),
          );
        };
        assert.ok([...metBy(less)].every((one) => metBy(more).has(one)));
      }
    }),
    { numRuns: 1000 },
  );
});

test('every recipient is in one fork, and none is lost but by a rule that says so', () => {
  fc.assert(
    fc.property(rules, mail, answers, (list, of, answer) => {
      const result = run(list, of, answer);
      if (result.kind !== 'pass') return;
      const all = result.forks.flatMap((fork) => fork.recipients.map(formatAddress));
      assert.equal(new Set(all).size, all.length);
      const mayLose = list.some(({ actions }) =>
        actions.some(({ kind }) => kind === 'delete' || kind === 'redirect'),
      );
      if (!mayLose) assert.ok(of.recipients.every((one) => all.includes(formatAddress(one))));
    }),
    { numRuns: 1500 },
  );
});

function forkOf({ forks }: RulesResult & { readonly kind: 'pass' }, key: string) {
  return forks.find((fork) => fork.recipients.some((one) => formatAddress(one) === key));
}

test('less knowledge never takes protection away, and never does what more would not', () => {
  const unsure = (): Answer => ({ kind: 'unknown', reason: 'it is too large' });
  fc.assert(
    fc.property(rules, mail, answers, (list, of, answer) => {
      const known = run(list, of, answer);
      const less = run(list, of, unsure);
      if (less.kind !== 'pass' || known.kind !== 'pass') {
        // Who was refused with all knowledge is not let through with less.
        if (known.kind === 'reject') assert.notEqual(less.kind, 'pass');
        return;
      }
      for (const fork of known.forks) {
        for (const recipient of fork.recipients) {
          const key = formatAddress(recipient);
          const same = forkOf(less, key);
          assert.ok(same !== undefined, `${key} is lost`);
          if (fork.ruling.clauses.length > 0) assert.ok(same.ruling.clauses.length > 0);
          if (fork.hold !== null) assert.ok(same.hold !== null);
          assert.deepEqual(same.headerEdits, fork.headerEdits);
        }
      }
    }),
    { numRuns: 2000 },
  );
});
