import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatAddress } from '../../mail/address.ts';
import { address, noon, policy } from '../../../test/support/policy.ts';
import {
  header,
  message,
  prepend,
  recipients,
  reject,
  requireTls,
  rule,
  run,
  whenBody,
  whenSubject,
} from '../../../test/support/rules.ts';
import type { RulesResult } from './run-rules.ts';
import { applyRules } from './evaluate-rules.ts';
import type { MailFlowRule, RuleAction, RuleCondition } from './rule.ts';
import type { Answer } from './rule-message.ts';
import { noFacts } from './rule-message.ts';

type Pass = RulesResult & { readonly kind: 'pass' };

function pass(result: RulesResult): Pass {
  assert.equal(result.kind, 'pass');
  return result;
}

const forksOf = (result: RulesResult): string[][] =>
  pass(result).forks.map((fork) => fork.recipients.map(formatAddress).sort());
const unknown = (): Answer => ({ kind: 'unknown', reason: 'the message has too many parts' });
const toContoso: RuleCondition = { kind: 'recipient-domain-is', domains: ['contoso.com'] };
const two = message({ recipients: recipients('user@example.test', 'bob@contoso.com') });
const act = (name: string, ...actions: RuleAction[]): MailFlowRule => rule(name, { actions });

describe('actions', () => {
  it('nothing is done without rules', () => {
    const { forks, record } = pass(run([]));
    assert.equal(record, null);
    assert.deepEqual(forks, [
      {
        recipients: message().recipients,
        ruling: { connector: null, rule: null, overrides: [], clauses: [] },
        hold: null,
        headerEdits: [],
      },
    ]);
  });

  it('routes to a connector with the overrides of that rule; a later route replaces it', () => {
    const first = rule('a', {
      actions: [{ kind: 'route-to-connector', connector: 'scan' }],
      overrides: ['partner'],
    });
    const { ruling, headerEdits } = pass(run([first])).forks[0]!;
    assert.deepEqual(ruling, {
      connector: 'scan',
      rule: 'a',
      overrides: ['partner'],
      clauses: [],
    });
    assert.deepEqual(headerEdits, [{ kind: 'count-pass', hostName: 'mx.example.test' }]);
    const second = act('b', { kind: 'route-to-connector', connector: 'other' });
    const replaced = pass(run([first, second])).forks[0]!;
    assert.equal(replaced.ruling.connector, 'other');
    assert.deepEqual(replaced.ruling.overrides, []);
    assert.equal(replaced.headerEdits.length, 1);
  });

  it('requires TLS as EncryptionOnly does, with the rule as origin', () => {
    const { clauses } = pass(run([act('seal', requireTls)])).forks[0]!.ruling;
    const origin = { kind: 'rule', name: 'seal' };
    assert.deepEqual(clauses, [
      { kind: 'encrypted', origin },
      { kind: 'min-version', version: 'TLSv1.2', origin },
    ]);
  });

  it('rejects the whole message, whoever of its recipients is meant', () => {
    const result = run([rule('no', { conditions: [toContoso], actions: [reject] })], two);
    assert.equal(result.kind, 'reject');
    assert.ok(result.kind === 'reject');
    assert.deepEqual(result.reply, {
      code: 550,
      status: { class: 5, subject: 7, detail: 1 },
      lines: ['TRANSPORT.RULES.RejectMessage; no'],
    });
    assert.equal(result.rule, 'no');
  });

  it('a long reason takes several lines that each fit the wire', () => {
    const text = 'long words '.repeat(93);
    const result = run([act('no', { kind: 'reject', enhancedStatus: '5.7.900', text })]);
    assert.ok(result.kind === 'reject');
    assert.ok(result.reply.lines.length > 2);
    assert.ok(result.reply.lines.every((line) => line.length <= 400));
    const joined = result.reply.lines.join(' ').trim();
    assert.equal(joined, `TRANSPORT.RULES.RejectMessage; ${text.trim()}`);
  });

  it('redirects away from the recipients, and adds without', () => {
    const to = [address('boss@else.test')];
    assert.deepEqual(forksOf(run([act('r', { kind: 'redirect', to })])), [['boss@else.test']]);
    assert.deepEqual(forksOf(run([act('r', { kind: 'blind-copy', to })])), [
      ['boss@else.test', 'user@example.test'],
    ]);
    const added = pass(run([act('r', { kind: 'add-recipients', to })])).forks[0]!;
    assert.equal(added.recipients.length, 2);
    assert.deepEqual(added.headerEdits[0], { kind: 'add-address', name: 'To', address: to[0] });
  });

  it('tells nobody of a blind copy, by header or by DSN', () => {
    const to = [address('log@else.test')];
    const fork = pass(run([act('r', { kind: 'blind-copy', to })])).forks[0]!;
    assert.deepEqual(fork.recipients[1], { ...to[0], notify: [] });
    assert.deepEqual(
      fork.headerEdits.map(({ kind }) => kind),
      ['count-pass'],
    );
  });

  it('does not run on recipients that rules added', () => {
    const copy = act('copy', { kind: 'blind-copy', to: [address('log@contoso.com')] });
    const held = rule('hold', { conditions: [toContoso] });
    assert.equal(pass(run([copy, held])).forks[0]!.hold, null);
  });

  it('edits the header in the order of rules and actions', () => {
    const result = run([
      act('a', { kind: 'set-header', name: 'X-A', value: '1' }, prepend),
      act('b', { kind: 'remove-header', name: 'X-B' }),
    ]);
    assert.deepEqual(pass(result).forks[0]!.headerEdits, [
      { kind: 'set', name: 'X-A', value: '1' },
      { kind: 'prepend-subject', text: '[x] ' },
      { kind: 'remove', name: 'X-B' },
    ]);
  });

  it('holds, naming the first rule', () => {
    assert.deepEqual(pass(run([rule('a'), rule('b')])).forks[0]!.hold, { rule: 'a' });
  });

  it('deletes for those who are meant, and later rules do not see them', () => {
    const drop = rule('drop', { conditions: [toContoso], actions: [{ kind: 'delete' }] });
    const later = rule('later', { conditions: [toContoso], actions: [reject] });
    const result = run([drop, later], two);
    assert.deepEqual(forksOf(result), [['user@example.test']]);
    assert.deepEqual(result.record!.deleted, [{ rule: 'drop', recipients: ['bob@contoso.com'] }]);
    assert.deepEqual(forksOf(run([act('drop', { kind: 'delete' })])), []);
  });
});

