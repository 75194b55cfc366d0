import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outboundConnector, patterns } from '../../../test/support/policy.ts';
import type { OutboundConnector } from '../policy.ts';
import { wayOf } from './way.ts';

const base: Partial<OutboundConnector> = {
  recipientDomains: patterns('a.test', 'b.test'),
  tlsSettings: 'DomainValidation',
  tlsDomains: patterns('mx.a.test'),
};
const isSame = (part: Partial<OutboundConnector>): boolean =>
  wayOf(outboundConnector('c', base)) === wayOf(outboundConnector('c', { ...base, ...part }));

test('routing, TLS and names make another way', () => {
  const route = { kind: 'smart-hosts', hosts: [{ host: 'hub.test', port: 25 }] } as const;
  for (const part of [
    { route },
    { recipientDomains: patterns('a.test') },
    { tlsSettings: 'EncryptionOnly' },
    { tlsDomains: patterns('*.a.test') },
    { pins: ['x'] },
    { anchors: 'system' },
    { minVersion: 'TLSv1.3' },
    { postQuantum: 'require' },
    { clientCertificate: 'client' },
    { allAcceptedDomains: true },
    { clearTextAfterFailedTls: true },
  ] as const) {
    assert.equal(isSame(part), false, JSON.stringify(part));
  }
});

test('whose word it is does not: who validates a draft and puts it in force has validated it', () => {
  const hosts = [{ host: 'hub.test', port: 25 }];
  const route = { kind: 'smart-hosts', hosts } as const;
  const theirs = {
    kind: 'smart-hosts',
    hosts: hosts.map((host) => ({ ...host, setBy: 'organization' as const })),
  } as const;
  assert.equal(
    wayOf(outboundConnector('c', { ...base, route })),
    wayOf(outboundConnector('c', { ...base, route: theirs })),
  );
});

test('the rest does not', () => {
  for (const part of [
    { comment: 'x', owner: 'ann', reviewDate: '2027-01-01' },
    { mode: 'observe' },
    { recipientDomains: patterns('b.test', 'a.test') },
  ] as const) {
    assert.equal(isSame(part), true, JSON.stringify(part));
  }
});
