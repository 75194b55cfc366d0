/** What an attempt under way still does when a reload has put another room in its place: see `retire`. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createFakeResolver } from '../dns/fake-resolver.ts';
import type { FakePartnerOptions } from '../testing/fake-partner.ts';
import {
  delivery,
  onlyRoute,
  outcomesOf,
  partnerTls,
  partnerZone,
  singleZone,
  startRig,
  toPartner,
} from '../../test/support/delivery-rig.ts';
import type { Rig, RigOptions } from '../../test/support/delivery-rig.ts';
import { outboundConnector, patterns } from '../../test/support/policy.ts';
import { removeDirectory } from '../../test/support/tls-ends.ts';
import type { AttemptDelivery, Delivery } from '../policy/delivery.ts';
import type { Organization } from '../policy/policy.ts';

after(removeDirectory);

/** A rig whose room retires when `reload` is called; what it hands on is in `handedOn`. */
async function startReloading(t: TestContext, options: RigOptions) {
  const rig = await startRig(options);
  t.after(() => rig.close());
  const handedOn: Delivery[] = [];
  const takeOver: AttemptDelivery = ({ ...task }) => {
    handedOn.push(task);
    return Promise.resolve({ startedAtMs: 0, endedAtMs: 0, routes: [] });
  };
  const reload = (change: Partial<Organization> = {}): void => {
    rig.policy = changed(rig, change);
    void rig.room.retire(takeOver);
  };
  return { rig, reload, handedOn };
}

function changed({ policy }: Rig, change: Partial<Organization>): Rig['policy'] {
  const [organization] = policy.organizations;
  return { ...policy, revision: '2', organizations: [{ ...organization!, ...change }] };
}

/** Answers that command for good, once `hook` was called. */
function answers(wanted: string, said: string, hook: () => void): FakePartnerOptions {
  return {
    reply: ({ command }) => {
      if (command !== wanted) return null;
      hook();
      return said;
    },
  };
}

const notNow = '451 4.3.0 not now';
const encryptionOnly = { outboundConnectors: [toPartner({ tlsSettings: 'EncryptionOnly' })] };

test('the next host is not tried in clear where TLS is required now', async (t) => {
  const { rig, reload, handedOn } = await startReloading(t, { zone: partnerZone });
  await rig.partner(
    '192.0.2.1',
    answers('MAIL', notNow, () => reload(encryptionOnly)),
  );
  const second = await rig.partner('192.0.2.2');
  const report = await rig.room.attempt(delivery());
  assert.equal(outcomesOf(report)[0]!.kind, 'deferred');
  const { verdict } = onlyRoute(report).candidates.at(-1)!;
  assert(verdict.kind === 'not-judged');
  assert.match(verdict.reason, /configuration changed during the attempt/);
  assert.equal(second.connections.length, 0);
  assert.equal(handedOn.length, 0);
});

test('forced mail tries no further host: its trust anchors may be others by now', async (t) => {
  const connectors = [toPartner({ tlsSettings: 'CertificateValidation' })];
  const { rig, reload } = await startReloading(t, { zone: partnerZone, connectors });
  const tls = partnerTls.trusted;
  await rig.partner('192.0.2.1', { tls, ...answers('MAIL', notNow, reload) });
  const second = await rig.partner('192.0.2.2', { tls });
  const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
  assert.equal(outcome!.kind, 'deferred');
  assert.equal(second.connections.length, 0);
});

test('nothing goes in clear after failed TLS once that is not allowed any more', async (t) => {
  const minutes = 60_000;
  const failedTlsAtMs = [Date.now() - 31 * minutes, Date.now() - 15 * minutes];
  for (const isAllowed of [true, false]) {
    const zone = singleZone;
    const room = await startReloading(t, { zone, clearTextAfterFailedTls: true });
    const { rig, reload } = room;
    const defaultConnector = { clearTextAfterFailedTls: isAllowed };
    const tls = partnerTls.trusted;
    const partner = await rig.partner('192.0.2.1', {
      tls,
      starttls: 'refused',
      reply: ({ command, connection }) => {
        if (command === 'EHLO' && connection === 1) reload({ defaultConnector });
        return null;
      },
    });
    const report = await rig.room.attempt(delivery({ failedTlsAtMs }));
    assert.equal(outcomesOf(report)[0]!.kind, isAllowed ? 'delivered' : 'deferred');
    assert.equal(partner.messages.length, isAllowed ? 1 : 0);
  }
});

