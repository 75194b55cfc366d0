/** Own servers that an OnPremises connector restricted, and that are anybody now. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inboundConnector, patterns } from '../../../test/support/policy.ts';
import { weaker, weakerAll } from '../../../test/support/weaker.ts';
import type { InboundConnector } from '../policy.ts';

const own = inboundConnector('own', {
  connectorType: 'OnPremises',
  requireTls: true,
  senderIPAddresses: ['192.0.2.0/24'],
  tlsSenderCertificateNames: patterns('*.example.test'),
});

function changed(
  part: Partial<InboundConnector>,
  beside: readonly InboundConnector[] = [],
  before: InboundConnector = own,
): string[] {
  return weaker(
    { inboundConnectors: [before, ...beside] },
    { inboundConnectors: [{ ...before, ...part }, ...beside] },
  );
}

const gone = /"own" of org no longer restricts servers at 192\.0\.2\.0, since it no longer knows/;

test('fewer addresses: who is there is anybody, and need not meet what was demanded', () => {
  assert.match(changed({ senderIPAddresses: [] })[0]!, gone);
  assert.match(changed({ senderIPAddresses: ['192.0.2.128/25'] })[0]!, gone);
  assert.deepEqual(changed({ senderIPAddresses: ['192.0.2.0/25', '192.0.2.128/25'] }), []);
  const demands: Partial<InboundConnector>[] = [
    { restrictDomainsToCertificate: true },
    { postQuantum: 'require' },
  ];
  for (const demand of demands) {
    const before = { ...own, requireTls: false, ...demand };
    assert.match(changed({ senderIPAddresses: [] }, [], before)[0]!, gone);
  }
});

test('what demanded nothing, or only watched, is missed by nobody', () => {
  assert.deepEqual(changed({ senderIPAddresses: [] }, [], { ...own, requireTls: false }), []);
  for (const part of [{ mode: 'observe' }, { mode: 'warn' }, { enabled: false }] as const) {
    assert.deepEqual(changed({ senderIPAddresses: [] }, [], { ...own, ...part }), []);
  }
});

test('another connector that knows the addresses', () => {
  const beside = { ...own, name: 'z', tlsSenderCertificateNames: [] };
  assert.deepEqual(changed({ senderIPAddresses: [] }, [beside]), []);
  const part = { ...beside, senderIPAddresses: ['192.0.2.0/25'] };
  assert.match(changed({ senderIPAddresses: [] }, [part])[0]!, /servers at 192\.0\.2\.128, since/);
  const lax = changed({ senderIPAddresses: [] }, [{ ...beside, requireTls: false }]);
  assert.match(lax[0]!, /192\.0\.2\.0, since "z" knows them first and no longer requires encrypt/);
  const watching = changed({ senderIPAddresses: [] }, [{ ...beside, mode: 'observe' }]);
  assert.match(watching[0]!, /since "z" knows them first and does not enforce anything/);
});

test('fewer certificates', () => {
  const expected = /"own" of org no longer restricts servers by certificates that it knew/;
  const two = { ...own, tlsSenderCertificateNames: patterns('a.example.test', 'b.example.test') };
  const one = { tlsSenderCertificateNames: patterns('a.example.test') };
  assert.match(changed(one, [], two)[0]!, expected);
  assert.match(changed({ tlsSenderCertificateNames: [] })[0]!, expected);
  assert.match(changed({ pins: ['k1'] })[0]!, expected);
  const other = { ...own, name: 'z', senderIPAddresses: [] };
  assert.deepEqual(changed(one, [other], two), []);
  assert.match(changed(one, [{ ...other, requireTls: false }], two)[0]!, expected);
  assert.deepEqual(changed(one, [], { ...two, requireTls: false }), []);
});

test('a connector that is for partners now', () => {
  const found = changed({
    connectorType: 'Partner',
    senderDomains: patterns('bank.test'),
    senderIPAddresses: [],
  });
  assert.match(found[0]!, /servers at 192\.0\.2\.0, since it is for partners now/);
  assert.match(found[1]!, /by certificates that it knew, since it is for partners now/);
});

test('a connector that is gone or asks for less is told once', () => {
  assert.equal(weaker({ inboundConnectors: [own] }, {}).length, 1);
  assert.equal(changed({ requireTls: false, senderIPAddresses: [] }).length, 1);
});

test('a domain that another organization has now, which does not know the servers', () => {
  const old = { id: 'old', mailboxes: [], inboundConnectors: [own] };
  const found = weakerAll([old], [{ id: 'new', mailboxes: [] }]);
  assert.match(
    found.join('\n'),
    /new no longer restricts servers at 192\.0\.2\.0 as "own" of old did \(example\.test was of old\)/,
  );
  assert.deepEqual(weakerAll([old], [{ ...old, id: 'new' }]), []);
});

test('a weaker connector that newly names a server closer comes before one that demanded more', () => {
  const weak = { ...own, name: 'z', requireTls: false, senderIPAddresses: [] };
  const before = { inboundConnectors: [own, weak] };
  const change = (part: Partial<InboundConnector>): string[] =>
    weaker(before, { inboundConnectors: [own, { ...weak, ...part }] });
  const expected = /"z" of org knows servers closer than "own" and no longer requires encryption/;
  assert.match(change({ pins: ['k1'] })[0]!, expected);
  assert.match(change({ tlsSenderCertificateNames: patterns('hub.example.test') })[0]!, expected);
  assert.deepEqual(change({ tlsSenderCertificateNames: [], senderIPAddresses: [] }), []);
  assert.deepEqual(change({ pins: ['k1'], requireTls: true }), []);
});
