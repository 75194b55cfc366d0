/** Hand-overs inside: judged as mail of anybody, with evidence that says from whom. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  acceptedDomain,
  address,
  inboundConnector,
  organization,
  patterns,
} from '../../test/support/policy.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import type { Delivery } from '../policy/delivery.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { InboundConnector, Organization, Policy } from '../policy/policy.ts';
import { planDeliveries } from '../policy/plan-deliveries.ts';
import { FakeServices } from './fake-services.ts';
import type { ListenerSettings } from './settings.ts';
import { defaultLimits } from './settings.ts';
import { takeInside } from './take-inside.ts';

const settings: ListenerSettings = {
  name: 'inside',
  host: '',
  port: 0,
  kind: 'mx',
  tls: 'starttls',
  requestClientCertificate: false,
  proxies: [],
  bareLineBreaks: 'normalize',
  sharesPort: false,
  limits: defaultLimits,
};

const evidence: Evidence = {
  formatVersion: 1,
  connectionId: 'inside-1',
  observedAt: '2026-11-22T12:00:00.000Z',
  role: 'client',
  peer: { address: '', port: 0, hostName: 'gw.test' },
  encryption: 'internal',
  fromOrganization: 'sender',
  failure: null,
  tls: null,
};

const sender = organization({
  id: 'sender',
  acceptedDomains: [acceptedDomain('sender.test')],
  mailboxes: [{ account: 's', addresses: [address('s@sender.test')] }],
});

function policyWith(
  connectors: readonly InboundConnector[],
  part: Partial<Organization> = {},
): Policy {
  const receiver = organization({
    id: 'receiver',
    acceptedDomains: [acceptedDomain('receiver.test')],
    mailboxes: [{ account: 'r', addresses: [address('r@receiver.test')] }],
    inboundConnectors: connectors,
    ...part,
  });
  return {
    formatVersion: 1,
    revision: '0',
    hostName: 'gw.test',
    organizations: [sender, receiver],
  };
}

const content = Buffer.from(
  'Received: from x by y with ESMTP id 1; Sat, 28 Nov 2026 12:00:00 +0000\r\n' +
    'X-MS-Exchange-Organization-AuthAs: Internal\r\nFrom: <s@sender.test>\r\n\r\nbody\r\n',
);

async function hand(
  policy: Policy,
  part: Partial<Delivery> & { readonly isForced?: boolean } = {},
  to = ['r@receiver.test'],
) {
  const { isForced = false, ...rest } = part;
  const services = new FakeServices(policy);
  const delivery: Delivery = {
    id: 'A1',
    ordinal: 0,
    organization: 'sender',
    reversePath: address('s@sender.test'),
    recipients: to.map(address),
    content: { kind: 'memory', bytes: content },
    source: { kind: 'submission', account: 's' },
    receivedAtMs: 0,
    floor: [],
    attempts: 0,
    failedTlsAtMs: [],
    bodyType: '7bit',
    ...rest,
  };
  const { recipients } = delivery;
  const taken = { delivery, recipients, toOrganization: 'receiver', evidence, isForced };
  const replies = await takeInside({ settings, services }, taken);
  const texts = replies.map(
    ({ code, status }) => `${code} ${status === null ? '-' : formatEnhancedStatus(status)}`,
  );
  assert.equal(services.contentMemory.usedBytes, 0);
  return { services, texts, replies };
}

const demanding = { senderDomains: patterns('sender.test'), restrictDomainsToCertificate: true };
const named = { tlsSenderCertificateNames: patterns('mx.sender.test') };

test('what is taken belongs to the other organization and says where it came from', async () => {
  const { services, texts } = await hand(policyWith([]));
  assert.deepEqual(texts, ['250 2.0.0']);
  const [message] = services.accepted;
  assert.equal(message!.organization, 'receiver');
  assert.deepEqual(message!.source, {
    kind: 'organization',
    organization: 'sender',
    inboundConnectors: [],
    isForced: false,
  });
  assert.equal(message!.evidence!.encryption, 'internal');
  assert.equal(message!.evidence!.fromOrganization, 'sender');
  assert.equal(message!.evidence!.role, 'server');
  const text = services.textOf(message!.content);
  assert.match(
    text,
    /^Received: from gw\.test \(inside this gateway\) by gw\.test \(Postern\) id /,
  );
  // The firewall stands between organizations as it does before strangers.
  assert.doesNotMatch(text, /AuthAs/);
  assert.ok(text.endsWith('\r\n\r\nbody\r\n'));
});

test('`internal` meets a connector that asks for TLS', async () => {
  const tls = inboundConnector('tls', {
    senderDomains: patterns('sender.test'),
    requireTls: true,
    minVersion: 'TLSv1.3',
  });
  const { texts, services } = await hand(policyWith([tls]));
  assert.deepEqual(texts, ['250 2.0.0']);
  assert.deepEqual(services.accepted[0]!.source, {
    kind: 'organization',
    organization: 'sender',
    inboundConnectors: ['tls'],
    isForced: true,
  });
});

test('it meets a certificate clause only of a connector that trusts the organization', async () => {
  const strict = inboundConnector('certificate', { ...demanding, ...named });
  assert.deepEqual((await hand(policyWith([strict]))).texts, ['550 5.7.51']);
  const other = { ...strict, trustedOrganizations: ['another'] };
  assert.deepEqual((await hand(policyWith([other]))).texts, ['550 5.7.51']);
  const trusting = { ...strict, trustedOrganizations: ['sender'] };
  assert.deepEqual((await hand(policyWith([trusting]))).texts, ['250 2.0.0']);
});

test('it has no address, so a lock-down to addresses is not met without that trust', async () => {
  const lockDown = inboundConnector('lock-down', {
    restrictDomainsToIPAddresses: true,
    senderIPAddresses: ['0.0.0.0/0', '::/0'],
  });
  assert.deepEqual((await hand(policyWith([lockDown]))).texts, ['550 5.7.51']);
  const trusting = { ...lockDown, trustedOrganizations: ['sender'] };
  assert.deepEqual((await hand(policyWith([trusting]))).texts, ['250 2.0.0']);
});

test("the receiver's own domain as sender is refused as from anybody", async () => {
  const reversePath = address('r@receiver.test');
  assert.deepEqual((await hand(policyWith([]), { reversePath })).texts, ['550 5.7.68']);
});

test('each recipient has its answer, and a domain that has moved on is for the next attempt', async () => {
  const { texts } = await hand(policyWith([]), {}, [
    'r@receiver.test',
    'nobody@receiver.test',
    'x@elsewhere.test',
  ]);
  assert.deepEqual(texts, ['250 2.0.0', '550 5.4.1', '451 4.3.5']);
});

test('a message that went round too often is refused', async () => {
  const own = 'Received: from gw.test (inside this gateway) by gw.test (Postern) id 1; x\r\n';
  const bytes = Buffer.concat([Buffer.from(own.repeat(6)), content]);
  const { texts } = await hand(policyWith([]), { content: { kind: 'memory', bytes } });
  assert.deepEqual(texts, ['554 5.4.6']);
});

test('content that cannot be read, and a store that fails, defer', async () => {
  const gone = { kind: 'spool', path: '/nowhere/x.msg', offset: 0, sizeBytes: 5000 } as const;
  assert.deepEqual((await hand(policyWith([]), { content: gone })).texts, ['451 4.3.0']);
});

test('a name that an alias of the sender led to is expanded here, and says nothing of that alias', async () => {
  const alias = { address: address('team@receiver.test'), to: [address('r@receiver.test')] };
  const policy = policyWith([], { aliases: [alias] });
  const aliased = { ...address('team@receiver.test'), aliasedFrom: address('staff@sender.test') };
  const notify = ['failure'] as const;
  const { services } = await hand(policy, { recipients: [{ ...aliased, notify }] });
  const [message] = services.accepted;
  assert.deepEqual(message!.recipients, [{ ...address('team@receiver.test'), notify }]);
  const [planned] = planDeliveries(policy, message!);
  assert.deepEqual(
    planned!.recipients.map(({ localPart, aliasedFrom }) => [localPart, aliasedFrom]),
    [['r', address('team@receiver.test')]],
  );
});

test('what was bound to TLS at the sender stays so for the reports about it', async () => {
  const isForcedWith = async (part: Parameters<typeof hand>[1]): Promise<boolean | undefined> => {
    const { services } = await hand(policyWith([]), part);
    const { source } = services.accepted[0]!;
    assert.ok(source.kind === 'organization');
    return source.isForced;
  };
  assert.equal(await isForcedWith({}), false);
  assert.equal(await isForcedWith({ isForced: true }), true);
  const source = { kind: 'mx', inboundConnectors: ['gone since'] } as const;
  assert.equal(await isForcedWith({ source }), true);
  assert.equal(await isForcedWith({ source: { ...source, isForced: true } }), true);
  assert.equal(await isForcedWith({ source: { ...source, isForced: false } }), false);
});

test('another organization rehearses too: alone, answered, and nothing is delivered', async () => {
  const policy = policyWith([], { rehearsalAddress: address('try@receiver.test') });
  const { texts, services } = await hand(policy, {}, ['try@receiver.test', 'r@receiver.test']);
  assert.deepEqual(texts, ['250 2.0.0', '452 4.5.3']);
  const [answer, ...others] = services.accepted;
  assert.deepEqual(others, []);
  assert.equal(answer?.organization, 'receiver');
  assert.deepEqual(answer.recipients, [address('s@sender.test')]);
  assert.match(services.textOf(answer.content), /handed over inside this gateway/);
  assert.deepEqual(answer.clauses, []);
  const forced = await hand(policy, { isForced: true }, ['try@receiver.test']);
  assert.deepEqual(
    forced.services.accepted[0]?.clauses.map(({ kind }) => kind),
    ['encrypted'],
    'what was bound to TLS before is answered under TLS',
  );
  const behind = await hand(policy, {}, ['r@receiver.test', 'try@receiver.test']);
  assert.deepEqual(behind.texts, ['250 2.0.0', '452 4.5.3']);
  assert.deepEqual(
    behind.services.accepted.map(({ recipients }) => recipients.map(({ localPart }) => localPart)),
    [['r']],
  );
});