describe('order', () => {
  it('a rule with stopRuleProcessing ends the rules for those whom it met', () => {
    const stop = rule('stop', {
      conditions: [toContoso],
      actions: [prepend],
      stopRuleProcessing: true,
    });
    const result = pass(run([stop, act('tls', requireTls)], two));
    const byFork = result.forks.map(({ recipients: list, ruling }) => [
      list.map(formatAddress),
      ruling.clauses.length,
    ]);
    assert.deepEqual(byFork, [
      [['bob@contoso.com'], 0],
      [['user@example.test'], 2],
    ]);
  });

  it('a rule that is off, not yet active or expired is skipped and says so', () => {
    const result = run([
      rule('off', { enabled: false }),
      rule('soon', { activationAtMs: noon + 1 }),
      rule('over', { expiryAtMs: noon }),
      rule('now', { activationAtMs: noon, expiryAtMs: noon + 1, actions: [prepend] }),
    ]);
    assert.equal(pass(result).forks[0]!.hold, null);
    assert.deepEqual(result.record!.skipped, {
      disabled: ['off'],
      'not yet active': ['soon'],
      expired: ['over'],
    });
    assert.deepEqual(
      result.record!.met.map((met) => met.rule),
      ['now'],
    );
  });

  it('Audit records and does nothing, not even stop', () => {
    const audit = rule('audit', { mode: 'Audit', actions: [reject], stopRuleProcessing: true });
    const result = pass(run([audit, act('tls', requireTls)]));
    assert.equal(result.forks[0]!.ruling.clauses.length, 2);
    assert.deepEqual(result.record!.met[0], {
      rule: 'audit',
      mode: 'Audit',
      result: 'matched',
      why: null,
      recipients: null,
      actions: ['rejectMessageReasonText', 'stopRuleProcessing'],
    });
  });

  it('records what did not meet the message by what did not hold', () => {
    const { record } = run([
      rule('a', { conditions: [whenSubject('nothing')] }),
      rule('b', { exceptions: [whenSubject('report')] }),
      rule('c', { conditions: [toContoso] }),
      rule('d', {
        conditions: [
          { kind: 'matches-patterns', place: { kind: 'subject' }, patterns: ['nothing'] },
        ],
      }),
    ]);
    assert.deepEqual(record!.notMatched, {
      exceptIfSubjectContainsWords: ['b'],
      subjectMatchesPatterns: ['d'],
    });
    // What an index leaves out is counted.
    assert.equal(record!.notConcerned, 2);
  });
});

