/** What one transaction may carry together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acceptedDomain,
  address,
  organization,
  outboundConnector,
  patterns,
  policy,
} from '../../test/support/policy.ts';
import { DecisionCache } from './decision-cache.ts';

test('mail to one organization inside by two connectors goes in transactions of their own', () => {
  const outboundConnectors = ['a', 'b'].map((name) =>
    outboundConnector(name, { recipientDomains: patterns(`${name}.test`) }),
  );
  const acceptedDomains = ['a.test', 'b.test'].map((domain) => acceptedDomain(domain));
  const other = organization({ id: 'other', acceptedDomains, mailboxes: [] });
  const value = { ...policy(), organizations: [organization({ outboundConnectors }), other] };
  const cache = new DecisionCache();
  const message = { organization: 'org', source: { kind: 'submission', account: 'user' } } as const;
  const decide = (to: string) => cache.decide(value, message, address(to));
  assert.equal(decide('x@a.test').destination.kind, 'organization');
  const keyFor = (to: string): string => cache.routeKeyOf(decide(to));
  assert.notEqual(keyFor('x@a.test'), keyFor('x@b.test'));
  assert.equal(keyFor('x@a.test'), keyFor('y@a.test'));
});

test('mail that may go in clear after failed TLS is not carried with mail that may not', () => {
  const central = outboundConnector('central', {
    connectorType: 'OnPremises',
    routeAllMessagesViaOnPremises: true,
    route: { kind: 'smart-hosts', hosts: [{ host: 'hub.test', port: 25 }] },
    clearTextAfterFailedTls: true,
  });
  const watch = outboundConnector('watch', {
    mode: 'observe',
    recipientDomains: patterns('bank.test'),
    tlsSettings: 'EncryptionOnly',
  });
  const value = policy({ outboundConnectors: [central, watch] });
  const cache = new DecisionCache();
  const message = { organization: 'org', source: { kind: 'submission', account: 'user' } } as const;
  const decide = (to: string) => cache.decide(value, message, address(to));
  const keyFor = (to: string): string => cache.routeKeyOf(decide(to));
  assert.equal(decide('x@else.test').clearTextAfterFailedTls, true);
  assert.equal(decide('x@bank.test').clearTextAfterFailedTls, false);
  assert.notEqual(keyFor('x@bank.test'), keyFor('x@else.test'));
  assert.equal(keyFor('x@else.test'), keyFor('x@other.test'));
});

test('mail that went astray to a rehearsal address decides nothing for its neighbours', () => {
  const domain = acceptedDomain('example.test', { type: 'internal-relay' });
  const value = policy({
    acceptedDomains: [domain],
    rehearsalAddress: address('rehearsal@example.test'),
    outboundConnectors: [
      outboundConnector('store', { recipientDomains: patterns('example.test') }),
    ],
  });
  for (const order of [
    ['rehearsal', 'bob'],
    ['bob', 'rehearsal'],
  ]) {
    const cache = new DecisionCache();
    const message = { organization: 'org', source: { kind: 'mx', inboundConnectors: [] } } as const;
    const kinds = order.map((name) => [
      name,
      cache.decide(value, message, address(`${name}@example.test`)).destination.kind,
    ]);
    assert.deepEqual(Object.fromEntries(kinds), { rehearsal: 'none', bob: 'mx' });
  }
});
