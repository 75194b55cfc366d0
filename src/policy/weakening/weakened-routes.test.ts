/** Mail that newly goes out under less: by domain, by rule, in clear, from own servers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acceptedDomain,
  address,
  deliveryTarget,
  outboundConnector,
  patterns,
} from '../../../test/support/policy.ts';
import { rule as makeRule } from '../../../test/support/rules.ts';
import { weaker } from '../../../test/support/weaker.ts';
import type { DeliveryTarget, Organization, OutboundConnector } from '../policy.ts';
import type { MailFlowRule, RuleAction, RuleCondition } from '../rules/rule.ts';

const secure = outboundConnector('secure', {
  isTransportRuleScoped: true,
  tlsSettings: 'EncryptionOnly',
});
const pinned = outboundConnector('pinned', {
  isTransportRuleScoped: true,
  tlsSettings: 'Pinned',
  pins: ['k1'],
});
const plain = outboundConnector('plain', { isTransportRuleScoped: true });
const bank = outboundConnector('bank', {
  recipientDomains: patterns('bank.test'),
  tlsSettings: 'EncryptionOnly',
});
const all = { outboundConnectors: [secure, pinned, plain, bank] };

const to = (connector: string): RuleAction => ({ kind: 'route-to-connector', connector });
const routing = (connector: string, part: Partial<MailFlowRule> = {}): MailFlowRule =>
  makeRule('R', { actions: [to(connector)], ...part });
const ofRules = (before: readonly MailFlowRule[], after: readonly MailFlowRule[]): string[] =>
  weaker({ ...all, rules: before }, { ...all, rules: after });
const sentTo = (...texts: string[]): RuleCondition => ({
  kind: 'sent-to',
  addresses: texts.map(address),
});

test('a rule that routes to a forced connector and is gone, off, or only audits', () => {
  for (const name of ['secure', 'pinned']) {
    const rule = routing(name);
    for (const after of [
      [],
      [{ ...rule, enabled: false }],
      [{ ...rule, mode: 'Audit' as const }],
    ]) {
      const found = ofRules([rule], after);
      assert.equal(found.length, 1);
      assert.match(
        found[0]!,
        /by the rule "R" sends mail to \* without a connector and no longer requires encryption/,
      );
    }
    assert.deepEqual(ofRules([rule], [rule]), []);
    assert.deepEqual(ofRules([], [rule]), []);
  }
});

test('a rule that routes elsewhere', () => {
  assert.match(ofRules([routing('secure')], [routing('plain')])[0]!, /by "plain" and no longer/);
  assert.deepEqual(ofRules([routing('secure')], [routing('pinned')]), []);
  assert.deepEqual(ofRules([routing('plain')], [routing('secure')]), []);
  assert.deepEqual(ofRules([routing('plain')], []), []);
});

test('a route past connectors: elsewhere, newly, and for more mail', () => {
  const past = (connector: string, part: Partial<MailFlowRule> = {}): MailFlowRule =>
    routing(connector, { overrides: ['bank'], ...part });
  const conditions = [sentTo('ann@bank.test')];
  const expected = /sends mail to bank\.test by "plain" and no longer requires encryption/;
  assert.match(
    ofRules([past('secure', { conditions })], [past('plain', { conditions })])[0]!,
    /plain/,
  );
  assert.match(ofRules([past('plain', { conditions })], [past('plain')])[0]!, expected);
  assert.match(ofRules([routing('plain')], [past('plain')])[0]!, expected);
  assert.match(ofRules([], [past('plain')])[0]!, expected);
  assert.deepEqual(ofRules([past('plain')], [past('plain', { conditions })]), []);
  assert.deepEqual(ofRules([past('plain')], [routing('plain')]), []);
  assert.deepEqual(ofRules([], [past('secure')]), []);
});

test('a rule that routes for less mail', () => {
  const conditions = [sentTo('ann@bank.test')];
  assert.match(ofRules([routing('secure')], [routing('secure', { conditions })])[0]!, /no longer/);
  assert.deepEqual(ofRules([routing('secure', { conditions })], [routing('secure')]), []);
});

test('a later route counts: a new one, one that is moved, and what is left when it goes', () => {
  const [first, last] = [routing('secure'), makeRule('S', { actions: [to('plain')] })];
  assert.match(ofRules([first], [first, last])[0]!, /by the rule "S" sends mail to \* by "plain"/);
  assert.deepEqual(ofRules([first], [last, first]), []);
  assert.match(ofRules([last, first], [first, last])[0]!, /by the rule "S"/);
  assert.deepEqual(ofRules([first, last], [last, first]), []);
  const past = makeRule('P', { actions: [to('plain')], overrides: ['bank'] });
  assert.match(
    ofRules([past, first], [past])[0]!,
    /by the rule "R" sends mail to \* without a connector and no longer requires/,
  );
  const bound = {
    ...all,
    outboundConnectors: [
      ...all.outboundConnectors,
      { ...bank, name: 'any', recipientDomains: patterns('*') },
    ],
  };
  assert.match(
    weaker({ ...bound, rules: [past, first] }, { ...bound, rules: [past] })[0]!,
    /by the rule "R" sends mail to bank\.test by "plain" and no longer/,
  );
});

test('a rule before it that ends the rules', () => {
  const stop = makeRule('S', {
    actions: [{ kind: 'prepend-subject', text: 'x' }],
    stopRuleProcessing: true,
  });
  const route = routing('secure');
  assert.match(ofRules([route], [stop, route])[0]!, /by the rule "R" sends mail to \*/);
  assert.deepEqual(ofRules([route], [route, stop]), []);
  assert.deepEqual(ofRules([stop, route], [stop, route]), []);
  const refusing = { ...stop, actions: [{ kind: 'delete' }] } as const;
  assert.deepEqual(ofRules([route], [refusing, route]), []);
  const past = routing('plain', { overrides: ['bank'] });
  assert.match(ofRules([stop, past], [past])[0]!, /sends mail to bank\.test by "plain"/);
});

