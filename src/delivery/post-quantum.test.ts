/** What a connector's post-quantum setting does to real handshakes: what it must never let out first. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import {
  delivery,
  onlyRoute,
  outcomesOf,
  partnerTls,
  singleZone,
  startRig,
  toPartner,
} from '../../test/support/delivery-rig.ts';
import type { Rig, RigOptions } from '../../test/support/delivery-rig.ts';
import { startMiddlebox } from '../../test/support/middlebox.ts';
import { patterns } from '../../test/support/policy.ts';
import { removeDirectory } from '../../test/support/tls-ends.ts';
import type { FakePartner } from '../testing/fake-partner.ts';
import type { CandidateRecord } from '../policy/delivery.ts';
import type { Outcome } from '../policy/outcome.ts';
import type { OutboundConnector } from '../policy/policy.ts';
import { dialTcp } from './dial.ts';

after(removeDirectory);

const tls = partnerTls.trusted;

async function rigWith(
  t: TestContext,
  connector: Partial<OutboundConnector>,
  rest: RigOptions = {},
): Promise<Rig> {
  const rig = await startRig({ zone: singleZone, connectors: [toPartner(connector)], ...rest });
  t.after(() => rig.close());
  return rig;
}

async function attempt(rig: Rig): Promise<{
  readonly outcome: Outcome;
  readonly candidates: readonly CandidateRecord[];
  readonly group: string | null | undefined;
}> {
  const report = await rig.room.attempt(delivery());
  const { candidates } = onlyRoute(report);
  const group = candidates.at(-1)!.evidence?.tls?.group;
  return { outcome: outcomesOf(report)[0]!, candidates, group };
}

function assertNothingSent(partner: FakePartner): void {
  for (const { clear, underTls } of partner.connections) {
    const seen = `${clear.toString('latin1')}${underTls.toString('latin1')}`;
    assert.doesNotMatch(seen, /MAIL|RCPT|DATA|BDAT|secret/i);
  }
  assert.equal(partner.messages.length, 0);
}

describe('a connector that requires a post-quantum group', () => {
  const settings: readonly Partial<OutboundConnector>[] = [
    { postQuantum: 'require' },
    { postQuantum: 'require', tlsSettings: 'EncryptionOnly' },
    {
      postQuantum: 'require',
      tlsSettings: 'DomainValidation',
      tlsDomains: patterns('mx.partner.test'),
    },
    { postQuantum: 'require', clearTextAfterFailedTls: true },
  ];
  for (const [what, options] of [
    ['X25519 only', { tls: { ...tls, ecdhCurve: 'X25519' } }],
    ['P-256 only', { tls: { ...tls, ecdhCurve: 'P-256' } }],
    ['TLS 1.2 only', { tls: { ...tls, maxVersion: 'TLSv1.2' } }],
  ] as const) {
    for (const [i, connector] of settings.entries()) {
      test(`defers to a host with ${what} and sends it nothing (setting ${i + 1})`, async (t) => {
        const rig = await rigWith(t, connector);
        const partner = await rig.partner('192.0.2.1', options);
        const { outcome, candidates } = await attempt(rig);
        assert(outcome.kind === 'deferred');
        assert.equal(outcome.cause, 'tls-handshake');
        assert.match(
          outcome.reason,
          /\[Message=GroupMismatch\].*requires key exchange by X25519MLKEM768/,
        );
        assert.match(outcome.reason, /X25519MLKEM768 alone was offered/);
        assert.equal(candidates.length, 1);
        const isOld = 'maxVersion' in options.tls;
        const { code } = candidates[0]!.evidence!.failure!;
        assert.equal(code, isOld ? 'version' : 'peer-refused');
        assertNothingSent(partner);
      });
    }
  }

  test('defers to a host without TLS', async (t) => {
    const rig = await rigWith(t, { postQuantum: 'require' });
    const partner = await rig.partner('192.0.2.1');
    const { outcome } = await attempt(rig);
    assert(outcome.kind === 'deferred');
    assert.equal(outcome.cause, 'tls-not-offered');
    assertNothingSent(partner);
  });

  test('never tries a small ClientHello, also where one was needed for other mail', async (t) => {
    const inner = await rigWith(t, {});
    const partner = await inner.partner('192.0.2.1', { tls });
    const middlebox = await startMiddlebox(partner.port, 1400);
    t.after(() => middlebox.close());
    const { port } = middlebox.address() as { port: number };
    const outer = await rigWith(
      t,
      {},
      {
        services: { dial: (_to, _port, local, ms) => dialTcp('127.0.0.1', port, local, ms) },
      },
    );
    assert.equal((await attempt(outer)).outcome.kind, 'delivered');
    const handshakes = partner.connections.length;
    outer.policy = {
      ...outer.policy,
      revision: 'next',
      organizations: [
        {
          ...outer.policy.organizations[0]!,
          outboundConnectors: [toPartner({ postQuantum: 'require' })],
        },
      ],
    };
    const { outcome, candidates } = await attempt(outer);
    assert.equal(outcome.kind, 'deferred');
    assert.equal(candidates.length, 1);
    for (const { tls: established } of partner.connections.slice(handshakes)) {
      assert.equal(established, null);
    }
    assert.equal(partner.messages.length, 1, 'the first one alone');
  });

  test('delivers to a host that has one', async (t) => {
    const rig = await rigWith(t, { postQuantum: 'require', tlsSettings: 'EncryptionOnly' });
    await rig.partner('192.0.2.1', { tls });
    const { outcome, group } = await attempt(rig);
    assert.equal(outcome.kind, 'delivered', outcome.reason);
    assert.equal(group, 'X25519MLKEM768');
  });

  test('uses no connection of a connector that offers none', async (t) => {
    const others = { recipientDomains: patterns('other.test'), postQuantum: 'off' } as const;
    const zone = { ...singleZone, 'other.test': singleZone['partner.test']! };
    const connectors = [
      { ...toPartner(others), name: 'others' },
      toPartner({ postQuantum: 'require' }),
    ];
    const rig = await startRig({ zone, connectors });
    t.after(() => rig.close());
    const partner = await rig.partner('192.0.2.1', { tls });
    const recipients = [{ localPart: 'x', domain: 'other.test' }];
    const first = onlyRoute(await rig.room.attempt(delivery({ recipients })));
    assert.equal(first.candidates[0]!.evidence!.tls!.group, 'X25519');
    const { outcome, group } = await attempt(rig);
    assert.equal(outcome.kind, 'delivered', outcome.reason);
    assert.equal(group, 'X25519MLKEM768');
    assert.equal(partner.connections.length, 2);
  });
});

test('a connector that is off offers no hybrid group, in one small ClientHello', async (t) => {
  const inner = await rigWith(t, {});
  const partner = await inner.partner('192.0.2.1', { tls });
  const middlebox = await startMiddlebox(partner.port, 1400);
  t.after(() => middlebox.close());
  const { port } = middlebox.address() as { port: number };
  const outer = await rigWith(
    t,
    { postQuantum: 'off' },
    {
      services: { dial: (_to, _port, local, ms) => dialTcp('127.0.0.1', port, local, ms) },
    },
  );
  const { outcome, candidates, group } = await attempt(outer);
  assert.equal(outcome.kind, 'delivered', outcome.reason);
  assert.equal(candidates.length, 1);
  assert.equal(group, 'X25519');
});

test('a connector that prefers it takes a host that has none', async (t) => {
  const rig = await rigWith(t, { postQuantum: 'prefer', tlsSettings: 'EncryptionOnly' });
  await rig.partner('192.0.2.1', { tls: { ...tls, ecdhCurve: 'X25519' } });
  const { outcome, group } = await attempt(rig);
  assert.equal(outcome.kind, 'delivered', outcome.reason);
  assert.equal(group, 'X25519');
});
