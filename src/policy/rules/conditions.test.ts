import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  acceptedDomain,
  address,
  noon,
  organization,
  policy,
} from '../../../test/support/policy.ts';
import { header, meets, message, recipients, run, rule } from '../../../test/support/rules.ts';
import { applyRules } from './evaluate-rules.ts';
import type { RuleCondition, TextPlace } from './rule.ts';
import { noFacts } from './rule-message.ts';

const words = (place: TextPlace, ...list: string[]): RuleCondition => ({
  kind: 'contains-words',
  place,
  words: list,
});
const patterns = (place: TextPlace, ...list: string[]): RuleCondition => ({
  kind: 'matches-patterns',
  place,
  patterns: list,
});
const subject = { kind: 'subject' } as const;
const inside: RuleCondition = { kind: 'from-scope', scope: 'InOrganization' };

describe('sender', () => {
  const own = message({
    reversePath: address('user@example.test'),
    header: header('From: user@example.test'),
  });

  it('is in the organization only when signed in, whatever the address says', () => {
    assert.equal(meets([inside], own), false);
    assert.equal(meets([inside], { ...own, isAuthenticated: true }), true);
    const elsewhere = message({ isAuthenticated: true });
    assert.equal(meets([inside], elsewhere), false);
    const outside: RuleCondition = { kind: 'from-scope', scope: 'NotInOrganization' };
    assert.equal(meets([outside], own), true);
    assert.equal(meets([outside], { ...own, isAuthenticated: true }), false);
  });

  it('by address, case ignored, in From, in MAIL FROM, or in either', () => {
    const from: RuleCondition = { kind: 'from', addresses: [address('ANN@contoso.com')] };
    const forwarded = message({ reversePath: address('list@else.test') });
    assert.equal(meets([from], forwarded), true);
    assert.equal(meets([from], forwarded, [], { senderAddressLocation: 'Envelope' }), false);
    const written = message({ header: header('From: list@else.test') });
    assert.equal(meets([from], written), false);
    assert.equal(meets([from], written, [], { senderAddressLocation: 'Envelope' }), true);
    assert.equal(meets([from], written, [], { senderAddressLocation: 'HeaderOrEnvelope' }), true);
  });

  it('domain covers its subdomains and nothing that only ends like it', () => {
    const domain: RuleCondition = { kind: 'sender-domain-is', domains: ['contoso.com'] };
    const of = (text: string) => message({ header: header(`From: ${text}`) });
    assert.equal(meets([domain], of('a@contoso.com')), true);
    assert.equal(meets([domain], of('a@eu.contoso.com')), true);
    assert.equal(meets([domain], of('a@notcontoso.com')), false);
    assert.equal(meets([domain], of('a@contoso.com.test')), false);
  });

  it('that cannot be read in one way is unknown, and a null reverse-path is nobody', () => {
    const domain: RuleCondition = { kind: 'sender-domain-is', domains: ['contoso.com'] };
    const hidden = message({ header: { ...header(), from: { kind: 'unreadable' } } });
    assert.equal(meets([domain], hidden), 'unknown');
    assert.equal(meets([domain], hidden, [], { senderAddressLocation: 'Envelope' }), true);
    const bounce = message({ reversePath: null, header: header() });
    assert.equal(meets([domain], bounce, [], { senderAddressLocation: 'Envelope' }), false);
  });

  it('address by words and by patterns', () => {
    assert.equal(meets([words({ kind: 'sender-address' }, 'contoso')]), true);
    assert.equal(meets([words({ kind: 'sender-address' }, 'conto')]), false);
    assert.equal(meets([patterns({ kind: 'sender-address' }, '@contoso\\.com$')]), true);
    assert.equal(meets([patterns({ kind: 'sender-address' }, '^contoso')]), false);
  });

  it('by the address of the client', () => {
    const from: RuleCondition = { kind: 'sender-ip-ranges', ranges: ['192.0.2.0/24'] };
    assert.equal(meets([from]), true);
    assert.equal(meets([from], message({ clientAddress: '::ffff:192.0.2.77' })), true);
    assert.equal(meets([from], message({ clientAddress: '192.0.3.1' })), false);
    assert.equal(meets([from], message({ clientAddress: null })), false);
  });
});

describe('recipient', () => {
  const three = message({
    recipients: recipients('user@example.test', 'bob@contoso.com', 'eve@eu.contoso.com'),
  });
  const metBy = (condition: RuleCondition): readonly string[] | null | undefined => {
    const result = run([rule('r', { conditions: [condition] })], three);
    return result.record!.met[0]?.recipients;
  };

  it('inside and outside of the organization', () => {
    assert.deepEqual(metBy({ kind: 'sent-to-scope', scope: 'InOrganization' }), [
      'user@example.test',
    ]);
    assert.deepEqual(metBy({ kind: 'sent-to-scope', scope: 'NotInOrganization' }), [
      'bob@contoso.com',
      'eve@eu.contoso.com',
    ]);
  });

  it('in a domain of another organization of the gateway is outside', () => {
    const rules = [rule('r', { conditions: [{ kind: 'sent-to-scope', scope: 'InOrganization' }] })];
    const other = organization({
      id: 'other',
      acceptedDomains: [acceptedDomain('contoso.com')],
      mailboxes: [{ account: 'bob', addresses: [address('bob@contoso.com')] }],
    });
    const value = { ...policy(), organizations: [organization({ rules }), other] };
    const examined = { facts: noFacts, nowMs: noon };
    const result = applyRules(value, value.organizations[0]!, three, examined);
    assert.deepEqual(result.record!.met[0]!.recipients, ['user@example.test']);
  });

  it('by address, domain with subdomains, words and patterns', () => {
    assert.deepEqual(metBy({ kind: 'sent-to', addresses: [address('Bob@contoso.com')] }), [
      'bob@contoso.com',
    ]);
    assert.deepEqual(metBy({ kind: 'recipient-domain-is', domains: ['contoso.com'] }), [
      'bob@contoso.com',
      'eve@eu.contoso.com',
    ]);
    assert.deepEqual(metBy(words({ kind: 'recipient-address' }, 'eu')), ['eve@eu.contoso.com']);
    assert.deepEqual(metBy(patterns({ kind: 'recipient-address' }, '^bob@')), ['bob@contoso.com']);
    assert.equal(metBy({ kind: 'recipient-domain-is', domains: ['else.test'] }), undefined);
  });
});