describe('forks', () => {
  it('a condition about recipients divides the message, others keep it whole', () => {
    const result = pass(
      run([rule('tls', { conditions: [toContoso], actions: [requireTls] })], two),
    );
    assert.equal(result.forks.length, 2);
    assert.equal(pass(run([act('tls', requireTls)], two)).forks.length, 1);
  });

  it('an exception about recipients leaves those out', () => {
    const exempt = rule('tls', { exceptions: [toContoso], actions: [requireTls] });
    const result = pass(run([exempt], two));
    const bare = result.forks.find(({ ruling }) => ruling.clauses.length === 0)!;
    assert.deepEqual(bare.recipients.map(formatAddress), ['bob@contoso.com']);
  });

  it('who is reached by several parts gets one copy under all that any of them demands', () => {
    const copy = act('copy', { kind: 'blind-copy', to: [address('log@else.test')] });
    const tls = rule('tls', { conditions: [toContoso], actions: [requireTls] });
    const hold = rule('hold', { exceptions: [toContoso] });
    const result = pass(run([copy, tls, hold], two));
    const all = result.forks.flatMap((fork) => fork.recipients.map(formatAddress));
    assert.deepEqual(all.sort(), ['bob@contoso.com', 'log@else.test', 'user@example.test']);
    const log = result.forks.find(
      (fork) => formatAddress(fork.recipients[0]!) === 'log@else.test',
    )!;
    assert.equal(log.ruling.clauses.length, 2);
    assert.deepEqual(log.hold, { rule: 'hold' });
  });

  it('whichever of the parts comes first', () => {
    const copy = act('copy', { kind: 'blind-copy', to: [address('log@else.test')] });
    const hold = rule('hold', { conditions: [toContoso] });
    const tls = rule('tls', { exceptions: [toContoso], actions: [requireTls] });
    const result = pass(run([copy, hold, tls], two));
    const log = result.forks.find(
      (fork) => formatAddress(fork.recipients[0]!) === 'log@else.test',
    )!;
    assert.equal(log.ruling.clauses.length, 2);
    assert.deepEqual(log.hold, { rule: 'hold' });
  });

  it('overrides hold for such a copy only where every part has them', () => {
    const copy = act('copy', { kind: 'blind-copy', to: [address('log@else.test')] });
    const route = (name: string, side: 'conditions' | 'exceptions', overrides: string[]) =>
      rule(name, {
        [side]: [toContoso],
        actions: [{ kind: 'route-to-connector', connector: name }],
        overrides,
      });
    const overridesOf = (a: string[], b: string[]) => {
      const result = run([copy, route('a', 'conditions', a), route('b', 'exceptions', b)], two);
      const log = pass(result).forks.find(
        (fork) => formatAddress(fork.recipients[0]!) === 'log@else.test',
      )!;
      return log.ruling.overrides;
    };
    assert.deepEqual(overridesOf(['x', 'y'], ['y', 'z']), ['y']);
    assert.deepEqual(overridesOf(['x'], []), []);
  });

  it('mail that came over TLS leaves encrypted to whom a rule adds outside of the organization', () => {
    const to = [address('boss@else.test'), address('ann@example.test')];
    const clausesOf = (isOverTls: boolean, kind: 'redirect' | 'blind-copy' | 'add-recipients') =>
      pass(run([act('r', { kind, to })], message({ isOverTls }))).forks.flatMap((fork) =>
        fork.recipients.map((one) => [formatAddress(one), fork.ruling.clauses] as const),
      );
    const encrypted = { kind: 'encrypted', origin: { kind: 'rule', name: 'r' } };
    for (const kind of ['redirect', 'blind-copy', 'add-recipients'] as const) {
      const bound = new Map(clausesOf(true, kind));
      assert.deepEqual(bound.get('boss@else.test'), [encrypted], kind);
      assert.deepEqual(bound.get('ann@example.test'), []);
      if (kind !== 'redirect') assert.deepEqual(bound.get('user@example.test'), []);
      for (const [, clauses] of clausesOf(false, kind)) assert.deepEqual(clauses, []);
    }
  });

  it('more recipients than a message may get make it wait, with the reason', () => {
    const to = Array.from({ length: 101 }, (_, i) => address(`a${i}@else.test`));
    const result = run([act('many', { kind: 'blind-copy', to })]);
    assert.ok(result.kind === 'defer');
    assert.match(result.reason, /more than 100 recipients/);
  });
});

describe('loops', () => {
  const route = act('scan', { kind: 'route-to-connector', connector: 'scan' });
  const passed = (passes: number) => message({ header: { ...header(), passes } });

  it('a message that rules sent on three times is refused where one would again', () => {
    assert.equal(run([route], passed(2)).kind, 'pass');
    const result = run([route], passed(3));
    assert.ok(result.kind === 'reject');
    assert.deepEqual(result.reply.status, { class: 5, subject: 7, detail: 128 });
    assert.match(result.reply.lines[0]!, /^TRANSPORT\.RULES\.RejectMessage; .*loop/);
  });

  it('rules that do not send it on, or only watch, still act', () => {
    assert.equal(run([act('tls', requireTls)], passed(9)).kind, 'pass');
    assert.equal(run([{ ...route, mode: 'Audit' }], passed(9)).kind, 'pass');
  });
});