test('a route to a connector that is off holds mail back, until somebody mends it', () => {
  const off = {
    ...all,
    outboundConnectors: [{ ...secure, enabled: false }],
    rules: [routing('secure')],
  };
  assert.deepEqual(weaker(off, { ...off, outboundConnectors: [secure] }), []);
  assert.match(weaker(off, { ...off, rules: [] })[0]!, /no longer holds mail back/);
});

test('a connector that a rule names while it is off comes back with less than it would have asked', () => {
  const rules = [routing('secure')];
  const off = { rules, outboundConnectors: [{ ...secure, enabled: false }] };
  const loose = { rules, outboundConnectors: [{ ...secure, tlsSettings: null }] };
  assert.match(
    weaker(off, loose)[0]!,
    /by the rule "R" sends mail .* no longer requires encryption/,
  );
  assert.deepEqual(weaker(off, { rules, outboundConnectors: [secure] }), []);
});

test('mail that was opportunistic and may newly go in clear', () => {
  const lax = outboundConnector('lax', {
    recipientDomains: patterns('*'),
    clearTextAfterFailedTls: true,
  });
  assert.match(
    weaker({}, { outboundConnectors: [lax] })[0]!,
    /sends mail to \*, example\.test by "lax" and sends in clear|sends mail to \* by "lax" and sends in clear/,
  );
  assert.deepEqual(weaker({ outboundConnectors: [lax] }, { outboundConnectors: [lax] }), []);
  assert.deepEqual(weaker({ outboundConnectors: [lax] }, {}), []);
  const route = routing('lax');
  const scoped = { ...lax, isTransportRuleScoped: true };
  assert.match(
    weaker({ outboundConnectors: [scoped] }, { outboundConnectors: [scoped], rules: [route] })[0]!,
    /by the rule "R".*in clear/,
  );
});

