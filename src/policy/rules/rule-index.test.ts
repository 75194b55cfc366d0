/** What the index leaves out changes nothing: held equal to looking at every rule. */
import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import * as fc from 'fast-check';
import { formatAddress } from '../../mail/address.ts';
import { address, noon, policy } from '../../../test/support/policy.ts';
import { message, recipients, rule, whenBody, whenSubject } from '../../../test/support/rules.ts';
import type { Policy } from '../policy.ts';
import { awakeListOf } from './awake-rules.ts';
import { openQuestionsOf } from './judge-rule.ts';
import { applyRules } from './evaluate-rules.ts';
import { explainRules } from './explain-rules.ts';
import { Look } from './look.ts';
import { questionsOf } from './questions.ts';
import { RuleIndex } from './rule-index.ts';
import { RecordWriter } from './rule-record.ts';
import type { MailFlowRule, RuleAction, RuleCondition, TextPlace } from './rule.ts';
import type { Answer, ContentQuestion, MessageFacts, RuleMessage } from './rule-message.ts';
import type { RulesResult } from './run-rules.ts';
import { runRules } from './run-rules.ts';

const word = fc.constantFrom(
  'secret',
  'Top Secret',
  'plan-b',
  'x',
  'ann',
  '!!',
  'se\u00adcret',
  'ß',
);
const text = fc
  .array(fc.constantFrom('top', 'SECRET', 'secretly', 'plan-b', 'plan b', 'x', '!!', ',', 'ß'), {
    maxLength: 5,
  })
  .map((words) => words.join(' '));
const domain = fc.constantFrom('contoso.com', 'eu.contoso.com', 'com', 'example.test', 'else.test');
const mailbox = fc
  .tuple(fc.constantFrom('ann', 'Ann', 'bob'), domain)
  .map(([name, host]) => address(`${name}@${host}`));
const some = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 2 });
const fieldName = fc.constantFrom('x-label', 'x-app', 'subject');
const place: fc.Arbitrary<TextPlace> = fc.oneof(
  fc.constantFrom<TextPlace[]>(
    { kind: 'subject' },
    { kind: 'subject-or-body' },
    { kind: 'sender-address' },
    { kind: 'recipient-address' },
    { kind: 'attachment-name' },
  ),
  fieldName.map((name) => ({ kind: 'header' as const, name })),
);
const scope = fc.constantFrom('InOrganization' as const, 'NotInOrganization' as const);
const ranges = some(
  fc.constantFrom('192.0.2.0/24', '192.0.2.9/32', '2001:db8::/32', '0.0.0.0/0', 'no range'),
);
const pattern = fc.constantFrom('sec', '^x$', '.', '(');
const kind = <K extends string>(name: K) => fc.constant(name);
const condition: fc.Arbitrary<RuleCondition> = fc.oneof(
  fc.record({ kind: kind('contains-words'), place, words: some(word) }),
  fc.record({ kind: kind('matches-patterns'), place, patterns: some(pattern) }),
  fc.record({ kind: kind('sender-domain-is'), domains: some(domain) }),
  fc.record({ kind: kind('recipient-domain-is'), domains: some(domain) }),
  fc.record({ kind: kind('from'), addresses: some(mailbox) }),
  fc.record({ kind: kind('sent-to'), addresses: some(mailbox) }),
  fc.record({ kind: kind('from-scope'), scope }),
  fc.record({ kind: kind('sent-to-scope'), scope }),
  fc.record({ kind: kind('received-over-tls'), isOverTls: fc.boolean() }),
  fc.record({ kind: kind('message-size-over'), bytes: fc.constantFrom(0, 9, 10, 11, 90, 1000) }),
  fc.record({ kind: kind('has-classification'), classification: fc.constantFrom('A', 'b') }),
  fc.record({ kind: kind('sender-ip-ranges'), ranges }),
  fc.constant<RuleCondition>({ kind: 'has-no-classification' }),
  fc.record({ kind: kind('attachment-type-is'), types: some(word) }),
);
const action: fc.Arbitrary<RuleAction> = fc.oneof(
  fc.constantFrom<RuleAction[]>(
    { kind: 'require-tls' },
    { kind: 'quarantine' },
    { kind: 'prepend-subject', text: 'x' },
    { kind: 'prepend-subject', text: 'y' },
    { kind: 'require-tls' },
    { kind: 'set-header', name: 'X-A', value: '1' },
  ),
  fc.record({ kind: fc.constantFrom('redirect', 'blind-copy'), to: some(mailbox) }),
);
/** What ends a message is rare, or most rules would not be reached. */
const endings = fc.integer({ min: 0, max: 59 }).map((one): RuleAction | null => {
  if (one === 0) return { kind: 'reject', enhancedStatus: '5.7.1', text: 'no' };
  return one === 1 ? { kind: 'delete' } : null;
});
const oneRule = fc.record({
  conditions: fc.array(condition, { minLength: 1, maxLength: 3 }),
  exceptions: fc.array(condition, { maxLength: 1 }),
  actions: fc
    .tuple(fc.array(action, { minLength: 1, maxLength: 2 }), endings)
    .map(([actions, ending]) => (ending === null ? actions : [...actions, ending])),
  stopRuleProcessing: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
  mode: fc.constantFrom('Enforce' as const, 'Audit' as const),
  senderAddressLocation: fc.constantFrom('Header', 'Envelope', 'HeaderOrEnvelope'),
  activationAtMs: fc.constantFrom(null, null, noon, noon + 1),
  expiryAtMs: fc.constantFrom(null, null, noon, noon + 1),
});
const rules = fc
  .array(oneRule, { minLength: 1, maxLength: 70, size: '+1' })
  .map((parts) => parts.map((part, i): MailFlowRule => rule(`rule ${i}`, part)));
