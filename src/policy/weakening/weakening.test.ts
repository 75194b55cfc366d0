/** What counts as asking for less, and what does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acceptedDomain,
  deliveryTarget,
  inboundConnector,
  organization,
  outboundConnector,
  patterns,
  policy,
} from '../../../test/support/policy.ts';
import { rule as makeRule } from '../../../test/support/rules.ts';
import { weaker } from '../../../test/support/weaker.ts';
import type { InboundConnector, Organization, OutboundConnector } from '../policy.ts';
import type { MailFlowRule } from '../rules/rule.ts';
import { findWeakenings } from './weakening.ts';

const out = outboundConnector('out', {
  recipientDomains: patterns('bank.test', '*.bank.test'),
  tlsSettings: 'DomainValidation',
  tlsDomains: patterns('mx.bank.test'),
});
const into = inboundConnector('in', {
  senderDomains: patterns('bank.test'),
  requireTls: true,
  restrictDomainsToCertificate: true,
  tlsSenderCertificateNames: patterns('mx.bank.test'),
});
const addresses = inboundConnector('addresses', {
  restrictDomainsToIPAddresses: true,
  senderIPAddresses: ['192.0.2.0/24'],
});

const outbound = (part: Partial<OutboundConnector>): string[] =>
  weaker({ outboundConnectors: [out] }, { outboundConnectors: [{ ...out, ...part }] });
const inbound = (part: Partial<InboundConnector>): string[] =>
  weaker({ inboundConnectors: [into] }, { inboundConnectors: [{ ...into, ...part }] });

test('the same, a stricter and a further connector weaken nothing', () => {
  assert.deepEqual(outbound({}), []);
  assert.deepEqual(outbound({ minVersion: 'TLSv1.3', pins: ['a'] }), []);
  assert.deepEqual(inbound({ requireTls: true, minVersion: 'TLSv1.3' }), []);
  assert.deepEqual(weaker({}, { outboundConnectors: [out], inboundConnectors: [into] }), []);
});

test('a connector that is off, gone, or only observes', () => {
  for (const [part, how] of [
    [{ enabled: false }, 'is off'],
    [{ mode: 'observe' }, 'only observes'],
    [{ mode: 'warn' }, 'only warns'],
  ] as const) {
    assert.match(outbound(part)[0]!, new RegExp(`"out" of org ${how}, and so no longer requires`));
    assert.match(inbound(part)[0]!, new RegExp(`"in" of org ${how}, and so no longer requires`));
  }
  assert.match(weaker({ outboundConnectors: [out] }, {})[0]!, /"out" of org is gone/);
});

test('a demand that is dropped or widened', () => {
  assert.match(outbound({ tlsSettings: 'EncryptionOnly' })[0]!, /no longer requires a certificate/);
  assert.match(outbound({ tlsDomains: patterns('*.bank.test') })[0]!, /certificate for mx\.bank/);
  assert.match(inbound({ requireTls: false })[0]!, /TLS 1\.2 or newer/);
  assert.match(inbound({ restrictDomainsToCertificate: false })[0]!, /a certificate/);
});

test('a scope that covers less', () => {
  assert.match(
    outbound({ recipientDomains: patterns('bank.test') })[0]!,
    /sends mail to \*\.bank\.test without a connector and no longer requires encryption/,
  );
  const inboundGone = /"in" of org no longer restricts mail of bank\.test, since its sender/;
  assert.match(inbound({ senderDomains: patterns('mx.bank.test') })[0]!, inboundGone);
  assert.match(inbound({ exceptDomains: patterns('bank.test') })[0]!, inboundGone);
});

test('addresses from which more may come', () => {
  const change = (part: Partial<InboundConnector>): string[] =>
    weaker({ inboundConnectors: [addresses] }, { inboundConnectors: [{ ...addresses, ...part }] });
  assert.match(change({ senderIPAddresses: ['192.0.2.0/24', '203.0.113.0/24'] })[0]!, /also takes/);
  assert.match(change({ restrictDomainsToIPAddresses: false })[0]!, /from any address/);
  assert.deepEqual(change({ senderIPAddresses: [] }), []);
});

test('clear text that is let in, and own domains from anybody', () => {
  assert.match(
    weaker({}, { rejectDirectSend: false })[0]!,
    /own domains as MAIL FROM from anybody/,
  );
  const lax = { defaultConnector: { clearTextAfterFailedTls: true } };
  assert.match(
    weaker({}, lax)[0]!,
    /sends mail to \* without a connector and sends in clear where TLS failed twice/,
  );
});

test('an observing connector that goes, and an organization that leaves, weaken nothing', () => {
  const watching = { ...out, mode: 'observe' } as const;
  assert.deepEqual(weaker({ outboundConnectors: [watching] }, {}), []);
  const two = { ...policy(), organizations: [organization(), organization({ id: 'other' })] };
  assert.deepEqual(findWeakenings(two, policy()), []);
});

test('relay for servers that are newly our own', () => {
  const own = inboundConnector('own', {
    connectorType: 'OnPremises',
    senderIPAddresses: ['192.0.2.1/32'],
  });
  const more = { ...own, senderIPAddresses: ['192.0.2.1/32', '203.0.113.0/24'], pins: ['k'] };
  const change = (after: InboundConnector): string[] =>
    weaker({ inboundConnectors: [own] }, { inboundConnectors: [after] });
  assert.deepEqual(change(own), []);
  assert.match(change(more)[0]!, /"own" of org lets relay 203\.0\.113\.0\/24, the key k/);
  assert.deepEqual(change({ ...own, enabled: false }), []);
  assert.match(weaker({}, { inboundConnectors: [own] })[0]!, /lets relay 192\.0\.2\.1/);
});

test('an inbound connector that acts for less mail, or trusts somebody', () => {
  assert.match(
    inbound({ associatedAcceptedDomains: ['a.test'] })[0]!,
    /does not concern recipients in/,
  );
  assert.match(
    inbound({ senderIPAddresses: ['192.0.2.1/32'] })[0]!,
    /concerns other addresses than/,
  );
  assert.match(inbound({ trustedOrganizations: ['other'] })[0]!, /trusts other/);
  const looking = { ...into, alsoHeaderFrom: true };
  const change = weaker({ inboundConnectors: [looking] }, { inboundConnectors: [into] });
  assert.match(change[0]!, /bank\.test in From, since it does not look at the From/);
});

test('another way in beside one that enforces, where it asks for less', () => {
  const other = { ...into, name: 'other', restrictDomainsToCertificate: false };
  const found = weaker({ inboundConnectors: [into] }, { inboundConnectors: [into, other] });
  assert.match(found[0]!, /"other" of org is another way for bank\.test beside "in": no longer/);
  const strict = { ...into, name: 'other', minVersion: 'TLSv1.3' } as const;
  assert.deepEqual(
    weaker({ inboundConnectors: [into] }, { inboundConnectors: [into, strict] }),
    [],
  );
  const both = { inboundConnectors: [into, other] };
  assert.deepEqual(weaker(both, both), []);
});

test('outbound ways that mail newly takes', () => {
  const any = { ...out, recipientDomains: patterns('*') };
  const ways = (...outboundConnectors: OutboundConnector[]): string[] =>
    weaker({ outboundConnectors: [any] }, { outboundConnectors: [any, ...outboundConnectors] });
  const closer = outboundConnector('closer', { recipientDomains: patterns('bank.test') });
  assert.match(ways(closer)[0]!, /sends mail to bank\.test by "closer" and no longer requires/);
  assert.deepEqual(ways({ ...out, name: 'closer' }), []);
  assert.deepEqual(ways({ ...closer, mode: 'observe' }), []);
  const first = outboundConnector('a', { recipientDomains: patterns('*') });
  assert.match(ways(first)[0]!, /by "a" and no longer requires/);
  const trusting = weaker(
    { outboundConnectors: [out] },
    { outboundConnectors: [{ ...out, trustedOrganizations: ['other'] }] },
  );
  assert.match(trusting[0]!, /trusts other/);
});

/** An organization whose target keeps mailboxes, with TLS demanded of it or not. */
function handedOver(isForced: boolean): Partial<Organization> {
  const target = deliveryTarget('target', {
    address: { kind: 'host', host: 'mail.target.test', port: 24 },
    ...(isForced ? { tlsSettings: 'EncryptionOnly' } : { clearTextReason: 'a cable' }),
  });
  return {
    acceptedDomains: [acceptedDomain('target.test', { deliveryTarget: 'target' })],
    mailboxes: [],
    deliveryTargets: [target],
  };
}

