/** A real Dovecot keeps the mailboxes: hand-over by LMTP, and recipients verified there. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createFakeResolver } from '../../src/dns/fake-resolver.ts';
import { createDelivery } from '../../src/delivery/delivery.ts';
import type { DeliveryRoom } from '../../src/delivery/delivery.ts';
import { dial } from '../../src/delivery/dial.ts';
import { formatEnhancedStatus } from '../../src/mail/enhanced-status.ts';
import type { DeliveryTarget, Policy } from '../../src/policy/policy.ts';
import { makeLeaf, writeCertificateFiles } from '../../src/testing/certificates.ts';
import { delivery, outcomesOf, quickLimits } from '../support/delivery-rig.ts';
import { startDovecot, whyNoDovecot } from '../support/dovecot.ts';
import type { Dovecot } from '../support/dovecot.ts';
import { hardBody, largeBody, messageWith } from '../support/hard-message.ts';
import { acceptedDomain, address, deliveryTarget, patterns, policy } from '../support/policy.ts';
import { anchorsName, ca, client, removeDirectory } from '../support/tls-ends.ts';

const reason = await whyNoDovecot();
const skip = reason ?? false;
const folder = await mkdtemp(join(tmpdir(), 'postern-dovecot-'));
let dovecot: Dovecot;
let room: DeliveryRoom;
let current: Policy;

before(async () => {
  if (reason !== null) return;
  const files = await writeCertificateFiles(folder, 'box', [makeLeaf(ca, ['box.inner.test'])]);
  dovecot = await startDovecot({ users: ['ann', 'bob', 'broken'], broken: ['broken'], ...files });
  let connections = 0;
  room = createDelivery({
    policy: () => current,
    resolver: createFakeResolver({ 'box.inner.test': { a: ['127.0.0.1'] } }),
    tls: client,
    dial,
    mailboxPath: () => join(folder, 'none'),
    newConnectionId: () => `c${++connections}`,
    takeInside: () => Promise.reject(new Error('no other organization in this test')),
    limits: { ...quickLimits, handshakeTimeoutMs: 5_000 },
    guard: { allow: [], allowPorts: [], smartHostsSetBy: 'organization' },
    ownAddresses: () => [],
    log: {
      info: () => undefined,
      warn: () => undefined,
      error: () => undefined,
      debug: () => undefined,
    },
    now: Date.now,
    steadyNow: () => performance.now(),
    random: Math.random,
  });
});
after(async () => {
  await room?.stop(0);
  await dovecot?.stop();
  await rm(folder, { recursive: true, force: true });
  await removeDirectory();
});

function useTarget(part: Partial<DeliveryTarget>): void {
  current = policy({
    acceptedDomains: [
      acceptedDomain('box.test', { deliveryTarget: 'store', recipients: { kind: 'verify' } }),
    ],
    deliveryTargets: [deliveryTarget('store', part)],
  });
}

const places: readonly (readonly [string, () => Partial<DeliveryTarget>])[] = [
  ['a Unix socket', () => ({ address: { kind: 'unix', path: dovecot.path } })],
  [
    'TCP with STARTTLS and its name proved',
    () => ({
      address: { kind: 'host', host: 'box.inner.test', port: dovecot.port },
      tlsSettings: 'DomainValidation',
      tlsDomains: patterns('box.inner.test'),
      anchors: anchorsName,
    }),
  ],
];

for (const [where, part] of places) {
  const bodies = { hard: hardBody(), large: largeBody(3_000_000) };
  for (const [name, body] of Object.entries(bodies)) {
    test(
      `over ${where} mail arrives byte for byte below its trace headers: ${name}`,
      { skip },
      async () => {
        useTarget(part());
        const raw = messageWith(`${where}-${name}`, body);
        const content = { kind: 'memory', bytes: raw } as const;
        const message = delivery({
          recipients: [address('ann@box.test')],
          content,
          bodyType: '8bitmime',
        });
        const [outcome] = outcomesOf(await room.attempt(message));
        assert.ok(outcome?.kind === 'delivered' && outcome.handedTo === 'mailbox', outcome?.reason);
        const kept = (await dovecot.mailbox('ann')).find((each) =>
          each.includes(`Subject: ${where}-${name}`),
        );
        assert.ok(kept !== undefined);
        const text = kept.toString('latin1');
        const at = text
          .replaceAll('\r\n', '\n')
          .indexOf(raw.toString('latin1').replaceAll('\r\n', '\n'));
        assert.ok(at > 0, 'the message is there whole, with trace headers above it');
        // Dovecot writes the one Return-Path there is.
        assert.equal(text.match(/^Return-Path: /gm)?.length, 1);
        assert.match(text, /^Return-Path: <user@example\.test>/m);
      },
    );
  }

  test(`over ${where} each recipient gets its own outcome`, { skip }, async () => {
    useTarget(part());
    const recipients = ['ann', 'nobody', 'broken', 'bob'].map((name) =>
      address(`${name}@box.test`),
    );
    const said = outcomesOf(await room.attempt(delivery({ recipients })));
    assert.deepEqual(
      said.map(({ kind, status }) => `${kind} ${formatEnhancedStatus(status)[0]}`),
      ['delivered 2', 'bounced 5', 'deferred 4', 'delivered 2'],
    );
    assert.match(said[1]!.reason, /User doesn't exist: nobody@box\.test/);
  });

  test(`over ${where} it is asked who exists`, { skip }, async () => {
    useTarget(part());
    assert.deepEqual(await room.verifyRecipient('org', address('ann@box.test')), {
      kind: 'exists',
    });
    const unknown = await room.verifyRecipient('org', address('nobody@box.test'));
    assert.ok(unknown.kind === 'unknown' && unknown.reply.code === 550);
  });
}

test('nothing is sent where its name is another', { skip }, async () => {
  useTarget({
    address: { kind: 'host', host: 'box.inner.test', port: dovecot.port },
    tlsSettings: 'DomainValidation',
    tlsDomains: patterns('other.inner.test'),
    anchors: anchorsName,
  });
  const recipients = [address('bob@box.test')];
  const content = { kind: 'memory', bytes: messageWith('never', hardBody()) } as const;
  const [outcome] = outcomesOf(await room.attempt(delivery({ recipients, content })));
  assert.ok(outcome?.kind === 'deferred' && outcome.cause === 'tls-requirement');
  assert.equal((await room.verifyRecipient('org', recipients[0]!)).kind, 'silent');
  assert.ok(!(await dovecot.mailbox('bob')).some((each) => each.includes('Subject: never')));
});