const field = fc.oneof(
  fc.record({ name: fieldName, value: text }),
  fc.record({
    name: fc.constant('x-ms-exchange-organization-classification'),
    value: fc.constantFrom('a', 'B ', ' '),
  }),
);
const from = fc.oneof(
  some(mailbox).map((addresses) => ({ kind: 'addresses' as const, addresses })),
  fc.constantFrom({ kind: 'none' } as const, { kind: 'unreadable' } as const),
);
const mail: fc.Arbitrary<RuleMessage> = fc
  .record({
    reversePath: fc.option(mailbox),
    recipients: fc.uniqueArray(mailbox, { minLength: 1, maxLength: 4, selector: formatAddress }),
    isAuthenticated: fc.boolean(),
    isOverTls: fc.boolean(),
    clientAddress: fc.constantFrom(
      null,
      '192.0.2.9',
      '198.51.100.1',
      '2001:db8::1',
      '::ffff:192.0.2.9',
    ),
    sizeBytes: fc.constantFrom(0, 10, 100, 5000),
    fields: fc.array(field, { maxLength: 4 }),
    from,
  })
  .map(({ fields, from: author, ...rest }) =>
    message({ ...rest, header: { fields, from: author, passes: 0 } }),
  );
const answer = fc.constantFrom<Answer[]>(
  { kind: 'yes' },
  { kind: 'no' },
  { kind: 'unknown', reason: 'it is too large' },
);

/** Every rule that acts is looked at. */
function scan(value: Policy, of: RuleMessage, facts: MessageFacts): RulesResult {
  const look = new Look(value, value.organizations[0]!, of, facts);
  const record = new RecordWriter({ notConcerned: 0, skipped: {} });
  const all = awakeListOf(value.organizations[0]!, noon);
  return runRules(all, { look, message: of, hostName: value.hostName, record });
}

function scanQuestions(value: Policy, of: RuleMessage): readonly ContentQuestion[] {
  const look = new Look(value, value.organizations[0]!, of, null);
  const asked = awakeListOf(value.organizations[0]!, noon).flatMap((one) =>
    openQuestionsOf(one, look, of.recipients),
  );
  return [...new Map(asked.map((question) => [question.key, question])).values()];
}

const namesIn = (groups: Readonly<Record<string, readonly string[]>>): string[] =>
  Object.entries(groups).flatMap(([why, names]) => names.map((name) => `${name}: ${why}`));

