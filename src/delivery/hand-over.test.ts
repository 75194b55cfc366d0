/** Hand-over to the server that keeps the mailboxes: a hop with requirement, evidence and outcome. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  anchorsName,
  delivery,
  onlyRoute,
  outcomesOf,
  partnerTls,
  secretContent,
  startRig,
} from '../../test/support/delivery-rig.ts';
import type { Rig, RigOptions } from '../../test/support/delivery-rig.ts';
import {
  acceptedDomain,
  address,
  deliveryTarget,
  patterns,
  policy,
} from '../../test/support/policy.ts';
import { removeDirectory } from '../../test/support/tls-ends.ts';
import type { FakePartner, FakePartnerOptions } from '../testing/fake-partner.ts';
import { startFakePartner } from '../testing/fake-partner.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import type { DeliveryTarget } from '../policy/policy.ts';

const folder = await mkdtemp(join(tmpdir(), 'postern-lmtp-'));
after(() => rm(folder, { recursive: true }));
after(removeDirectory);

const ann = address('ann@box.test');
const bob = address('bob@box.test');
const cat = address('cat@box.test');
const toAnn = { recipients: [ann] };

interface Stage {
  readonly rig: Rig;
  readonly server: FakePartner;
}

let sockets = 0;

/** A mailbox server on a Unix socket, or where `target` names a host at 192.0.2.9 port 25. */
async function withServer(
  target: Partial<DeliveryTarget>,
  partner: FakePartnerOptions,
  use: (stage: Stage) => Promise<void>,
  options: RigOptions = {},
): Promise<void> {
  const rig = await startRig({ zone: { 'box.inner.test': { a: ['192.0.2.9'] } }, ...options });
  const protocol = target.protocol ?? 'lmtp';
  const path = join(folder, `${++sockets}.sock`);
  const isUnix = target.address === undefined;
  const server = isUnix
    ? await startFakePartner({ protocol, path, ...partner })
    : await rig.partner('192.0.2.9', { protocol, ...partner });
  const store = deliveryTarget('store', { address: { kind: 'unix', path }, ...target });
  rig.policy = policy({
    acceptedDomains: [
      acceptedDomain('example.test'),
      acceptedDomain('box.test', { deliveryTarget: 'store', recipients: { kind: 'any' } }),
    ],
    deliveryTargets: [store],
  });
  try {
    await use({ rig, server });
  } finally {
    await rig.close();
    if (isUnix) await server.close();
  }
}

const inside: Partial<DeliveryTarget> = {};
const host = {
  address: { kind: 'host', host: 'box.inner.test', port: 25 },
  tlsSettings: 'EncryptionOnly',
  anchors: anchorsName,
} as const satisfies Partial<DeliveryTarget>;

describe('by LMTP over a Unix socket', () => {
  test('is final delivery, in clear, since it never leaves the machine', () =>
    withServer(inside, {}, async ({ rig, server }) => {
      const route = onlyRoute(await rig.room.attempt(delivery(toAnn)));
      const outcome = route.outcomes[0]!.outcome;
      assert.ok(outcome.kind === 'delivered' && outcome.handedTo === 'mailbox');
      assert.equal(outcome.remoteMta?.hostName, 'localhost');
      assert.match(outcome.remoteMta.address ?? '', /\.sock$/);
      assert.equal(outcome.reason, `accepted by localhost [${outcome.remoteMta.address}]`);
      assert.equal(route.candidates[0]!.evidence?.encryption, 'not-offered');
      assert.equal(server.messages[0]!.content.toString(), secretContent);
      assert.deepEqual(server.connections[0]!.violations, []);
      assert.deepEqual(rig.logged, []);
    }));

  test('gives each recipient what the server said about it', () =>
    withServer(
      inside,
      {
        reply: ({ command, line }) => {
          if (command === 'RCPT' && line.includes('ann')) return '550 5.1.1 no such user';
          if (command === 'dot' && line.startsWith('bob')) return '452 4.2.2 mailbox full';
          return null;
        },
      },
      async ({ rig, server }) => {
        const report = await rig.room.attempt(delivery({ recipients: [ann, bob, cat] }));
        const said = outcomesOf(report).map(
          (each) => `${each.kind} ${formatEnhancedStatus(each.status)}`,
        );
        assert.deepEqual(said, ['bounced 5.1.1', 'deferred 4.2.2', 'delivered 2.0.0']);
        assert.deepEqual(server.messages[0]!.recipients, ['cat@box.test']);
        assert.deepEqual(server.connections[0]!.violations, []);
      },
    ));

  test('defers where the socket is not there', () =>
    withServer(inside, {}, async ({ rig, server }) => {
      await server.close();
      const outcome = outcomesOf(await rig.room.attempt(delivery(toAnn)))[0]!;
      assert.ok(outcome.kind === 'deferred' && outcome.cause === 'connect');
      assert.match(outcome.reason, /^Cannot connect to remote server: \/.*\.sock \(ENOENT\)$/);
    }));

  test('is never asked for twice what it may hold already', () =>
    withServer(
      inside,
      {
        reply: ({ command, line }) => (command === 'dot' && line.startsWith('bob') ? 'drop' : null),
      },
      async ({ rig, server }) => {
        const report = await rig.room.attempt(delivery({ recipients: [ann, bob] }));
        const [first, second] = outcomesOf(report);
        assert.equal(first!.kind, 'delivered');
        assert.ok(second?.kind === 'deferred' && second.cause === 'connection-lost');
        assert.match(second.reason, /a retry may make a duplicate/);
        assert.equal(server.connections.length, 1);
      },
    ));

  test('uses one connection for many messages', () =>
    withServer(inside, {}, async ({ rig, server }) => {
      for (let i = 0; i < 5; i++) await rig.room.attempt(delivery(toAnn));
      assert.equal(server.messages.length, 5);
      assert.equal(server.connections.length, 1);
      assert.deepEqual(server.connections[0]!.violations, []);
    }));
});