describe('unknown', () => {
  const about = (...actions: RuleAction[]): MailFlowRule =>
    rule('r', { conditions: [whenBody('secret')], actions });

  it('is true for rules that only protect', () => {
    const tls = pass(run([about(requireTls)], message(), unknown));
    assert.equal(tls.forks[0]!.ruling.clauses.length, 2);
    assert.deepEqual(tls.record!.met[0]!.result, 'unknown');
    assert.equal(tls.record!.met[0]!.why, 'the message has too many parts');
    assert.deepEqual(
      pass(run([about({ kind: 'quarantine' })], message(), unknown)).forks[0]!.hold,
      {
        rule: 'r',
      },
    );
    assert.equal(run([about(reject)], message(), unknown).kind, 'reject');
  });

  it('makes the message wait for every other rule, and names rule and reason', () => {
    for (const action of [prepend, { kind: 'delete' }] as const) {
      const result = run([about(action)], message(), unknown);
      assert.ok(result.kind === 'defer');
      assert.equal(result.reply.code, 451);
      assert.match(result.reply.lines[0]!, /the rule "r" cannot be decided: the message has too/);
    }
  });

  it('makes it wait where a rule both protects and does something else', () => {
    assert.equal(run([about(requireTls, prepend)], message(), unknown).kind, 'defer');
  });

  it('in an exception does not keep a protecting rule from acting', () => {
    const exempt = (...actions: RuleAction[]) =>
      rule('r', { exceptions: [whenBody('public')], actions });
    const result = pass(run([exempt(requireTls)], message(), unknown));
    assert.equal(result.forks[0]!.ruling.clauses.length, 2);
    assert.equal(run([exempt(prepend)], message(), unknown).kind, 'defer');
  });

  it('does not matter beside a condition that is false or an exception that holds', () => {
    const away = rule('r', {
      conditions: [whenBody('secret'), whenSubject('nothing')],
      actions: [reject],
    });
    assert.equal(run([away], message(), unknown).kind, 'pass');
    const exempt = rule('r', {
      conditions: [whenBody('secret')],
      exceptions: [whenSubject('report')],
      actions: [reject],
    });
    assert.equal(run([exempt], message(), unknown).kind, 'pass');
  });

  it('is only recorded in Audit', () => {
    const result = pass(run([{ ...about(prepend), mode: 'Audit' }], message(), unknown));
    assert.deepEqual(result.forks[0]!.headerEdits, []);
    assert.equal(result.record!.met[0]!.result, 'unknown');
  });

  it('of a rule that would end the rules does not hide the rules behind it', () => {
    const stop = rule('stop', {
      conditions: [whenBody('secret')],
      actions: [requireTls],
      stopRuleProcessing: true,
    });
    const held = pass(run([stop, rule('hold')], message(), unknown));
    assert.deepEqual(held.forks[0]!.hold, { rule: 'hold' });
    assert.equal(run([stop, act('edit', prepend)], message(), unknown).kind, 'defer');
    assert.equal(run([stop, act('edit', prepend)], message(), () => ({ kind: 'no' })).kind, 'pass');
  });

  it('because the gateway is busy rejects nobody for good, and holds and seals all the same', () => {
    const busy = (): Answer => ({ kind: 'unknown', reason: 'too many wait', isPassing: true });
    const result = run([about(reject)], message(), busy);
    assert.ok(result.kind === 'defer');
    assert.equal(result.reply.code, 451);
    assert.equal(
      pass(run([about(requireTls)], message(), busy)).forks[0]!.ruling.clauses.length,
      2,
    );
    assert.ok(pass(run([about({ kind: 'quarantine' })], message(), busy)).forks[0]!.hold !== null);
    const stop = rule('stop', {
      conditions: [whenBody('secret')],
      actions: [requireTls],
      stopRuleProcessing: true,
    });
    assert.equal(run([stop, act('no', reject)], message(), busy).kind, 'defer');
    assert.equal(run([stop, act('no', reject)], message(), unknown).kind, 'reject');
  });

  it('is what a question without an answer is', () => {
    const examined = { facts: noFacts, nowMs: noon };
    for (const action of [reject, prepend]) {
      const value = policy({ rules: [about(action)] });
      assert.equal(applyRules(value, value.organizations[0]!, message(), examined).kind, 'defer');
    }
  });
});