test('the rules that the index finds decide as all rules do', () => {
  let [leftOut, met, passed] = [0, 0, 0];
  fc.assert(
    fc.property(rules, mail, answer, (list, of, all) => {
      const value = policy({ rules: list });
      const organization = value.organizations[0]!;
      const questions = questionsOf(value, organization, of, noon);
      assert.deepEqual(questions, scanQuestions(value, of));
      const facts = new Map(questions.map(({ key }) => [key, all] as const));
      const found = applyRules(value, organization, of, { facts, nowMs: noon });
      const whole = scan(value, of, facts);
      assert.deepEqual({ ...found, record: null }, { ...whole, record: null });
      assert.deepEqual(found.record!.met, whole.record!.met);
      assert.deepEqual(found.record!.deleted, whole.record!.deleted);
      // What was looked at missed for the same reason; the rest missed too.
      const missed = new Set(namesIn(whole.record!.notMatched));
      const named = namesIn(found.record!.notMatched);
      assert.ok(named.every((one) => missed.has(one)));
      if (found.kind === 'pass') {
        assert.equal(named.length + found.record!.notConcerned, missed.size);
        passed++;
      }
      leftOut += found.record!.notConcerned;
      met += found.record!.met.length;
    }),
    { numRuns: 1000 },
  );
  assert.ok(leftOut > 5000 && met > 2000 && passed > 300, `${leftOut} ${met} ${passed}`);
});

test('explaining puts every rule in one list, however it ends', () => {
  fc.assert(
    fc.property(rules, mail, (list, of) => {
      const value = policy({ rules: list });
      const explained = explainRules(value, value.organizations[0]!, of, noon)!;
      const missed = Object.values(explained.notMatched).flat();
      const names = [
        ...explained.concerned.map((one) => one.rule),
        ...missed,
        ...Object.values(explained.skipped).flat(),
        ...explained.notReached,
      ];
      assert.deepEqual(names.toSorted(), list.map(({ name }) => name).toSorted());
      const { result } = explained;
      if (result.kind === 'pass') assert.deepEqual(explained.notReached, []);
      assert.ok(missed.length >= result.record!.notConcerned);
    }),
    { numRuns: 300 },
  );
});

describe('index', () => {
  const concerning = (list: readonly MailFlowRule[], of: RuleMessage = message()): string[] => {
    const value = policy({ rules: list });
    const organization = value.organizations[0]!;
    const look = new Look(value, organization, of, null);
    const found = new RuleIndex(awakeListOf(organization, noon)).concerning(look);
    return found.map((one) => one.rule.name);
  };
  const fits: readonly RuleCondition[] = [
    { kind: 'recipient-domain-is', domains: ['test'] },
    { kind: 'sent-to', addresses: [address('USER@example.test')] },
    { kind: 'sent-to-scope', scope: 'InOrganization' },
    { kind: 'from-scope', scope: 'NotInOrganization' },
    { kind: 'from', addresses: [address('ann@contoso.com')] },
    { kind: 'sender-domain-is', domains: ['contoso.com'] },
    { kind: 'sender-ip-ranges', ranges: ['192.0.2.0/24'] },
    { kind: 'message-size-over', bytes: 2000 },
    { kind: 'received-over-tls', isOverTls: false },
    { kind: 'has-no-classification' },
    whenSubject('other', 'Quarterly report'),
    { kind: 'contains-words', place: { kind: 'sender-address' }, words: ['contoso'] },
    { kind: 'contains-words', place: { kind: 'recipient-address' }, words: ['user'] },
    { kind: 'matches-patterns', place: { kind: 'header', name: 'subject' }, patterns: ['no'] },
  ];
  const misses: readonly RuleCondition[] = [
    { kind: 'recipient-domain-is', domains: ['a.example.test'] },
    { kind: 'sent-to', addresses: [address('else@example.test')] },
    { kind: 'sent-to-scope', scope: 'NotInOrganization' },
    { kind: 'from-scope', scope: 'InOrganization' },
    { kind: 'from', addresses: [address('ann@else.test')] },
    { kind: 'sender-domain-is', domains: ['else.test'] },
    { kind: 'sender-ip-ranges', ranges: ['198.51.100.0/24'] },
    { kind: 'message-size-over', bytes: 2001 },
    { kind: 'received-over-tls', isOverTls: true },
    { kind: 'has-classification', classification: 'secret' },
    whenSubject('annual', 'quarterly statements'),
    { kind: 'contains-words', place: { kind: 'header', name: 'x-label' }, words: ['report'] },
    { kind: 'contains-words', place: { kind: 'sender-address' }, words: ['else'] },
    { kind: 'contains-words', place: { kind: 'recipient-address' }, words: ['ann'] },
    { kind: 'matches-patterns', place: { kind: 'header', name: 'x-label' }, patterns: ['.'] },
  ];

  it('finds what a message has, and leaves out what it does not have', () => {
    for (const one of fits) assert.deepEqual(concerning([rule('a', { conditions: [one] })]), ['a']);
    for (const one of misses) assert.deepEqual(concerning([rule('a', { conditions: [one] })]), []);
    const both = fits.flatMap((one) =>
      misses.map((other, i) => rule(`${i}`, { conditions: [other, one] })),
    );
    assert.deepEqual(concerning(both), []);
  });

  it('always finds what only the content, a pattern or an exception decides', () => {
    const list = [
      rule('none'),
      rule('body', { conditions: [whenBody('secret')] }),
      rule('pattern', {
        conditions: [{ kind: 'matches-patterns', place: { kind: 'subject' }, patterns: ['no'] }],
      }),
      rule('punctuation', { conditions: [whenSubject('!!')] }),
      rule('exception', { exceptions: [whenSubject('quarterly')] }),
    ];
    assert.deepEqual(
      concerning(list),
      list.map(({ name }) => name),
    );
  });

  it('finds every rule about the sender where From cannot be read', () => {
    const hidden = message({ header: { fields: [], from: { kind: 'unreadable' }, passes: 0 } });
    const about: readonly RuleCondition[] = [
      { kind: 'from', addresses: [address('x@else.test')] },
      { kind: 'sender-domain-is', domains: ['else.test'] },
      { kind: 'contains-words', place: { kind: 'sender-address' }, words: ['else'] },
    ];
    for (const one of about) {
      const conditions = [one];
      assert.deepEqual(concerning([rule('a', { conditions })], hidden), ['a']);
      const either = rule('a', { conditions, senderAddressLocation: 'HeaderOrEnvelope' });
      assert.deepEqual(concerning([either], hidden), ['a']);
      const envelope = rule('a', { conditions, senderAddressLocation: 'Envelope' });
      assert.deepEqual(concerning([envelope], hidden), []);
    }
    const inside = rule('a', { conditions: [{ kind: 'from-scope', scope: 'InOrganization' }] });
    assert.deepEqual(concerning([inside], hidden), []);
    assert.deepEqual(concerning([inside], { ...hidden, isAuthenticated: true }), ['a']);
  });

  it('keeps the order of three hundred rules', () => {
    const list = Array.from({ length: 300 }, (_, i) =>
      rule(`${i}`, { conditions: i % 7 === 0 ? [] : [whenSubject(`word${i}`)] }),
    );
    const kept = list.filter((_, i) => i % 7 === 0).map(({ name }) => name);
    assert.deepEqual(concerning(list), kept);
  });
});

