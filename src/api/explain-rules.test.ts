/** `explain` about mail-flow rules, and about what the header says of the sender. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  address,
  inboundConnector,
  noon,
  outboundConnector,
  patterns,
  policy,
} from '../../test/support/policy.ts';
import { prepend, reject, requireTls, rule } from '../../test/support/rules.ts';
import { whenBody, whenSubject } from '../../test/support/rules.ts';
import { readSupposedHeader as readHeader } from '../app/explain-header.ts';
import { formatExplanation } from '../cli/explain-text.ts';
import type { Organization } from '../policy/policy.ts';
import type { MailFlowRule, RuleAction, RuleCondition } from '../policy/rules/rule.ts';
import type { ExplainAnswer } from './contract.ts';
import { explainAnswerSchema, explainQuestionSchema } from './contract.ts';
import { explainMail } from './explain.ts';

const examineCertificate = (): Promise<never> => Promise.reject(new Error('no certificate'));

async function ask(
  part: Partial<Organization>,
  of: Readonly<Record<string, unknown>> = {},
): Promise<{ answer: ExplainAnswer; text: string }> {
  const question = explainQuestionSchema.parse({
    from: 'user@example.test',
    to: 'ann@contoso.com',
    ...of,
  });
  const tools = { nowMs: noon, examineCertificate, readHeader };
  const answer = await explainMail(policy(part), question, tools);
  assert.deepEqual(explainAnswerSchema.parse(JSON.parse(JSON.stringify(answer))), answer);
  return { answer, text: formatExplanation(answer, 'the test', null) };
}

const askRules = (rules: readonly MailFlowRule[], of = {}, part: Partial<Organization> = {}) =>
  ask({ rules, ...part }, of);
const act = (name: string, ...actions: RuleAction[]): MailFlowRule => rule(name, { actions });
const toContoso = outboundConnector('to contoso', {
  recipientDomains: patterns('contoso.com'),
  tlsSettings: 'DomainValidation',
});
const fromPartner = { from: 'ann@contoso.com', to: 'user@example.test' };

describe('rules', () => {
  it('are not asked where there are none, or the recipient is refused', async () => {
    assert.equal((await ask({})).answer.rules, null);
    const { answer } = await askRules([rule('a')], { ...fromPartner, to: 'nobody@example.test' });
    assert.equal(answer.inbound?.kind, 'refuse');
    assert.equal(answer.rules, null);
  });

  it('names every rule: what matched, what did not and why, what does not act', async () => {
    const { answer, text } = await askRules(
      [
        rule('on project x', { conditions: [whenSubject('project x')], actions: [requireTls] }),
        rule('watch', { mode: 'Audit', actions: [reject] }),
        rule('other subject', { conditions: [whenSubject('project y')] }),
        rule('spared', { exceptions: [whenSubject('project')] }),
        rule('off', { enabled: false }),
      ],
      { headers: ['Subject: =?utf-8?q?Project_X?= begins'] },
    );
    const rules = answer.rules!;
    assert.deepEqual(
      rules.concerned.map((one) => [one.rule, one.mode, one.result]),
      [
        ['on project x', 'Enforce', 'matched'],
        ['watch', 'Audit', 'matched'],
      ],
    );
    assert.deepEqual(rules.notMatched, {
      subjectContainsWords: ['other subject'],
      exceptIfSubjectContainsWords: ['spared'],
    });
    assert.deepEqual(rules.skipped, { disabled: ['off'] });
    assert.match(text, /^Rules of org: 2 of 4 that are on concern it$/m);
    assert.match(text, /"on project x" matches: routeMessageOutboundRequireTls/);
    assert.match(text, /"watch" matches, and is in Audit: it would do rejectMessageReasonText/);
    assert.match(text, /subjectContainsWords: "other subject"/);
    assert.match(text, /disabled: "off"/);
  });

  it('joins what a rule demands with what the connector demands, as delivery does', async () => {
    const { answer, text } = await askRules(
      [act('tls', requireTls)],
      {},
      {
        outboundConnectors: [toContoso],
      },
    );
    const origins = answer.outbound!.requirement.clauses.map(({ origin }) => origin.kind);
    assert.ok(origins.includes('rule') && origins.includes('connector'));
    assert.deepEqual(answer.rules!.parts[0]!.to[0]!.outbound, answer.outbound);
    assert.match(text, /encryption \(rule "tls"\)/);
    assert.match(text, /a certificate for \*\.contoso\.com \(connector "to contoso"\)/);
  });

  it('a route takes the rule’s connector and keeps the clauses of the one that it passes', async () => {
    const scan = outboundConnector('scan', {
      recipientDomains: [],
      isTransportRuleScoped: true,
      route: { kind: 'smart-hosts', hosts: [{ host: 'scan.example.test', port: 25 }] },
    });
    const route: RuleAction = { kind: 'route-to-connector', connector: 'scan' };
    const outboundConnectors = [toContoso, scan];
    const kept = await askRules([act('via', route)], {}, { outboundConnectors });
    assert.equal(kept.answer.outbound!.connector, 'scan');
    const clausesOf = ({ answer }: typeof kept) => answer.outbound!.requirement.clauses;
    assert.ok(clausesOf(kept).some(({ origin }) => origin.name === 'to contoso'));
    assert.match(kept.text, /the rule "via" routes it to the connector "scan"$/m);
    const free = await askRules(
      [rule('via', { actions: [route], overrides: ['to contoso'] })],
      {},
      { outboundConnectors },
    );
    assert.deepEqual(clausesOf(free), []);
    assert.match(free.text, /past the clauses of "to contoso"/);
  });

  it('a rejection shows the reply, and the rules that are not reached', async () => {
    const { answer, text } = await askRules([act('no', reject), act('late', prepend)]);
    assert.equal(answer.rules!.result, 'reject');
    assert.match(answer.rules!.reply!, /^550 5\.7\.1 TRANSPORT\.RULES\.RejectMessage; no$/);
    assert.deepEqual(answer.rules!.notReached, ['late']);
    assert.equal(answer.outbound, null);
    assert.deepEqual(answer.rules!.parts, []);
    assert.match(text, /REJECTED/);
    assert.match(text, /not reached any more: "late"/);
    assert.doesNotMatch(text, /^Outbound/m);
    const inbound = await askRules([act('no', reject)], fromPartner);
    assert.match(inbound.text, /^Inbound: ACCEPTED at RCPT TO$/m);
  });

  it('redirects, copies, holds and edits are said for whom they are', async () => {
    const to = [address('boss@else.test')];
    const { answer, text } = await askRules([
      act('copy', { kind: 'blind-copy', to }),
      act('hold', { kind: 'quarantine' }),
      act('edit', prepend, { kind: 'set-header', name: 'X-A', value: '1' }),
    ]);
    const parts = answer.rules!.parts;
    assert.deepEqual(parts.flatMap((one) => one.to.map((each) => each.address)).sort(), [
      'ann@contoso.com',
      'boss@else.test',
    ]);
    assert.ok(parts.every(({ hold }) => hold === 'hold'));
    // It came over TLS, and goes to somebody outside whom the sender did not name.
    const boss = parts.flatMap((one) => one.to).find((one) => one.address === 'boss@else.test')!;
    assert.equal(boss.outbound.requirement.clauses[0]?.kind, 'encrypted');
    assert.match(text, /the rule "hold" puts it in quarantine/);
    assert.match(text, /in the header: X-A is set to "1"/);
    assert.match(text, /in the header: "\[x\] ?" stands before the subject/);
    const away = await askRules([act('away', { kind: 'redirect', to })]);
    assert.equal(away.answer.outbound, null);
    assert.equal(away.answer.rules!.parts[0]!.to[0]!.address, 'boss@else.test');
    assert.match(away.text, /^Outbound of boss@else\.test/m);
  });

  it('what is deleted for all goes nowhere', async () => {
    const { answer, text } = await askRules([act('drop', { kind: 'delete' })]);
    assert.equal(answer.outbound, null);
    assert.deepEqual(answer.rules!.deletedBy, ['drop']);
    assert.match(text, /nobody gets it/);
  });

  it('an alias shows each final recipient under the rules', async () => {
    const { answer, text } = await askRules(
      [act('tls', requireTls)],
      { ...fromPartner, to: 'team@example.test', encryption: 'none' },
      { aliases: [{ address: address('team@example.test'), to: [address('x@else.test')] }] },
    );
    const [x] = answer.rules!.parts[0]!.to;
    assert.equal(x!.address, 'x@else.test');
    assert.equal(x!.outbound.requirement.clauses[0]?.origin.name, 'tls');
    assert.deepEqual(answer.expansion!.to, answer.rules!.parts[0]!.to);
    assert.match(text, /^Outbound of x@else\.test/m);
  });
});

describe('what is not given', () => {
  it('a rule about the body is unknown, with what it would do, and does not decide', async () => {
    const { answer, text } = await askRules([
      rule('secret', { conditions: [whenBody('secret')], actions: [reject] }),
      rule('unless', { exceptions: [whenBody('public')], actions: [requireTls] }),
      rule('elsewhere', { conditions: [whenBody('secret'), whenSubject('nothing')] }),
    ]);
    const rules = answer.rules!;
    assert.equal(rules.result, 'pass');
    assert.deepEqual(
      rules.concerned.map((one) => [one.rule, one.result, one.actions]),
      [
        ['secret', 'unknown', ['rejectMessageReasonText']],
        ['unless', 'unknown', ['routeMessageOutboundRequireTls']],
      ],
    );
    assert.match(rules.concerned[0]!.why!, /body is not given; .* would act where subjectOrBody/);
    assert.match(rules.concerned[1]!.why!, /would not act where exceptIfSubjectOrBody/);
    assert.deepEqual(rules.notMatched, { subjectContainsWords: ['elsewhere'] });
    assert.ok(answer.notes.some((note) => note.includes('the body is not given')));
    assert.match(text, /"secret" is not sure to match: rejectMessageReasonText/);
  });

  it('a subject that holds the words decides a rule about subject or body', async () => {
    const rules = [rule('secret', { conditions: [whenBody('secret')], actions: [reject] })];
    const { answer } = await askRules(rules, { headers: ['Subject: secret plans'] });
    assert.equal(answer.rules!.result, 'reject');
    assert.equal(answer.rules!.concerned[0]!.result, 'matched');
  });

  it('the size counts where it is given, and is said to be missing where a rule asks', async () => {
    const rules = [rule('large', { conditions: [{ kind: 'message-size-over', bytes: 1000 }] })];
    const without = (await askRules(rules)).answer;
    assert.ok(without.notes.some((note) => note.includes('no size was given')));
    assert.deepEqual(without.rules!.notMatched, { messageSizeOver: ['large'] });
    const large = (await askRules(rules, { sizeBytes: 1000 })).answer;
    assert.equal(large.rules!.parts[0]!.hold, 'large');
    assert.ok(!large.notes.some((note) => note.includes('no size was given')));
  });

  it('without From the sender is in it; mail to others counts as sent by an account', async () => {
    const inside: RuleCondition = { kind: 'from-scope', scope: 'InOrganization' };
    const { answer } = await askRules([rule('ours', { conditions: [inside] })]);
    assert.equal(answer.rules!.parts[0]!.hold, 'ours');
    assert.ok(answer.notes.some((note) => note.includes('an account that is signed in')));
    const stranger = await askRules([rule('ours', { conditions: [inside] })], {
      from: 'x@else.test',
      to: 'user@example.test',
      headers: ['From: user@example.test'],
    });
    assert.deepEqual(stranger.answer.rules!.notMatched, { fromScope: ['ours'] });
  });
});

describe('header', () => {
  const restricting = (part = {}) => ({
    inboundConnectors: [
      inboundConnector('from contoso', {
        senderDomains: patterns('contoso.com'),
        requireTls: true,
        ...part,
      }),
    ],
  });
  const stranger = { from: 'x@else.test', to: 'user@example.test', encryption: 'none' };

  it('From of a partner restricts where the connector looks at it', async () => {
    const headers = ['From: Ann <ann@contoso.com>'];
    const plain = (await ask(restricting(), { ...stranger, headers })).answer;
    assert.equal(plain.inbound?.kind, 'accept');
    const strict = restricting({ alsoHeaderFrom: true });
    const { answer, text } = await ask(strict, { ...stranger, headers });
    assert.equal(answer.inbound?.kind, 'refuse');
    assert.equal(answer.inbound?.repliedAt, 'content');
    assert.equal(answer.outbound, null);
    assert.match(text, /Inbound: REFUSED/);
    assert.match(text, /answer after the content: [45]5[04] /);
    assert.equal((await ask(strict, stranger)).answer.inbound?.kind, 'accept');
  });

  it('From of a bounce restricts always, and one that cannot be read is refused', async () => {
    const bounce = { ...stranger, from: null };
    const named = await ask(restricting(), { ...bounce, headers: ['From: ann@contoso.com'] });
    assert.equal(named.answer.inbound?.repliedAt, 'content');
    const torn = await ask(restricting(), { ...bounce, headers: ['From: a@b@c', 'From: d'] });
    assert.match(torn.answer.inbound!.reply!, /^550 5\.7\.51 /);
    assert.equal((await ask(restricting(), bounce)).answer.inbound?.kind, 'accept');
  });

  it('what the sender may not write is removed before rules see it', async () => {
    const condition: RuleCondition = { kind: 'has-classification', classification: 'secret' };
    const { answer } = await askRules([rule('classified', { conditions: [condition] })], {
      ...fromPartner,
      headers: ['X-MS-Exchange-Organization-Classification: secret'],
    });
    assert.deepEqual(answer.rules!.notMatched, { hasClassification: ['classified'] });
    assert.ok(answer.notes.some((note) => note.includes('X-MS-Exchange-Organization')));
  });

  it('takes one field on a line, so many, and so long', () => {
    const isTaken = (...headers: string[]): boolean =>
      explainQuestionSchema.safeParse({ from: null, to: 'a@b.test', headers }).success;
    assert.ok(isTaken('Subject: x', 'X-Empty:', 'Subject : ä'));
    for (const wrong of [
      '',
      'Subject',
      ' x: y',
      'a b: c',
      'X: y\r\nBcc: z',
      'X: y\nBcc: z',
      ': x',
    ]) {
      assert.ok(!isTaken(wrong), wrong);
    }
    assert.ok(isTaken(...Array.from({ length: 64 }, () => 'X: y')));
    assert.ok(!isTaken(...Array.from({ length: 65 }, () => 'X: y')));
    assert.ok(!isTaken(`X: ${'y'.repeat(2000)}`));
  });
});
