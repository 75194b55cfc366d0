/** Mail that Partner connectors restricted, and restrict less. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedDomain, inboundConnector, patterns } from '../../../test/support/policy.ts';
import { weaker } from '../../../test/support/weaker.ts';
import type { InboundConnector, Organization } from '../policy.ts';

const strict = inboundConnector('A', {
  senderDomains: patterns('bank.test'),
  requireTls: true,
  restrictDomainsToCertificate: true,
  tlsSenderCertificateNames: patterns('mx.bank.test'),
});
const weak = inboundConnector('B', { senderDomains: patterns('bank.test'), requireTls: true });
const two: Partial<Organization> = {
  acceptedDomains: [acceptedDomain('example.test'), acceptedDomain('other.test')],
};

/** `A` beside `B`, which is changed. */
function opened(
  part: Partial<InboundConnector>,
  change: Partial<InboundConnector>,
  beside: Partial<InboundConnector> = {},
): string[] {
  const a = { ...strict, ...beside };
  const b = { ...weak, ...part };
  const before = { ...two, inboundConnectors: [a, b] };
  const after = { ...two, inboundConnectors: [a, { ...b, ...change }] };
  assert.deepEqual(weaker(after, before), [], 'the way back is no weakening');
  assert.deepEqual(weaker(before, before), []);
  return weaker(before, after);
}

test('a weaker alternative opens as its scope widens', () => {
  const isAnother = /"B" of org is another way for (\S+).* beside "A": no longer requires a cert/;
  const narrowed = opened({ senderIPAddresses: ['198.51.100.0/24'] }, { senderIPAddresses: [] });
  assert.match(narrowed[0]!, isAnother);
  const scoped = opened(
    { associatedAcceptedDomains: ['other.test'] },
    { associatedAcceptedDomains: [] },
    { associatedAcceptedDomains: ['example.test'] },
  );
  assert.match(scoped[0]!, isAnother);
  const excepted = opened(
    { senderDomains: patterns('*'), exceptDomains: patterns('bank.test') },
    { exceptDomains: [] },
    { senderDomains: patterns('*') },
  );
  assert.match(excepted[0]!, isAnother);
  const header = opened({}, { alsoHeaderFrom: true }, { alsoHeaderFrom: true });
  assert.match(header[0]!, /another way for bank\.test in From beside "A"/);
  const moved = opened(
    { senderDomains: patterns('other.test') },
    { senderDomains: weak.senderDomains },
  );
  assert.match(moved[1]!, isAnother);
  const watching = { ...weak, mode: 'observe' } as const;
  const enforced = weaker(
    { inboundConnectors: [strict, watching] },
    { inboundConnectors: [strict, weak] },
  );
  assert.match(enforced[0]!, isAnother);
});

test('an alternative that is excepted where no other asks', () => {
  const lax = { ...weak, senderDomains: patterns('*'), exceptDomains: patterns('bank.test') };
  const a = { ...strict, senderDomains: patterns('*') };
  const more = { ...lax, name: 'C', exceptDomains: [] };
  const found = weaker({ inboundConnectors: [a, lax] }, { inboundConnectors: [a, lax, more] });
  assert.match(found[0]!, /"C" of org is another way for bank\.test beside "A"/);
});

test('a connector that joins a weaker one under a wider pattern', () => {
  const wide = { ...weak, senderDomains: patterns('*.bank.test') };
  const change = (before: InboundConnector[], after: InboundConnector[]): string[] =>
    weaker({ inboundConnectors: before }, { inboundConnectors: after });
  const wider = { ...strict, senderDomains: patterns('*.bank.test') };
  assert.deepEqual(change([strict], [wider]), [], '*.bank.test covers bank.test');
  assert.match(
    change([strict, wide], [wider, wide])[0]!,
    /"B" of org is another way for bank\.test/,
  );
});