describe('time', () => {
  const timed = policy({
    rules: [
      rule('always'),
      rule('soon', { activationAtMs: noon + 10 }),
      rule('over', { expiryAtMs: noon + 20 }),
      ...Array.from({ length: 12 }, (_, i) => rule(`off ${i}`, { enabled: false })),
    ],
  });
  const at = (nowMs: number): RulesResult =>
    applyRules(timed, timed.organizations[0]!, message(), { facts: new Map(), nowMs });
  const metAt = (nowMs: number): string[] => at(nowMs).record!.met.map((one) => one.rule);

  it('a rule acts from its first to its last day, also when time goes back', () => {
    const times = [0, 9, 10, 19, 20, 9, 15, 30].map((ms) => metAt(noon + ms).join(' '));
    const both = 'always soon over';
    assert.deepEqual(times, [
      'always over',
      'always over',
      both,
      both,
      'always soon',
      'always over',
      both,
      'always soon',
    ]);
  });

  it('names ten of the rules that do not act and counts the others', () => {
    const { disabled } = at(noon).record!.skipped;
    assert.deepEqual(disabled!.slice(8), ['off 8', 'off 9', 'and 2 more']);
  });

  it('messages that rules do not concern have equal records, however many rules there are', () => {
    const list = Array.from({ length: 300 }, (_, i) =>
      rule(`rule ${i}`, { conditions: [whenSubject(`word${i}`)] }),
    );
    const value = policy({ rules: list });
    const recordOf = (to: string): string => {
      const of = message({ recipients: recipients(to) });
      const result = applyRules(value, value.organizations[0]!, of, {
        facts: new Map(),
        nowMs: noon,
      });
      return JSON.stringify(result.record);
    };
    assert.equal(recordOf('user@example.test'), recordOf('bob@else.test'));
    assert.match(recordOf('user@example.test'), /"notConcerned":300/);
    assert.ok(recordOf('user@example.test').length < 200);
  });
});
