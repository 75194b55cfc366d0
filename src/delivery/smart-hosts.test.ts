/** What a smart host may be: a host, a name that MX leads on from, one address or a range of them. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import {
  delivery,
  onlyRoute,
  outcomesOf,
  partnerTls,
  startRig,
  toPartner,
} from '../../test/support/delivery-rig.ts';
import type { Rig, RigOptions } from '../../test/support/delivery-rig.ts';
import { removeDirectory } from '../../test/support/tls-ends.ts';
import type { FakeEntry } from '../dns/fake-zone.ts';
import type { Outcome } from '../policy/outcome.ts';
import type { GuardSettings } from './services.ts';

after(removeDirectory);

type Zone = Readonly<Record<string, FakeEntry>>;

async function rigTo(t: TestContext, hosts: readonly string[], rest: RigOptions): Promise<Rig> {
  const route = { kind: 'smart-hosts', hosts: hosts.map((host) => ({ host, port: 25 })) } as const;
  const rig = await startRig({ connectors: [toPartner({ route })], ...rest });
  t.after(() => rig.close());
  return rig;
}

async function attempt(rig: Rig): Promise<{ outcome: Outcome; tried: string[] }> {
  const report = await rig.room.attempt(delivery());
  const tried = onlyRoute(report).candidates.map(
    ({ hostName, address }) => `${hostName} ${address ?? '-'}`,
  );
  return { outcome: outcomesOf(report)[0]!, tried };
}

/** `in.test` has MX records and no address. */
const mxOnly: Zone = {
  'in.test': {
    mx: [
      { preference: 20, exchange: 'two.in.test' },
      { preference: 10, exchange: 'one.in.test' },
    ],
  },
  'one.in.test': { a: ['192.0.2.1'] },
  'two.in.test': { a: ['192.0.2.2'] },
};

test('a name without addresses leads to its MX hosts, by preference, then to the next smart host', async (t) => {
  const rig = await rigTo(t, ['in.test', '192.0.2.3'], { zone: mxOnly });
  const third = await rig.partner('192.0.2.3', { tls: partnerTls.trusted });
  const { outcome, tried } = await attempt(rig);
  assert.equal(outcome.kind, 'delivered', outcome.reason);
  const expected = ['one.in.test 192.0.2.1', 'two.in.test 192.0.2.2', '192.0.2.3 192.0.2.3'];
  assert.deepEqual(tried, expected);
  assert.equal(third.messages.length, 1);
});

test('the MX host is the one that is named in the handshake', async (t) => {
  const rig = await rigTo(t, ['in.test'], { zone: mxOnly });
  const one = await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
  await attempt(rig);
  assert.equal(one.connections[0]!.tls!.sni, 'one.in.test');
});

test('a name with addresses is the host itself, whatever MX it has', async (t) => {
  const zone = { ...mxOnly, 'in.test': { ...mxOnly['in.test'], a: ['192.0.2.3'] } };
  const rig = await rigTo(t, ['in.test'], { zone });
  await rig.partner('192.0.2.3', { tls: partnerTls.trusted });
  assert.deepEqual((await attempt(rig)).tried, ['in.test 192.0.2.3']);
});

test('where the addresses cannot be looked up, MX does not stand in for them', async (t) => {
  const zone: Zone = {
    ...mxOnly,
    'in.test': { ...mxOnly['in.test'], failures: { A: 'servfail', AAAA: 'servfail' } },
  };
  const rig = await rigTo(t, ['in.test'], { zone });
  const { outcome, tried } = await attempt(rig);
  assert.deepEqual(tried, ['in.test -']);
  assert.equal(outcome.kind, 'deferred');
  assert.match(outcome.reason, /DNS query failed/);
});

