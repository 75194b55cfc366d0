/** The question to the server that keeps a mailbox: what its answers mean, and that TLS holds for it too. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { anchorsName, partnerTls, startRig } from '../../test/support/delivery-rig.ts';
import type { Rig } from '../../test/support/delivery-rig.ts';
import {
  acceptedDomain,
  address,
  deliveryTarget,
  outboundConnector,
  patterns,
  policy,
} from '../../test/support/policy.ts';
import { removeDirectory } from '../../test/support/tls-ends.ts';
import type { DeliveryTarget, Organization } from '../policy/policy.ts';
import type { FakePartner, FakePartnerOptions } from '../testing/fake-partner.ts';
import type { PartnerHook } from '../testing/partner-session.ts';

after(removeDirectory);

const ann = address('ann@box.test');
const verify = { kind: 'verify' } as const;

async function withServer(
  organization: Partial<Organization>,
  partner: FakePartnerOptions,
  use: (rig: Rig, server: FakePartner) => Promise<void>,
): Promise<void> {
  const rig = await startRig({
    zone: { 'box.inner.test': { a: ['192.0.2.9'] }, 'two.inner.test': { a: ['192.0.2.8'] } },
  });
  const server = await rig.partner('192.0.2.9', partner);
  rig.policy = policy(organization);
  try {
    await use(rig, server);
  } finally {
    await rig.close();
  }
}

function keptBy(part: Partial<DeliveryTarget> = {}): Partial<Organization> {
  const host = { kind: 'host', host: 'box.inner.test', port: 25 } as const;
  return {
    acceptedDomains: [acceptedDomain('box.test', { deliveryTarget: 'store', recipients: verify })],
    deliveryTargets: [
      deliveryTarget('store', {
        address: host,
        protocol: 'smtp',
        clearTextReason: 'this network is a test',
        ...part,
      }),
    ],
  };
}

function atRcpt(reply: string): PartnerHook {
  return ({ command }) => (command === 'RCPT' ? reply : null);
}

const cases = [
  ['250 at RCPT', atRcpt('250 2.1.5 ok'), 'exists'],
  ['252 at RCPT', atRcpt('252 2.1.5 perhaps'), 'exists'],
  ['251 at RCPT', atRcpt('251 2.1.5 forwarded'), 'exists'],
  ['550 at RCPT', atRcpt('550 5.1.1 no such user'), 'unknown'],
  ['550 without a status', atRcpt('550 unknown'), 'unknown'],
  ['550 5.4.1, as Exchange says it', atRcpt('550 5.4.1 Recipient address rejected'), 'unknown'],
  ['450 at RCPT', atRcpt('450 4.2.0 greylisted'), 'silent'],
  ['554 5.7.1 at RCPT', atRcpt('554 5.7.1 relay access denied'), 'silent'],
  ['503 at RCPT', atRcpt('503 5.5.1 what'), 'silent'],
  ['530 at RCPT', atRcpt('530 5.7.0 sign in first'), 'silent'],
  ['a connection cut at RCPT', atRcpt('drop'), 'silent'],
  ['550 at MAIL', ({ command }) => (command === 'MAIL' ? '550 5.1.8 no' : null), 'silent'],
] as const satisfies readonly (readonly [string, PartnerHook, string])[];

for (const [what, reply, kind] of cases) {
  for (const protocol of ['smtp', 'lmtp'] as const) {
    test(`by ${protocol}, ${what} means ${kind}`, () =>
      withServer(keptBy({ protocol }), { protocol, reply }, async (rig, server) => {
        const said = await rig.room.verifyRecipient('org', ann);
        assert.equal(said.kind, kind);
        if (said.kind !== 'exists') assert.match(said.reason, /box\.inner\.test/);
        if (said.kind === 'unknown') assert.equal(said.reply.code, 550);
        assert.equal(server.messages.length, 0);
        const clear = server.connections[0]!.clear.toString();
        assert.match(clear, /MAIL FROM:<>\r\n/);
        assert.doesNotMatch(clear, /DATA|BDAT/);
        assert.deepEqual(server.connections[0]!.violations, []);
      }));
  }
}

test('a greeting of 554 means silent', () =>
  withServer(keptBy(), { greeting: '554 5.3.2 no mail here' }, async (rig) => {
    assert.equal((await rig.room.verifyRecipient('org', ann)).kind, 'silent');
  }));

test('a server that is down is silent, and asked again', () =>
  withServer(keptBy(), {}, async (rig, server) => {
    await server.close();
    const said = await rig.room.verifyRecipient('org', ann);
    assert.ok(said.kind === 'silent' && /Connection refused/.test(said.reason));
    await rig.partner('192.0.2.9', {});
    assert.equal((await rig.room.verifyRecipient('org', ann)).kind, 'exists');
  }));

test('is not asked a second time, and resets what it asked before where it is', () =>
  withServer(keptBy(), {}, async (rig, server) => {
    for (const to of ['ann', 'ann', 'bob']) {
      await rig.room.verifyRecipient('org', { ...ann, localPart: to });
    }
    assert.equal(server.connections.length, 1);
    const clear = server.connections[0]!.clear.toString();
    assert.match(clear, /<ann@box\.test>\r\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:<bob@box\.test>\r\n$/);
    assert.deepEqual(server.connections[0]!.violations, []);
  }));

for (const [what, partner] of [
  ['without STARTTLS', {}],
  ['with another name', { tls: partnerTls.otherName }],
  ['with a stranger certificate', { tls: partnerTls.untrusted }],
] as const) {
  test(`learns not even the address under DomainValidation: a server ${what}`, () => {
    const organization = keptBy({
      tlsSettings: 'DomainValidation',
      tlsDomains: patterns('mx.partner.test'),
      anchors: anchorsName,
    });
    return withServer(organization, partner, async (rig, server) => {
      const said = await rig.room.verifyRecipient('org', ann);
      assert.equal(said.kind, 'silent');
      const { clear, underTls } = server.connections[0]!;
      assert.doesNotMatch(`${clear.toString()}${underTls.toString()}`, /MAIL|ann/);
    });
  });
}

test('is asked under TLS where its certificate is right', () => {
  const organization = keptBy({
    tlsSettings: 'DomainValidation',
    tlsDomains: patterns('mx.partner.test'),
    anchors: anchorsName,
  });
  return withServer(organization, { tls: partnerTls.trusted }, async (rig, server) => {
    assert.equal((await rig.room.verifyRecipient('org', ann)).kind, 'exists');
    assert.match(server.connections[0]!.underTls.toString(), /RCPT TO:<ann@box\.test>/);
  });
});

test('an internal-relay domain is asked at the smart hosts of its connector, in their order', () => {
  const smartHosts = [
    { host: 'two.inner.test', port: 25 },
    { host: 'box.inner.test', port: 25 },
  ];
  const organization: Partial<Organization> = {
    acceptedDomains: [acceptedDomain('box.test', { type: 'internal-relay', recipients: verify })],
    outboundConnectors: [
      outboundConnector('inner', {
        connectorType: 'OnPremises',
        recipientDomains: patterns('box.test'),
        route: { kind: 'smart-hosts', hosts: smartHosts },
      }),
    ],
  };
  return withServer(organization, { reply: atRcpt('550 5.1.1 no') }, async (rig, server) => {
    // The first host is down; the second one knows.
    assert.equal((await rig.room.verifyRecipient('org', ann)).kind, 'unknown');
    assert.equal(server.connections.length, 1);
  });
});

test('a domain that leads nowhere is silent, with the reason', () =>
  withServer(
    { acceptedDomains: [acceptedDomain('box.test', { type: 'internal-relay' })] },
    {},
    async (rig) => {
      const said = await rig.room.verifyRecipient('org', ann);
      assert.ok(said.kind === 'silent' && /no connector leads to its server/.test(said.reason));
    },
  ));

test('a kept connection that takes no more questions is given up for a new one', () =>
  withServer(
    keptBy(),
    {
      reply: ({ command, count }) =>
        command === 'MAIL' && count >= 2 ? '452 4.5.3 too many transactions' : null,
    },
    async (rig, server) => {
      for (let count = 1; count <= 5; count += 1) {
        const said = await rig.room.verifyRecipient('org', address(`user${count}@box.test`));
        assert.equal(said.kind, 'exists');
      }
      assert.equal(server.connections.length, 3);
    },
  ));
