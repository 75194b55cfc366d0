/** Recipients that another server keeps: where their mail goes, and what is required on the way. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  acceptedDomain,
  address,
  deliveryTarget,
  outboundConnector,
  patterns,
  policy,
} from '../../test/support/policy.ts';
import { chooseOutbound } from './choose-outbound.ts';
import { isInside } from './delivery-target.ts';
import { findWeakened, floorFor, requirementOf } from './floor.ts';
import type { DeliveryTarget } from './policy.ts';
import type { Clause } from './tls-requirement.ts';

const elsewhere = { kind: 'host', host: 'mail.inner.test', port: 25 } as const;

function decide(target: DeliveryTarget, to = 'ann@example.test') {
  const value = policy({
    acceptedDomains: [
      acceptedDomain('example.test', { deliveryTarget: 'store', recipients: { kind: 'verify' } }),
      acceptedDomain('plain.test'),
    ],
    deliveryTargets: [target],
    outboundConnectors: [
      outboundConnector('all', { recipientDomains: patterns('*'), tlsSettings: 'EncryptionOnly' }),
      outboundConnector('idle', { enabled: false, recipientDomains: patterns('example.test') }),
    ],
  });
  return chooseOutbound(value, 'org', address(to));
}

describe('hand-over', () => {
  it('takes what is no mailbox here, and no connector wins over it', () => {
    const decision = decide(deliveryTarget('store'));
    assert.equal(decision.destination.kind, 'hand-over');
    assert.equal(decision.connector, null);
    assert.deepEqual(decision.requirement.clauses, []);
    assert.deepEqual(
      decision.considered.map(({ connector, result, reason }) => [connector, result, reason]),
      [
        ['all', 'lost', 'the delivery target "store" keeps the mailboxes of example.test'],
        ['idle', 'lost', 'it is off'],
      ],
    );
  });

  it('leaves mailboxes here and other domains alone', () => {
    const target = deliveryTarget('store');
    assert.equal(decide(target, 'user@example.test').destination.kind, 'mailbox');
    assert.equal(decide(target, 'nobody@plain.test').destination.kind, 'none');
    assert.equal(decide(target, 'ann@else.test').connector, 'all');
  });

  it('never goes by connector or MX where the target is gone: mail waits', () => {
    const { destination } = decide(deliveryTarget('another'));
    assert.ok(destination.kind === 'none' && !destination.isPermanent);
    assert.match(destination.reason, /no delivery target "store"/);
  });

  it('requires what the target says, with the target as origin', () => {
    const decision = decide(
      deliveryTarget('store', {
        address: elsewhere,
        tlsSettings: 'DomainValidation',
        tlsDomains: patterns('mail.inner.test'),
        anchors: 'file:/ca.pem',
        minVersion: 'TLSv1.3',
        clientCertificate: 'own',
      }),
    );
    const { clauses } = decision.requirement;
    assert.deepEqual(
      clauses.map(({ kind }) => kind),
      ['encrypted', 'min-version', 'trust-anchors', 'name'],
    );
    assert.ok(
      clauses.every(({ origin }) => origin.kind === 'delivery-target' && origin.name === 'store'),
    );
    assert.deepEqual([decision.anchors, decision.clientCertificate], ['file:/ca.pem', 'own']);
  });

  it('guesses no name: DomainValidation without one is met by nothing', () => {
    const target = deliveryTarget('store', { address: elsewhere, tlsSettings: 'DomainValidation' });
    assert.equal(decide(target).requirement.clauses.at(-1)?.kind, 'unsatisfiable');
  });
});

describe('mail to a target over a network', () => {
  it('is encrypted also where nothing is set, unless a reason is written', () => {
    const unset = decide(deliveryTarget('store', { address: elsewhere, tlsSettings: null }));
    assert.equal(unset.requirement.clauses[0]?.kind, 'encrypted');
    const target = { address: elsewhere, tlsSettings: null, clearTextReason: 'old switch' };
    assert.deepEqual(decide(deliveryTarget('store', target)).requirement.clauses, []);
  });
});

describe('what never leaves this machine', () => {
  it('is a Unix socket, a loopback address or localhost, and nothing else', () => {
    const host = (name: string) => isInside({ kind: 'host', host: name });
    assert.ok(isInside({ kind: 'unix', path: '/run/lmtp' }));
    for (const name of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', 'localhost']) {
      assert.ok(host(name), name);
    }
    for (const name of ['10.0.0.1', '0.0.0.0', '::', 'localhost.example.test', '128.0.0.1']) {
      assert.ok(!host(name), name);
    }
    // Names that some programs read as loopback; we ask DNS for them.
    for (const name of ['0x7f000001', '127.0x1', '0177.0x0.1', '127.1']) {
      assert.ok(!host(name), name);
    }
  });

  it('meets what a message demands of networks, but no clause of a connector', () => {
    const ofMessage: Clause = { kind: 'encrypted', origin: { kind: 'dsn', name: 'x' } };
    const ofConnector: Clause = { kind: 'encrypted', origin: { kind: 'connector', name: 'c' } };
    const inside = decide(deliveryTarget('store'));
    assert.deepEqual(requirementOf(inside, [ofMessage]).clauses, []);
    assert.deepEqual(findWeakened(floorFor(inside, [ofMessage]), inside.requirement), []);
    assert.equal(findWeakened(floorFor(inside, [ofConnector]), inside.requirement).length, 1);
    const outside = decide(deliveryTarget('store', { address: elsewhere, clearTextReason: 'old' }));
    assert.deepEqual(requirementOf(outside, [ofMessage]).clauses, [ofMessage]);
  });
});
