/** Who vouches for a header, and what we state of a message. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, inboundConnector, outboundConnector, policy } from '../../test/support/policy.ts';
import { judgeArrival } from './arrival.ts';
import type { ArrivalOrigin, Attributed } from './arrival.ts';
import type { InboundConnector, Organization } from './policy.ts';

const onPremises = { connectorType: 'OnPremises' } as const;
const hybrid = inboundConnector('hybrid', { ...onPremises, cloudServicesMailEnabled: true });
const internal = inboundConnector('internal', { ...onPremises, treatMessagesAsInternal: true });

const byCertificate = (connector: InboundConnector): ArrivalOrigin => ({
  kind: 'originating',
  connector: connector.name,
  by: 'certificate',
});
const nobodys: ArrivalOrigin = { kind: 'incoming', connector: null, by: null };

/** What comes by `connector`, which is configured unless `organization` says what is. */
function judge(
  connector: InboundConnector | null,
  part: Partial<Attributed> = {},
  organization: Partial<Organization> = {
    inboundConnectors: connector === null ? [] : [connector],
  },
) {
  return judgeArrival(policy(organization), {
    organization: 'org',
    origin: connector === null ? nobodys : byCertificate(connector),
    reversePath: address('a@example.test'),
    ...part,
  });
}

const listed = { inboundConnectors: [hybrid] };

test('a stranger is believed nothing, and comes in anonymous', () => {
  assert.deepEqual(judge(null, {}, listed), {
    trust: 'stranger',
    keepsOriginatorOrg: false,
    statement: { direction: 'Incoming', authAs: 'Anonymous' },
  });
});

test('a Partner connector grants no trust, whatever else is set on it', () => {
  const partner = inboundConnector('partner', {
    cloudServicesMailEnabled: true,
    treatMessagesAsInternal: true,
  });
  assert.deepEqual(judge(partner), {
    trust: 'stranger',
    keepsOriginatorOrg: false,
    statement: { direction: 'Incoming', authAs: 'Anonymous' },
  });
});

test('an OnPremises connector without cloudServicesMailEnabled gives relay, not trust in headers', () => {
  const plain = inboundConnector('plain', onPremises);
  assert.deepEqual(judge(plain, {}, { inboundConnectors: [plain, hybrid] }), {
    trust: 'stranger',
    keepsOriginatorOrg: false,
    statement: { direction: 'Originating', authAs: 'Anonymous' },
  });
});

test('the other side is trusted; its own word alone makes mail internal', () => {
  assert.deepEqual(judge(hybrid), {
    trust: 'cross-premises',
    keepsOriginatorOrg: true,
    statement: { direction: 'Originating', authAs: 'Anonymous' },
  });
  const both = { ...hybrid, treatMessagesAsInternal: true };
  assert.equal(judge(both).statement?.authAs, 'Anonymous');
});

test('X-OriginatorOrg needs a proven certificate, not an address', () => {
  const origin = { ...byCertificate(hybrid), by: 'address' } as const;
  assert.equal(judge(hybrid, { origin }).keepsOriginatorOrg, false);
});

test('treatMessagesAsInternal: from our own domains only', () => {
  const authAs = (reversePath: Attributed['reversePath']): string | undefined =>
    judge(internal, { reversePath }).statement?.authAs;
  assert.equal(authAs(address('a@example.test')), 'Internal');
  assert.equal(authAs(address('a@elsewhere.test')), 'Anonymous');
  assert.equal(authAs(address('a@sub.example.test')), 'Anonymous');
  assert.equal(authAs(null), 'Anonymous');
});

test('an account of ours is internal, and an inbound connector changes nothing about it', () => {
  for (const connector of [null, hybrid.name]) {
    const origin = { kind: 'originating', connector, by: 'account' } as const;
    assert.deepEqual(judge(null, { origin }, listed), {
      trust: 'submitter',
      keepsOriginatorOrg: false,
      statement: { direction: 'Originating', authAs: 'Internal' },
    });
  }
});

test('nothing is stated where nobody of the organization would read it', () => {
  const off = { ...hybrid, enabled: false };
  const offInternal = { ...internal, enabled: false };
  for (const inboundConnectors of [
    [],
    [off],
    [offInternal],
    [inboundConnector('plain', onPremises)],
  ]) {
    assert.equal(judge(null, {}, { inboundConnectors }).statement, null);
  }
  const out = outboundConnector('out', { ...onPremises, cloudServicesMailEnabled: true });
  assert.notEqual(judge(null, {}, { outboundConnectors: [out] }).statement, null);
  assert.equal(
    judge(null, {}, { outboundConnectors: [{ ...out, enabled: false }] }).statement,
    null,
  );
  assert.notEqual(judge(null, {}, { inboundConnectors: [internal] }).statement, null);
});

test('a connector that is gone, off or of another organization grants nothing', () => {
  const stranger = { trust: 'stranger', keepsOriginatorOrg: false };
  const off = { ...hybrid, enabled: false };
  for (const inboundConnectors of [[], [off], [{ ...hybrid, name: 'other' }]]) {
    const { statement, ...rest } = judge(hybrid, {}, { inboundConnectors });
    assert.deepEqual(rest, stranger);
    assert.notEqual(statement?.direction, 'Originating');
  }
  const nowhere = judge(hybrid, { organization: 'gone' });
  assert.deepEqual(nowhere, { ...stranger, statement: null });
});

test('a connector that only knows the session, without making it originating, grants nothing', () => {
  const origin = { ...byCertificate(hybrid), kind: 'incoming' } as const;
  assert.deepEqual(judge(hybrid, { origin }), {
    trust: 'stranger',
    keepsOriginatorOrg: false,
    statement: { direction: 'Incoming', authAs: 'Anonymous' },
  });
});