const central = outboundConnector('central', {
  connectorType: 'OnPremises',
  routeAllMessagesViaOnPremises: true,
  route: { kind: 'smart-hosts', hosts: [{ host: 'hub.example.test', port: 25 }] },
  tlsSettings: 'EncryptionOnly',
});

test('mail from own servers does not go through central transport', () => {
  const any = { ...bank, name: 'any', recipientDomains: patterns('*') };
  const closer = outboundConnector('closer', { recipientDomains: patterns('bank.test') });
  const found = weaker(
    { outboundConnectors: [central, any] },
    { outboundConnectors: [central, any, closer] },
  );
  assert.deepEqual(found, [
    'the organization org sends mail to bank.test from its own servers by "closer" and no longer requires encryption, TLS 1.2 or newer',
  ]);
});

test('a rule takes mail from central transport', () => {
  const outboundConnectors = [central, plain];
  assert.match(
    weaker({ outboundConnectors }, { outboundConnectors, rules: [routing('plain')] })[0]!,
    /by the rule "R" sends mail to \* by "plain" and no longer requires encryption/,
  );
});

test('a connector that asks for less hides no other loss', () => {
  const p = { ...pinned, isTransportRuleScoped: false, recipientDomains: patterns('*') };
  const found = weaker(
    { outboundConnectors: [p] },
    {
      outboundConnectors: [
        { ...p, pins: ['k1', 'k2'] },
        outboundConnector('open', { recipientDomains: patterns('bank.test') }),
      ],
    },
  );
  assert.equal(found.length, 2);
  assert.match(found[0]!, /"pinned" of org no longer requires a certificate with the pinned key/);
  assert.match(found[1]!, /sends mail to bank\.test by "open" and no longer requires encryption/);
});

test('a connector under another name, or with a wider pattern, loses nothing by domain', () => {
  const change = (...outboundConnectors: OutboundConnector[]): string[] =>
    weaker({ outboundConnectors: [bank] }, { outboundConnectors });
  assert.deepEqual(change({ ...bank, recipientDomains: patterns('*.bank.test') }), []);
  const found = change({ ...bank, recipientDomains: patterns('other.test') });
  assert.match(found[0]!, /sends mail to bank\.test without a connector and no longer requires/);
});

const overNetwork = { address: { kind: 'host', host: 'mail.example.test', port: 24 } } as const;
function keptBy(part: Partial<DeliveryTarget>): Partial<Organization> {
  return {
    acceptedDomains: [acceptedDomain('target.test', { deliveryTarget: 'target' })],
    mailboxes: [{ account: 'somebody', addresses: [address('somebody@target.test')] }],
    deliveryTargets: [deliveryTarget('target', part)],
  };
}

test('a delivery target that demands less, though the sampled name has a mailbox', () => {
  const forced = keptBy(overNetwork);
  const clear = keptBy({ ...overNetwork, clearTextReason: 'a cable' });
  assert.match(
    weaker(forced, clear)[0]!,
    /sends mail to target\.test without a connector and no longer requires encryption/,
  );
  assert.deepEqual(weaker(forced, keptBy({})), [], 'a Unix socket leads over no network');
  assert.match(weaker(keptBy({}), clear)[0] ?? 'none', /none/);
});

test('mail by a rule past one that watched, behind what takes all mail, and may newly go in clear', () => {
  const rest = outboundConnector('rest', {
    recipientDomains: patterns('*'),
    clearTextAfterFailedTls: true,
  });
  const watch = outboundConnector('watch', {
    mode: 'observe',
    recipientDomains: patterns('*.bank.test'),
    tlsSettings: 'EncryptionOnly',
    routeAllMessagesViaOnPremises: true,
  });
  const rules = [routing('rest')];
  const before = { rules, outboundConnectors: [rest, watch] };
  const loose = { ...watch, mode: 'enforce', tlsSettings: null } as const;
  const found = weaker(before, { rules, outboundConnectors: [rest, loose] });
  assert.match(found.join('\n'), /by the rule "R" sends mail .* in clear where TLS failed twice/);
  assert.deepEqual(weaker(before, before), []);
});