describe('over a network', () => {
  test('goes under TLS, by LMTP with STARTTLS', () =>
    withServer(host, { tls: partnerTls.untrusted }, async ({ rig, server }) => {
      const route = onlyRoute(await rig.room.attempt(delivery(toAnn)));
      const outcome = route.outcomes[0]!.outcome;
      assert.ok(outcome.kind === 'delivered' && outcome.handedTo === 'mailbox');
      assert.equal(route.candidates[0]!.evidence?.encryption, 'established');
      assert.match(server.connections[0]!.clear.toString(), /^LHLO \S+\r\nSTARTTLS\r\n$/);
      assert.match(server.connections[0]!.underTls.toString(), /^LHLO /);
      assert.deepEqual(server.connections[0]!.violations, []);
    }));

  for (const [what, target, partner, cause] of [
    ['without STARTTLS', host, {}, 'tls-not-offered'],
    ['whose LHLO is refused', host, { isEhloRefused: true }, 'peer-reply'],
    [
      'with a stranger certificate under CertificateValidation',
      { ...host, tlsSettings: 'CertificateValidation' },
      { tls: partnerTls.untrusted },
      'tls-requirement',
    ],
    [
      'with another name under DomainValidation',
      {
        ...host,
        tlsSettings: 'DomainValidation',
        tlsDomains: patterns('mx.partner.test'),
      },
      { tls: partnerTls.otherName },
      'tls-requirement',
    ],
    [
      'by SMTP, whose EHLO is refused',
      { ...host, protocol: 'smtp' },
      { isEhloRefused: true },
      'tls-not-offered',
    ],
  ] as const) {
    test(`sends nothing to a server ${what}`, () =>
      withServer(target, partner, async ({ rig, server }) => {
        const outcome = outcomesOf(await rig.room.attempt(delivery(toAnn)))[0]!;
        assert.equal(outcome.kind, 'deferred');
        assert.equal(outcome.cause, cause);
        const { clear, underTls } = server.connections[0]!;
        assert.doesNotMatch(`${clear.toString()}${underTls.toString()}`, /MAIL|RCPT|secret/);
      }));
  }

  test('goes in clear for a written reason only, and the trace and the log show it', () => {
    const clearTextReason = 'the old archive speaks no TLS';
    const target = { ...host, tlsSettings: null, clearTextReason };
    return withServer(target, {}, async ({ rig, server }) => {
      const route = onlyRoute(await rig.room.attempt(delivery(toAnn)));
      const outcome = route.outcomes[0]!.outcome;
      assert.equal(outcome.kind, 'delivered');
      assert.match(outcome.reason, /in clear text, permitted because: the old archive speaks no/);
      assert.equal(rig.logged[0]!.fields['clearTextReason'], clearTextReason);
      assert.ok(route.decision.destination.kind === 'hand-over');
      assert.equal(route.decision.destination.target.clearTextReason, clearTextReason);
      assert.equal(server.messages.length, 1);
    });
  });

  test('a private address is allowed, since the static file set it', () => {
    const target = { ...host, protocol: 'smtp', address: { ...host.address, host: '10.0.0.5' } };
    return withServer(target as Partial<DeliveryTarget>, {}, async ({ rig }) => {
      const server = await rig.partner('10.0.0.5', { tls: partnerTls.trusted });
      const outcome = outcomesOf(await rig.room.attempt(delivery(toAnn)))[0]!;
      assert.ok(outcome.kind === 'delivered' && outcome.handedTo === 'relay');
      assert.equal(server.messages.length, 1);
    });
  });

  test('a listener of our own is never dialled', () => {
    const own = [{ address: '192.0.2.9', port: 25 }];
    const options = { services: { ownAddresses: () => own } };
    return withServer(
      host,
      { tls: partnerTls.trusted },
      async ({ rig, server }) => {
        const outcome = outcomesOf(await rig.room.attempt(delivery(toAnn)))[0]!;
        assert.equal(outcome.kind, 'deferred');
        assert.match(outcome.reason, /is a listener of this server itself/);
        assert.equal(server.connections.length, 0);
      },
      { zone: { 'box.inner.test': { a: ['192.0.2.9'] } }, ...options },
    );
  });
});
