/** Queued forced mail and a policy that changes under it: never lowered by accident, at once stricter. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCa, makeLeaf, makeSelfSigned } from '../../src/testing/certificates.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import type { FakePartner } from '../../src/testing/fake-partner.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { freePort } from '../support/ports.ts';
import { submit } from '../support/submit.ts';

const ca = makeCa('Partner CA');
const leaf = makeLeaf(ca, ['mx.partner.test']);
const selfSigned = makeSelfSigned(['mx.partner.test']);

const validated = {
  tlsSettings: 'DomainValidation',
  tlsDomain: 'mx.partner.test',
  anchors: 'tls/partner.pem',
};
const encrypted = { tlsSettings: 'EncryptionOnly' };

type Peer = 'clear' | 'selfSigned' | 'right';

/** A connector before and after; null where it is not there. `peer`: the partner afterwards. */
interface Change {
  readonly before: object;
  readonly after: object | null;
  readonly peer: Peer;
}

const weakened: Readonly<Record<string, Change>> = {
  deleted: { before: validated, after: null, peer: 'clear' },
  disabled: { before: validated, after: { ...validated, enabled: false }, peer: 'clear' },
  'loosened-to-encryption': { before: validated, after: encrypted, peer: 'selfSigned' },
  'loosened-to-opportunistic': { before: encrypted, after: {}, peer: 'clear' },
  'given-another-name': {
    before: validated,
    after: { ...validated, tlsDomain: ['mx.partner.test', 'mx.other.test'] },
    peer: 'right',
  },
};
const tightened: Change = { before: encrypted, after: validated, peer: 'selfSigned' };
const unchanged: Change = { before: validated, after: validated, peer: 'right' };
const changes: Readonly<Record<string, Change>> = { ...weakened, tightened, unchanged };

const ports: Record<Peer, number> = { clear: 0, selfSigned: 0, right: 0 };
const ids: Record<string, string> = {};
const partners: FakePartner[] = [];
let gateway: RunningGateway;

/** Mail without a connector of its own goes to the peer in clear, opportunistically. */
function setupWith(which: 'before' | 'after') {
  const own = Object.entries(changes).flatMap(([name, change]) => {
    const connector = change[which];
    if (connector === null) return [];
    const domain = `${name}.test`;
    const smartHosts = smartHost(ports[change.peer]);
    return [{ name: `to ${name}`, recipientDomains: domain, smartHosts, ...connector }];
  });
  const rest = { name: 'rest', recipientDomains: '*', smartHosts: smartHost(ports.clear) };
  return gatewaySetup({
    anchors: { partner: [ca] },
    peerPorts: Object.values(ports),
    organization: { outboundConnectors: [rest, ...own] },
  });
}

/** All mail is queued while no partner offers TLS; then partners and policy change together. */
before(async () => {
  for (const peer of Object.keys(ports) as Peer[]) ports[peer] = await freePort();
  const early = await Promise.all(Object.values(ports).map((port) => startFakePartner({ port })));
  gateway = await startGateway(await setupWith('before'));
  for (const name of Object.keys(changes)) {
    ids[name] = await submit(gateway, { to: `clerk@${name}.test`, text: `floor-${name}` });
  }
  for (const id of Object.values(ids)) {
    await gateway.waitForRow(id, (row) => row.lastOutcome?.cause === 'tls-not-offered');
  }
  await gateway.stop();
  assert.ok(early.every(({ messages }) => messages.length === 0));
  await Promise.all(early.map((partner) => partner.close()));
  const certificateOf = (own: typeof leaf) => ({ tls: { cert: own.pem, key: own.keyPem } });
  partners.push(
    await startFakePartner({ port: ports.clear }),
    await startFakePartner({ port: ports.selfSigned, ...certificateOf(selfSigned) }),
    await startFakePartner({ port: ports.right, ...certificateOf(leaf) }),
  );
  await gateway.restart((await setupWith('after')).config);
  await gateway.waitUntilGone(ids['unchanged']!);
  // Longer than any retry: nothing is tried behind anybody's back.
  await sleep(3000);
});
after(async () => {
  await gateway?.remove();
  await Promise.all(partners.map((partner) => partner.close()));
});

/** Messages with the text that any partner has taken. */
function takenWith(text: string) {
  return partners
    .flatMap(({ messages }) => messages)
    .filter(({ content }) => content.includes(text));
}

function assertNeverSent(name: string): void {
  const bytes = partners.flatMap(({ connections }) =>
    connections.flatMap(({ clear, underTls }) => [clear, underTls]),
  );
  assert.doesNotMatch(
    Buffer.concat(bytes).toString('latin1'),
    new RegExp(`${name}\\.test|floor-${name}`),
  );
}

for (const name of Object.keys(weakened)) {
  test(`forced mail whose connector is ${name} is held, and nothing of it is sent`, async () => {
    const row = await gateway.waitForRow(ids[name]!, ({ state }) => state === 'held');
    assert.equal(row.lastOutcome?.kind, 'held');
    assert.equal(row.lastOutcome.cause, 'policy-weakened');
    assert.equal(row.dueAt, null);
    assertNeverSent(name);
  });
}

test('the start with less names each connector that asks for less', () => {
  const said = gateway.log().find(({ msg }) => msg?.includes('than when the gateway last ran'));
  const weaker = JSON.stringify(said?.['weaker']);
  for (const name of Object.keys(weakened)) assert.match(weaker, new RegExp(name));
});

test('queue list and trace say in words what the policy no longer requires', async () => {
  const listed = await gateway.run('queue', 'list', '--state', 'held');
  assert.match(listed.stdout, /\(policy-weakened\)/);
  for (const name of Object.keys(weakened)) assert.match(listed.stdout, new RegExp(ids[name]!));
  assert.match(listed.stdout, /today's policy no longer requires encryption/);
  const trace = await gateway.run('trace', ids['deleted']!);
  assert.match(trace.stdout, /held: delivery 0 waits until it is released/);
});

test('a stricter policy acts at once on mail that waits', async () => {
  const row = await gateway.waitForRow(ids['tightened']!);
  assert.equal(row.state, 'queued');
  assert.match(row.lastOutcome?.reason ?? '', /UntrustedRoot/);
  assertNeverSent('tightened');
});

test('under the same policy mail that waits goes out, verified, once the partner is mended', () => {
  const taken = takenWith('floor-unchanged');
  assert.equal(taken.length, 1);
  assert.equal(taken[0]!.isTls, true);
});

test('new mail is not stopped by what was promised for the old', async () => {
  const id = await submit(gateway, { to: 'clerk@deleted.test', text: 'new mail' });
  await gateway.waitUntilGone(id);
  assert.equal(takenWith('new mail').length, 1);
});

test('what is held stays held over a restart', async () => {
  await gateway.restart();
  await sleep(1500);
  const rows = await gateway.queue();
  for (const name of Object.keys(weakened)) {
    assert.equal(rows.find(({ id }) => id === ids[name])?.state, 'held');
    assert.equal(takenWith(`floor-${name}`).length, 0);
  }
  await gateway.stop();
});
