/** What counts as asking for less, and what does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  inboundConnector,
  organization,
  outboundConnector,
  patterns,
  policy,
} from '../../test/support/policy.ts';
import type { InboundConnector, Organization, OutboundConnector } from './policy.ts';
import { describeWeakening, findWeakenings } from './weakening.ts';

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

function weaker(before: Partial<Organization>, after: Partial<Organization>): string[] {
  return findWeakenings(policy(before), policy(after)).map(describeWeakening);
}

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
    /no longer covers \*\.bank\.test/,
  );
  assert.match(inbound({ senderDomains: patterns('*.bank.test') })[0]!, /no longer covers bank/);
  assert.match(inbound({ exceptDomains: patterns('bank.test') })[0]!, /excepts bank\.test/);
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
  assert.match(weaker({}, lax)[0]!, /the organization org sends in clear/);
});

test('an observing connector that goes, and an organization that leaves, weaken nothing', () => {
  const watching = { ...out, mode: 'observe' } as const;
  assert.deepEqual(weaker({ outboundConnectors: [watching] }, {}), []);
  const two = { ...policy(), organizations: [organization(), organization({ id: 'other' })] };
  assert.deepEqual(findWeakenings(two, policy()), []);
});