for (const [fact, entry, reason] of [
  ['neither addresses nor MX', { txt: [] }, /in\.test has no address/],
  ['a null MX', { mx: [{ preference: 0, exchange: '' }] }, /takes no mail \(null MX\)/],
  ['an MX that is this gateway', { mx: [{ preference: 1, exchange: 'mx.example.test' }] }, /this/],
  ['an MX that names no host', { mx: [{ preference: 1, exchange: '192.0.2.1' }] }, /names a host/],
] as const) {
  test(`a name with ${fact} defers, it never bounces, and the next smart host is tried`, async (t) => {
    const zone: Zone = { 'in.test': entry };
    const rig = await rigTo(t, ['in.test'], { zone });
    const { outcome } = await attempt(rig);
    assert.equal(outcome.kind, 'deferred');
    assert.match(outcome.reason, reason);
    const other = await rigTo(t, ['in.test', '192.0.2.3'], { zone });
    await other.partner('192.0.2.3', { tls: partnerTls.trusted });
    assert.equal((await attempt(other)).outcome.kind, 'delivered');
  });
}

test('what MX names is judged as the word of DNS, also where the file set the smart host', async (t) => {
  const zone: Zone = {
    'in.test': { mx: [{ preference: 10, exchange: 'one.in.test' }] },
    'one.in.test': { a: ['10.1.2.3'] },
    'direct.test': { a: ['10.1.2.3'] },
  };
  const guard: GuardSettings = { allow: [], allowPorts: [], smartHostsSetBy: 'gateway' };
  const rig = await rigTo(t, ['in.test', 'direct.test'], { zone, services: { guard } });
  await rig.partner('10.1.2.3', { tls: partnerTls.trusted });
  const report = await rig.room.attempt(delivery());
  const [byMx, direct] = onlyRoute(report).candidates;
  assert.deepEqual([byMx!.address, byMx!.verdict.kind], [null, 'not-judged']);
  assert.match(JSON.stringify(byMx!.verdict), /network\.allow does not list it/);
  assert.equal(direct!.verdict.kind, 'proceed');
});

const toRule = { connector: 'to partner', rule: 'R', overrides: [], clauses: [] } as const;
for (const [way, part, ruling] of [
  ['by its domain', {}, {}],
  ['for all mail to the outside', { routeAllMessagesViaOnPremises: true }, {}],
  ['by a rule', { isTransportRuleScoped: true, recipientDomains: [] }, { ruling: toRule }],
] as const) {
  test(`an inner address that an organization's administrator named is not dialled, ${way}`, async (t) => {
    const zone: Zone = { 'direct.test': { a: ['10.1.2.3'] } };
    const guard: GuardSettings = { allow: [], allowPorts: [], smartHostsSetBy: 'gateway' };
    const hosts = [
      { host: 'direct.test', port: 25, setBy: 'organization' },
      { host: '10.1.2.3', port: 25, setBy: 'organization' },
    ] as const;
    const connectors = [toPartner({ route: { kind: 'smart-hosts', hosts }, ...part })];
    const rig = await startRig({ connectors, zone, services: { guard } });
    t.after(() => rig.close());
    await rig.partner('10.1.2.3', { tls: partnerTls.trusted });
    const { candidates } = onlyRoute(await rig.room.attempt(delivery(ruling)));
    assert.equal(candidates.length, 2);
    for (const { address, verdict } of candidates) {
      assert.deepEqual([address, verdict.kind], [null, 'not-judged']);
      assert.match(JSON.stringify(verdict), /network\.allow does not list it/);
    }
  });
}

test('each of sixteen addresses is tried, in order', async (t) => {
  const hosts = Array.from({ length: 16 }, (_, i) => `192.0.2.${16 + i}`);
  const rig = await rigTo(t, hosts, {});
  await rig.partner('192.0.2.31', { tls: partnerTls.trusted });
  const { outcome, tried } = await attempt(rig);
  assert.equal(outcome.kind, 'delivered', outcome.reason);
  assert.deepEqual(
    tried,
    hosts.map((host) => `${host} ${host}`),
  );
});

test('of more hosts than one attempt tries, later ones come in once the first are known to be dead', async (t) => {
  const hosts = Array.from({ length: 20 }, (_, i) => `192.0.2.${16 + i}`);
  const rig = await rigTo(t, hosts, {});
  await rig.partner('192.0.2.35', { tls: partnerTls.trusted });
  assert.equal((await attempt(rig)).outcome.kind, 'deferred');
  assert.equal((await attempt(rig)).outcome.kind, 'delivered');
});