describe('header', () => {
  it('words are whole, in any case, between punctuation; phrases are one after the other', () => {
    const says = (text: string, ...list: string[]) =>
      meets([words(subject, ...list)], message({ header: header(`Subject: ${text}`) }));
    assert.equal(says('Re: CONFIDENTIAL, please', 'confidential'), true);
    assert.equal(says('confidentially', 'confidential'), false);
    assert.equal(says('my secret  plan', 'secret plan'), true);
    assert.equal(says('secret. plan', 'secret plan'), false);
    assert.equal(says('secret plans, plan', 'secret plan'), false);
    assert.equal(says('topsecret plan, secret', 'secret plan'), false);
    assert.equal(says('secret plans, secret plan', 'secret plan'), true);
    assert.equal(says('[SECRET]', 'open', '[secret]'), true);
    assert.equal(says('geheimnis', 'geheim'), false);
    assert.equal(says('ÄRGER', 'ärger'), true);
    assert.equal(says('con\u00adfiden\u200btial', 'confidential'), true);
    assert.equal(says('cost: $$$ now', '$$$'), true);
  });

  it('without a subject has no words and matches nothing', () => {
    const none = message({ header: header('From: a@b.test') });
    assert.equal(meets([words(subject, 'a')], none), false);
    assert.equal(meets([patterns(subject, '.*')], none), false);
  });

  it('any field by its name, each of several of that name', () => {
    const place = { kind: 'header', name: 'x-class' } as const;
    const two = message({ header: header('X-Class: public', 'X-Class: Secret stuff') });
    assert.equal(meets([words(place, 'secret')], two), true);
    assert.equal(meets([patterns(place, '^secret\\s')], two), true);
    assert.equal(meets([words({ kind: 'header', name: 'x-other' }, 'secret')], two), false);
  });

  it('patterns are unknown where the header is too long for them, never false', () => {
    const long = message({ header: header(`Subject: ${'ab '.repeat(80_000)}`) });
    assert.equal(meets([patterns(subject, '(?:[a-z]{1,50} ){1,10}QQQ')], long), 'unknown');
    assert.equal(meets([words(subject, 'qqq')], long), false);
  });

  it('a pattern that does not compile is unknown, never false', () => {
    assert.equal(meets([patterns(subject, '(a)\\1')]), 'unknown');
  });

  it('classification: none, this one, another', () => {
    const none: RuleCondition = { kind: 'has-no-classification' };
    const secret: RuleCondition = { kind: 'has-classification', classification: 'Secret' };
    const marked = message({
      header: header('X-MS-Exchange-Organization-Classification: SECRET'),
    });
    assert.deepEqual([meets([none]), meets([secret])], [true, false]);
    assert.deepEqual([meets([none], marked), meets([secret], marked)], [false, true]);
    const other = message({ header: header('X-MS-Exchange-Organization-Classification: open') });
    assert.deepEqual([meets([none], other), meets([secret], other)], [false, false]);
  });
});

describe('message', () => {
  it('size from the given one on', () => {
    const over: RuleCondition = { kind: 'message-size-over', bytes: 2000 };
    assert.equal(meets([over]), true);
    assert.equal(meets([over], message({ sizeBytes: 1999 })), false);
  });

  it('received over TLS, or not', () => {
    const wants = (isOverTls: boolean): RuleCondition => ({ kind: 'received-over-tls', isOverTls });
    const overTls = message({ isOverTls: true });
    assert.deepEqual([meets([wants(true)]), meets([wants(false)])], [false, true]);
    assert.deepEqual(
      [meets([wants(true)], overTls), meets([wants(false)], overTls)],
      [true, false],
    );
  });

  it('every condition has an exception that keeps the rule from acting', () => {
    const all: readonly RuleCondition[] = [
      { kind: 'from-scope', scope: 'NotInOrganization' },
      { kind: 'sent-to-scope', scope: 'InOrganization' },
      { kind: 'from', addresses: [address('ann@contoso.com')] },
      { kind: 'sent-to', addresses: [address('user@example.test')] },
      { kind: 'sender-domain-is', domains: ['contoso.com'] },
      { kind: 'recipient-domain-is', domains: ['example.test'] },
      words(subject, 'quarterly'),
      words({ kind: 'subject-or-body' }, 'quarterly'),
      patterns(subject, 'quarter\\w+'),
      patterns({ kind: 'subject-or-body' }, 'report$'),
      words({ kind: 'header', name: 'from' }, 'ann'),
      patterns({ kind: 'header', name: 'from' }, '^ann'),
      words({ kind: 'sender-address' }, 'ann'),
      words({ kind: 'recipient-address' }, 'user'),
      { kind: 'message-size-over', bytes: 1 },
      { kind: 'has-no-classification' },
      { kind: 'sender-ip-ranges', ranges: ['192.0.2.9/32'] },
      { kind: 'received-over-tls', isOverTls: false },
    ];
    for (const condition of all) {
      assert.equal(meets([condition]), true, JSON.stringify(condition));
      assert.equal(meets([], message(), [condition]), false, JSON.stringify(condition));
    }
  });
});