test('smart hosts of before are not tried where the connector names others now', async (t) => {
  const host = (name: string) => ({ host: name, port: 25 });
  const by = (...names: string[]) =>
    outboundConnector('relay', {
      recipientDomains: patterns('partner.test'),
      route: { kind: 'smart-hosts', hosts: names.map(host) },
    });
  const connectors = [by('mx.partner.test', 'mx2.partner.test')];
  const { rig, reload } = await startReloading(t, { zone: partnerZone, connectors });
  const outboundConnectors = [by('mx3.partner.test')];
  const turnAway = answers('MAIL', notNow, () => reload({ outboundConnectors }));
  const partners = [
    await rig.partner('192.0.2.1', turnAway),
    await rig.partner('192.0.2.2', turnAway),
  ];
  const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
  assert.equal(outcome!.kind, 'deferred');
  assert.equal(partners.flatMap(({ connections }) => connections).length, 1);
});

test('an attempt that is cut is none that failed in TLS with every host', async (t) => {
  const { rig, reload } = await startReloading(t, { zone: partnerZone });
  const tls = partnerTls.trusted;
  await rig.partner('192.0.2.1', { tls, starttls: 'refused' });
  const reloading = { reply: () => (reload(encryptionOnly), null) };
  await rig.partner('192.0.2.2', { tls, ...reloading });
  const { candidates, hasFailedTlsOnly } = onlyRoute(await rig.room.attempt(delivery()));
  assert.equal(candidates[0]!.evidence!.encryption, 'refused');
  assert.equal(hasFailedTlsOnly, false);
});

test('the next host is tried where nothing has changed for the mail', async (t) => {
  const { rig, reload } = await startReloading(t, { zone: partnerZone });
  await rig.partner('192.0.2.1', answers('MAIL', notNow, reload));
  const second = await rig.partner('192.0.2.2');
  const [outcome] = outcomesOf(await rig.room.attempt(delivery()));
  assert.equal(outcome!.kind, 'delivered', outcome!.reason);
  assert.equal(second.messages.length, 1);
});

test('mail that waits for a connection is handed on at once, and not sent on it', async (t) => {
  const limits = { connectionsPerDestinationMax: 1, transactionsInFlightMax: 1 };
  const { rig, reload, handedOn } = await startReloading(t, { zone: singleZone, limits });
  const held = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const partner = await rig.partner('192.0.2.1', {
    reply: async ({ command }) => {
      if (command !== 'MAIL') return null;
      arrived.resolve();
      await held.promise;
      return null;
    },
  });
  const first = rig.room.attempt(delivery());
  await arrived.promise;
  const waiting = delivery();
  const second = rig.room.attempt(waiting);
  await setImmediate();
  reload(encryptionOnly);
  assert.deepEqual((await second).routes, []);
  assert.deepEqual(handedOn, [waiting]);
  held.resolve();
  assert.equal(outcomesOf(await first)[0]!.kind, 'delivered');
  assert.equal(partner.messages.length, 1);
  assert.equal(partner.connections.length, 1);
});

test('mail does not bounce for want of a host where it has another way by now', async (t) => {
  const resolver = createFakeResolver({
    'partner.test': { mx: [{ preference: 0, exchange: '' }] },
  });
  const asked = {
    ...resolver,
    resolveMx: (domain: string) => {
      reload(encryptionOnly);
      return resolver.resolveMx(domain);
    },
  };
  const { rig, reload, handedOn } = await startReloading(t, { services: { resolver: asked } });
  const report = await rig.room.attempt(delivery());
  assert.deepEqual(report.routes, []);
  assert.equal(handedOn.length, 1);
});

test('an attempt whose transaction broke is not handed on: its clauses are kept', async (t) => {
  const connectors = [toPartner({ tlsSettings: 'EncryptionOnly' })];
  const { rig, reload, handedOn } = await startReloading(t, { zone: singleZone, connectors });
  await rig.partner('192.0.2.1', {
    tls: partnerTls.trusted,
    reply: ({ command, count }) => {
      if (command !== 'MAIL' || count === 0) return null;
      reload({ outboundConnectors: [] });
      return 'drop';
    },
  });
  assert.equal(outcomesOf(await rig.room.attempt(delivery()))[0]!.kind, 'delivered');
  const route = onlyRoute(await rig.room.attempt(delivery()));
  assert.equal(route.outcomes[0]!.outcome.kind, 'deferred');
  assert.ok(route.clauses.some(({ kind }) => kind === 'encrypted'));
  assert.equal(handedOn.length, 0);
});

test('a connection that comes about after the reload is not used, and ended', async (t) => {
  const connectors = [toPartner({ tlsSettings: 'EncryptionOnly' })];
  const { rig, reload, handedOn } = await startReloading(t, { zone: singleZone, connectors });
  const tls = partnerTls.trusted;
  const partner = await rig.partner('192.0.2.1', {
    tls,
    reply: ({ command, isTls }) => {
      if (command === 'EHLO' && isTls) reload();
      return null;
    },
  });
  await rig.room.attempt(delivery());
  assert.equal(handedOn.length, 1);
  assert.equal(partner.messages.length, 0);
  while (partner.connections[0]!.isOpen) await setImmediate();
  assert.doesNotMatch(partner.connections[0]!.underTls.toString('latin1'), /MAIL/);
});
