/** How connections are shared where there are not enough of them. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  delivery,
  outcomesOf,
  partnerTls,
  startRig,
  toPartner,
} from '../../test/support/delivery-rig.ts';
import { address } from '../../test/support/policy.ts';
import { removeDirectory } from '../../test/support/tls-ends.ts';

after(removeDirectory);

const mx = (exchange: string) => ({ mx: [{ preference: 10, exchange }] });

test('an idle connection elsewhere gives way where there are no more in all', async () => {
  const zone = {
    'partner.test': mx('mx.partner.test'),
    'mx.partner.test': { a: ['192.0.2.1'] },
    'other.test': mx('mx.other.test'),
    'mx.other.test': { a: ['192.0.2.2'] },
  };
  const rig = await startRig({ zone, limits: { connectionsMax: 1 } });
  const first = await rig.partner('192.0.2.1');
  const second = await rig.partner('192.0.2.2');
  for (const to of ['b@partner.test', 'b@other.test', 'b@partner.test']) {
    const report = await rig.room.attempt(delivery({ recipients: [address(to)] }));
    assert.equal(outcomesOf(report)[0]!.kind, 'delivered');
    assert.equal(rig.room.counts().connections, 1);
  }
  assert.equal(first.messages.length, 2);
  assert.equal(second.messages.length, 1);
  await rig.close();
});

test('many destinations at once share the few connections that there are', async () => {
  const domains = Array.from({ length: 12 }, (_, i) => `d${i}.test`);
  const zone = Object.fromEntries(
    domains.flatMap((domain, i) => [
      [domain, mx(`mx.${domain}`)],
      [`mx.${domain}`, { a: [`192.0.2.${i + 1}`] }],
    ]),
  );
  const rig = await startRig({ zone, limits: { connectionsMax: 3 } });
  let most = 0;
  for (const i of domains.keys()) {
    await rig.partner(`192.0.2.${i + 1}`, {
      reply: () => {
        const { connections, dialling } = rig.room.counts();
        most = Math.max(most, connections + dialling);
        return null;
      },
    });
  }
  const reports = await Promise.all(
    domains
      .concat(domains)
      .map((domain) => rig.room.attempt(delivery({ recipients: [address(`b@${domain}`)] }))),
  );
  assert(reports.every((report) => outcomesOf(report)[0]!.kind === 'delivered'));
  assert(most <= 3, `${most} connections`);
  await rig.close();
});

test('a message that no open connection is good enough for is not kept waiting by others', async () => {
  const zone = {
    'partner.test': mx('mx.partner.test'),
    'other.test': mx('mx.partner.test'),
    'mx.partner.test': { a: ['192.0.2.1'] },
  };
  const rig = await startRig({
    zone,
    connectors: [toPartner({ tlsSettings: 'CertificateValidation' })],
    limits: { connectionsPerDestinationMax: 1, patienceMs: 5 },
  });
  await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
  const load = { isDone: false };
  const senders = Array.from({ length: 4 }, async () => {
    do {
      const recipients = [address('b@other.test')];
      const [outcome] = outcomesOf(await rig.room.attempt(delivery({ recipients })));
      assert.equal(outcome!.kind, 'delivered', outcome!.reason);
    } while (!load.isDone);
  });
  await rig.room.attempt(delivery({ recipients: [address('first@other.test')] }));
  const report = await rig.room.attempt(delivery());
  assert.equal(outcomesOf(report)[0]!.kind, 'delivered', outcomesOf(report)[0]!.reason);
  load.isDone = true;
  await Promise.all(senders);
  await rig.close();
});

test('a wait that is too long defers', async () => {
  const rig = await startRig({
    zone: { 'partner.test': mx('mx.partner.test'), 'mx.partner.test': { a: ['192.0.2.1'] } },
    limits: { connectionsPerDestinationMax: 1, waitMs: 20, idleMs: 10 },
  });
  await rig.partner('192.0.2.1', { greeting: 'silence' });
  const reports = await Promise.all([rig.room.attempt(delivery()), rig.room.attempt(delivery())]);
  for (const report of reports) assert.match(outcomesOf(report)[0]!.reason, /became free in time/);
  await rig.close();
});

for (const refusal of ['452 4.5.3 too many messages sent', '421 4.7.0 too many messages here']) {
  test(`a kept connection that takes no more is given up for a new one: ${refusal}`, async () => {
    const rig = await startRig({
      zone: { 'partner.test': mx('mx.partner.test'), 'mx.partner.test': { a: ['192.0.2.1'] } },
      limits: { connectionsPerDestinationMax: 1 },
    });
    const partner = await rig.partner('192.0.2.1', {
      reply: ({ command, count }) => (command === 'MAIL' && count >= 2 ? refusal : null),
    });
    for (let count = 1; count <= 5; count += 1) {
      const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
      assert.equal(outcome!.kind, 'delivered', outcome!.reason);
    }
    assert.deepEqual(
      partner.messages.map(({ connection }) => connection),
      [0, 0, 1, 1, 2],
    );
    await rig.close();
  });
}

test('a new connection that takes nothing defers, and is not tried over and over', async () => {
  const rig = await startRig({
    zone: { 'partner.test': mx('mx.partner.test'), 'mx.partner.test': { a: ['192.0.2.1'] } },
  });
  const partner = await rig.partner('192.0.2.1', {
    reply: ({ command }) => (command === 'MAIL' ? '452 4.5.3 not now' : null),
  });
  const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
  assert.equal(outcome!.kind, 'deferred');
  assert.equal(partner.connections.length, 1);
  await rig.close();
});
