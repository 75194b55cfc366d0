/** Domains that another organization has now, or the same under another id. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acceptedDomain,
  inboundConnector,
  outboundConnector,
  patterns,
} from '../../../test/support/policy.ts';
import { rule, requireTls } from '../../../test/support/rules.ts';
import { weakerAll } from '../../../test/support/weaker.ts';
import type { Organization } from '../policy.ts';

const strict = inboundConnector('in', { senderDomains: patterns('bank.test'), requireTls: true });
const out = outboundConnector('out', {
  recipientDomains: patterns('bank.test'),
  tlsSettings: 'EncryptionOnly',
});
const bound = { inboundConnectors: [strict], outboundConnectors: [out] };
const old = { id: 'old', mailboxes: [], ...bound } satisfies Partial<Organization>;
const other = { id: 'other', mailboxes: [], acceptedDomains: [acceptedDomain('other.test')] };

test('an organization under another id, without its connectors and rules', () => {
  assert.deepEqual(weakerAll([old], [{ ...old, id: 'new' }]), []);
  const found = weakerAll(
    [{ ...old, rules: [rule('R', { actions: [requireTls] })] }],
    [{ id: 'new', mailboxes: [] }],
  );
  const was = String.raw`\(example\.test was of old\)`;
  assert.match(
    found.join('\n'),
    new RegExp(
      `of new no longer restricts mail of bank.test as "in" of old did ${was}|new no longer restricts mail of bank.test as "in" of old did ${was}`,
    ),
  );
  assert.match(
    found.join('\n'),
    new RegExp(`new sends mail to bank.test without a connector .* ${was}`),
  );
  assert.match(found.join('\n'), new RegExp(`new no longer has the rule "R" ${was}`));
});

test('a domain of an organization that another one takes over', () => {
  const both = [acceptedDomain('example.test'), acceptedDomain('moved.test')];
  const before = [{ ...old, acceptedDomains: both }, other];
  const moved = {
    ...other,
    acceptedDomains: [...other.acceptedDomains, acceptedDomain('moved.test')],
  };
  assert.match(weakerAll(before, [old, moved])[0]!, /\(moved\.test was of old\)/);
  assert.deepEqual(weakerAll(before, [old, { ...moved, ...bound }]), []);
  assert.deepEqual(weakerAll(before, [old, other]), [], 'nobody takes its mail any more');
});

test('a domain that is yet to be proven counts as if it were', () => {
  const acceptedDomains = [acceptedDomain('example.test', { isProven: false })];
  const found = weakerAll([old], [{ id: 'new', mailboxes: [], acceptedDomains }]);
  assert.match(found.join('\n'), /no longer restricts mail of bank\.test/);
});

test('a subdomain that is named apart leaves what names the domain above', () => {
  const relay = acceptedDomain('example.test', { type: 'internal-relay', matchSubDomains: true });
  const only = {
    ...old,
    inboundConnectors: [{ ...strict, associatedAcceptedDomains: ['example.test'] }],
  };
  const found = weakerAll(
    [{ ...only, acceptedDomains: [relay] }],
    [{ ...only, acceptedDomains: [relay, acceptedDomain('sub.example.test')] }],
  );
  assert.match(
    found[0]!,
    /"in" of old no longer restricts mail of bank\.test to sub\.example\.test/,
  );
});

test('an organization that is new, and its servers', () => {
  const own = inboundConnector('own', {
    connectorType: 'OnPremises',
    senderIPAddresses: ['192.0.2.0/24'],
  });
  const servers = { ...other, inboundConnectors: [own] };
  assert.match(weakerAll([old], [old, servers])[0]!, /"own" of other lets relay 192\.0\.2\.0\/24/);
  assert.deepEqual(weakerAll([servers], [{ ...servers, id: 'renamed' }]), []);
});
