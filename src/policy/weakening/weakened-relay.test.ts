/** Who may newly relay as an organization's own server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inboundConnector, patterns } from '../../../test/support/policy.ts';
import { weaker } from '../../../test/support/weaker.ts';
import type { InboundConnector } from '../policy.ts';

const own = inboundConnector('own', {
  connectorType: 'OnPremises',
  tlsSenderCertificateNames: patterns('hub.example.test'),
  pins: ['k1'],
  anchors: 'file:/own.pem',
});

function changed(part: Partial<InboundConnector>, before: InboundConnector = own): string[] {
  return weaker({ inboundConnectors: [before] }, { inboundConnectors: [{ ...before, ...part }] });
}

test('a certificate that must show less', () => {
  assert.match(changed({ pins: [] })[0]!, /no longer requires a certificate with the pinned key/);
  assert.match(changed({ pins: ['k1', 'k2'] })[0]!, /pinned key/);
  const named = { ...own, pins: [] };
  assert.match(changed({ anchors: 'bundled' }, named)[0]!, /trusted CA \(file:\/own\.pem\)/);
  assert.match(changed({ acceptServerAuthOnly: true }, named)[0]!, /no longer requires a cert/);
  const names = patterns('hub.example.test', 'hub2.example.test');
  assert.match(changed({ tlsSenderCertificateNames: names }, named)[0]!, /for hub\.example\.test/);
  assert.match(changed({ senderIPAddresses: ['192.0.2.0/24'] })[0]!, /lets relay 192\.0\.2\.0\/24/);
});

test('a certificate that must show more', () => {
  const named = { ...own, pins: [] };
  assert.deepEqual(changed({ pins: ['k1'] }, named), []);
  assert.deepEqual(
    changed({ acceptServerAuthOnly: false }, { ...named, acceptServerAuthOnly: true }),
    [],
  );
  const ranged = { ...own, senderIPAddresses: ['192.0.2.0/24'] };
  assert.deepEqual(changed({ senderIPAddresses: ['192.0.2.7/32'] }, ranged), []);
  assert.deepEqual(changed({ pins: [], tlsSenderCertificateNames: [] }, ranged), []);
});

test('a key in the place of a name: any certificate with it may relay, also one for no name of ours', () => {
  const named = { ...own, pins: [] };
  const byKey = { tlsSenderCertificateNames: [], pins: ['k1'] };
  assert.match(
    changed(byKey, named)[0]!,
    /no longer requires .* a certificate for hub\.example\.test/,
  );
  assert.match(
    changed(byKey)[0]!,
    /no longer requires a certificate that leads .*, a certificate for hub\.example\.test of servers/,
  );
  const keyOnly = { ...named, ...byKey };
  assert.deepEqual(
    changed({ tlsSenderCertificateNames: own.tlsSenderCertificateNames }, keyOnly),
    [],
  );
  const wildcard = { tlsSenderCertificateNames: patterns('*.example.test') };
  assert.match(changed(wildcard, keyOnly)[0]!, /lets relay \*\.example\.test under any MAIL FROM/);
  assert.match(changed({ anchors: 'bundled' })[0]!, /trusted CA \(file:\/own\.pem\)/);
  assert.deepEqual(changed({ anchors: 'bundled' }, keyOnly), [], 'nothing is led to anchors');
});

test('servers that are newly believed', () => {
  assert.match(changed({ cloudServicesMailEnabled: true })[0]!, /CrossPremises/);
  assert.match(
    changed({ treatMessagesAsInternal: true })[0]!,
    /takes mail of its servers for internal/,
  );
  assert.deepEqual(
    changed({ treatMessagesAsInternal: false }, { ...own, treatMessagesAsInternal: true }),
    [],
  );
});
