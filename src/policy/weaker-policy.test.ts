import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acceptedDomain,
  address,
  deliveryTarget,
  outboundConnector,
  patterns,
  policy,
} from '../../test/support/policy.ts';
import { planDeliveries } from './plan-deliveries.ts';
import type { OutboundConnector } from './policy.ts';
import { findWeakerPolicy } from './weaker-policy.ts';

const recipients = [address('doctor@partner.test')];

function withSettings(tlsSettings: OutboundConnector['tlsSettings']) {
  const recipientDomains = patterns('partner.test');
  const connector = outboundConnector('partner', { recipientDomains, tlsSettings });
  return policy({ outboundConnectors: [connector] });
}

const strict = withSettings('CertificateValidation');
const source = { kind: 'submission', account: 'user' } as const;
const message = { organization: 'org', source };
const accepted = { organization: 'org', recipients, clauses: [], source, evidence: null };
const [{ floor } = assert.fail()] = planDeliveries(strict, accepted);

test('nothing is lost under the policy of acceptance, under a stricter one, or without a floor', () => {
  assert.equal(findWeakerPolicy(strict, message, { recipients, floor }), null);
  const stricter = withSettings('DomainValidation');
  assert.equal(findWeakerPolicy(stricter, message, { recipients, floor }), null);
  assert.equal(findWeakerPolicy(policy(), message, { recipients, floor: [] }), null);
});

test('tells what is lost and what is left', () => {
  const weaker = findWeakerPolicy(withSettings('EncryptionOnly'), message, { recipients, floor });
  assert.deepEqual(
    weaker?.lost.map(({ kind }) => kind),
    ['trust-anchors'],
  );
  assert.deepEqual(
    weaker?.today.map(({ kind }) => kind),
    ['encrypted', 'min-version'],
  );
  assert.equal(weaker?.connector, 'partner');
});

test('a connector that is gone leaves nothing, and what the message itself demands stays', () => {
  const own = { kind: 'encrypted', origin: { kind: 'dsn', name: 'x' } } as const;
  const gone = findWeakerPolicy(policy(), message, { recipients, floor: [own, ...floor] });
  assert.equal(gone?.connector, null);
  assert.deepEqual(gone?.today, [own]);
  assert.deepEqual(
    gone?.lost.map(({ kind }) => kind),
    ['min-version', 'trust-anchors'],
  );
});

test('one recipient for whom less is demanded is enough', () => {
  const both = [...recipients, address('x@elsewhere.test')];
  assert.notEqual(findWeakerPolicy(strict, message, { recipients: both, floor }), null);
});

test('what never leaves this machine loses nothing that a message demands of networks', () => {
  const own = { kind: 'encrypted', origin: { kind: 'dsn', name: 'x' } } as const;
  const inside = policy({
    acceptedDomains: [acceptedDomain('example.test', { deliveryTarget: 'store' })],
    deliveryTargets: [deliveryTarget('store')],
  });
  const here = { recipients: [address('ann@example.test')], floor: [own] };
  assert.equal(findWeakerPolicy(inside, message, here), null);
});