test('a delivery target that demands less', () => {
  const change = weaker(handedOver(true), handedOver(false));
  assert.match(change[0]!, /sends mail to target\.test without a connector and no longer requires/);
});

test('rules that protected mail', () => {
  const rule = makeRule('R', { actions: [{ kind: 'require-tls' }] });
  const change = (...rules: MailFlowRule[]): string[] => weaker({ rules: [rule] }, { rules });
  assert.deepEqual(change({ ...rule, comments: 'new' }), []);
  assert.match(change()[0]!, /no longer has the rule "R"/);
  for (const part of [{ enabled: false }, { mode: 'Audit' }] as const) {
    assert.match(change({ ...rule, ...part })[0]!, /no longer acts by the rule "R"/);
  }
  assert.match(change({ ...rule, actions: [] })[0]!, /no longer has require-tls in the rule "R"/);
  const exceptions = [{ kind: 'has-no-classification' }] as const;
  assert.match(change({ ...rule, exceptions })[0]!, /"R" on other mail/);
  const stop = makeRule('S', { actions: [], stopRuleProcessing: true });
  assert.match(change(stop, rule)[0]!, /ends the rules before "R" by "S"/);
  assert.deepEqual(change(rule, stop), []);
  assert.deepEqual(change({ ...stop, actions: rule.actions }, rule), []);
  assert.deepEqual(change({ ...stop, actions: [{ kind: 'delete' }] }, rule), []);
  assert.deepEqual(weaker({ rules: [{ ...rule, mode: 'Audit' }] }, {}), []);
});