test('a connector that concerns less mail, and another that takes its place', () => {
  const lost = (part: Partial<InboundConnector>, ...others: InboundConnector[]): string[] =>
    weaker(
      { ...two, inboundConnectors: [strict, ...others] },
      { ...two, inboundConnectors: [{ ...strict, ...part }, ...others] },
    );
  const gone = /"A" of org no longer restricts mail of bank\.test.*, since it/;
  assert.match(lost({ senderIPAddresses: ['192.0.2.0/25'] })[0]!, gone);
  assert.match(lost({ associatedAcceptedDomains: ['other.test'] })[0]!, gone);
  assert.match(lost({ exceptDomains: patterns('*') })[0]!, gone);
  assert.match(lost({ connectorType: 'OnPremises' })[0]!, /it is for own servers now/);
  const wide = { ...strict, name: 'W', senderDomains: patterns('*') };
  assert.deepEqual(lost({ exceptDomains: patterns('*') }, wide), []);
  assert.deepEqual(lost({ senderIPAddresses: ['192.0.2.0/25'] }, wide), []);
  const half = { ...wide, senderIPAddresses: ['192.0.2.0/25'] };
  const change = (before: InboundConnector, after: InboundConnector): string[] =>
    weaker({ inboundConnectors: [before, half] }, { inboundConnectors: [after, half] });
  const narrowed = { ...strict, senderIPAddresses: ['192.0.2.0/24'] };
  const found = change(narrowed, { ...narrowed, senderDomains: patterns('x.test') });
  assert.deepEqual(found.length, 1);
  assert.match(found[0]!, /mail of bank\.test from 192\.0\.2\.128, since/);
});

test('addresses that narrow a connector to all of them hide nothing', () => {
  const senderIPAddresses = ['0.0.0.0/0', '::/0'];
  for (const senderDomains of [patterns('other.test'), patterns('bank.test')]) {
    const narrowed = { ...weak, senderDomains, senderIPAddresses };
    const found = weaker(
      { inboundConnectors: [strict, narrowed] },
      { inboundConnectors: [{ ...strict, exceptDomains: strict.senderDomains }, narrowed] },
    );
    assert.match(found[0]!, /"A" of org no longer restricts mail of bank\.test/);
  }
});

test('a connector that is weaker and one that is another way are both told', () => {
  const pinned = { ...strict, tlsSenderCertificateNames: [], pins: ['k1'] };
  const found = weaker(
    { inboundConnectors: [pinned] },
    { inboundConnectors: [{ ...pinned, pins: ['k1', 'k2'] }, weak] },
  );
  assert.equal(found.length, 2);
  assert.match(found[0]!, /"A" of org no longer requires a certificate with the pinned key/);
  assert.match(found[1]!, /"B" of org is another way for bank\.test beside "A"/);
});

test('own domains as MAIL FROM from outside', () => {
  const own = inboundConnector('own', {
    senderDomains: patterns('example.test'),
    senderIPAddresses: ['0.0.0.0/0'],
  });
  const expected = /"own" of org lets in MAIL FROM of our own domain example\.test.* from outside/;
  assert.match(weaker({}, { inboundConnectors: [own] })[0]!, expected);
  const wide = { ...own, senderDomains: patterns('*') };
  assert.match(weaker({}, { inboundConnectors: [wide] })[0]!, expected);
  const before = { inboundConnectors: [{ ...own, senderIPAddresses: ['192.0.2.0/24'] }] };
  assert.match(weaker(before, { inboundConnectors: [own] })[0]!, expected);
  assert.deepEqual(weaker({ inboundConnectors: [own] }, before), []);
  assert.deepEqual(weaker({}, { inboundConnectors: [{ ...own, mode: 'observe' }] }), []);
  const open = { rejectDirectSend: false };
  assert.deepEqual(weaker(open, { ...open, inboundConnectors: [own] }), []);
});

test('addresses: a part of those before is stricter', () => {
  const limited = {
    ...weak,
    restrictDomainsToIPAddresses: true,
    senderIPAddresses: ['192.0.2.0/24'],
  };
  const change = (...senderIPAddresses: string[]): string[] =>
    weaker(
      { inboundConnectors: [limited] },
      { inboundConnectors: [{ ...limited, senderIPAddresses }] },
    );
  assert.deepEqual(change('192.0.2.1/32'), []);
  assert.deepEqual(change('192.0.2.0/25', '192.0.2.128/25'), []);
  assert.match(change('192.0.2.0/23')[0]!, /also takes mail from 192\.0\.2\.0\/23/);
});

test('a client certificate that may no longer be of a server only', () => {
  const either = { ...strict, acceptServerAuthOnly: true };
  assert.deepEqual(weaker({ inboundConnectors: [either] }, { inboundConnectors: [strict] }), []);
  assert.match(
    weaker({ inboundConnectors: [strict] }, { inboundConnectors: [either] })[0]!,
    /no longer requires a certificate that leads/,
  );
});
