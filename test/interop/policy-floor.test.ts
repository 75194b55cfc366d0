/**
 * Mail that waits under forced TLS while the policy is changed over the API, in every way that there is:
 * what demands less holds it, what demands as much leaves it waiting, and nothing of it leaves in clear.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ChangedView, ChangesOrderInput } from '../../src/api/contract/policy-objects.ts';
import { Failure } from '../../src/mail/failure.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import type { FakePartner } from '../../src/testing/fake-partner.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { submit } from '../support/submit.ts';

type Changes = ChangesOrderInput['changes'];

let gateway: RunningGateway;
/** Neither offers TLS. */
let clear: FakePartner;
let other: FakePartner;
/** The revision before anything was forced. */
let open: number;
const ids: Record<string, string> = {};
const reason = 'as the test wants it';

const key = (name: string) => ({
  kind: 'outbound-connector' as const,
  organization: 'example',
  name,
});
const forced = (name: string, part: object = {}) => ({
  recipientDomains: `${name}.test`,
  tlsSettings: 'EncryptionOnly',
  smartHosts: smartHost(clear.port),
  ...part,
});
const put = (name: string, value: object) => ({ kind: 'put', object: key(name), value }) as const;
const patch = (name: string, value: object) =>
  ({ kind: 'patch', object: key(name), value }) as const;
const remove = (name: string) => ({ kind: 'remove', object: key(name) }) as const;

const change = (changes: readonly object[], why: string | null): Promise<ChangedView> =>
  gateway.api.changePolicy({ changes: changes as Changes, reason: why });
const takeBack = (names: readonly string[] | null, why: string | null): Promise<ChangedView> => {
  const objects = names === null ? null : names.map(key);
  return gateway.api.rollBack(open, { objects, reason: why });
};

type Way = (reason: string | null) => Promise<ChangedView>;

/** Each is refused without a reason, and with one holds the mail for the domain of its name. */
const weaker: Readonly<Record<string, Way>> = {
  patched: (why) => change([patch('patched', { tlsSettings: null })], why),
  watched: (why) => change([patch('watched', { mode: 'observe' })], why),
  off: (why) => change([patch('off', { enabled: false })], why),
  removed: (why) => change([remove('removed')], why),
  narrowed: (why) => change([patch('narrowed', { recipientDomains: 'elsewhere.test' })], why),
  replaced: (why) => {
    const { tlsSettings: _none, ...less } = forced('replaced');
    return change([remove('replaced'), put('new', less)], why);
  },
  twin: (why) => change([remove('twin'), patch('twin of twin', { mode: 'warn' })], why),
  'taken-back': (why) => takeBack(['taken-back'], why),
};
/** These demand as much: the mail goes on waiting. */
const equal: Readonly<Record<string, Way>> = {
  renamed: (why) => change([remove('renamed'), put('another', forced('renamed'))], why),
  moved: (why) => change([patch('moved', { smartHosts: smartHost(other.port) })], why),
};

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => (error instanceof Failure ? error.code : String(error)),
  );
}

before(async () => {
  [clear, other] = await Promise.all([startFakePartner(), startFakePartner()]);
  gateway = await startGateway(await gatewaySetup({ peerPorts: [clear.port, other.port] }));
  const rest = { recipientDomains: '*', smartHosts: smartHost(clear.port) };
  open = (await change([put('rest', rest)], null)).revision;
  const names = [...Object.keys(weaker), ...Object.keys(equal), 'all'];
  const connectors = names.map((name) => put(name, forced(name)));
  await change([...connectors, put('twin of twin', forced('twin'))], null);
  for (const name of names) ids[name] = await submit(gateway, { to: `clerk@${name}.test` });
  for (const id of Object.values(ids)) {
    await gateway.waitForRow(id, (row) => row.lastOutcome?.cause === 'tls-not-offered');
  }
});
after(async () => {
  await gateway?.remove();
  await Promise.all([clear, other].map((partner) => partner?.close()));
});

function assertNothingSent(): void {
  const partners = [clear, other].flatMap(({ messages }) => messages);
  assert.deepEqual(partners, []);
}

for (const [name, way] of Object.entries(weaker)) {
  test(`what demands less holds mail that waits: ${name}`, async () => {
    assert.equal(await codeOf(way(null)), 'policy-asks-less');
    const { policyRevision } = await way(reason);
    const row = await gateway.waitForRow(ids[name]!, ({ state }) => state === 'held');
    assert.equal(row.lastOutcome?.cause, 'policy-weakened');
    const trace = JSON.stringify(await gateway.trace(ids[name]!));
    assert.ok(
      trace.includes(policyRevision),
      'the attempt names the policy that it was made under',
    );
    assertNothingSent();
  });
}

for (const [name, way] of Object.entries(equal)) {
  test(`what demands as much leaves mail waiting: ${name}`, async () => {
    await way(reason);
    const { attempts } = await gateway.waitForRow(ids[name]!);
    const row = await gateway.waitForRow(ids[name]!, (each) => each.attempts > attempts);
    assert.deepEqual([row.state, row.lastOutcome?.cause], ['queued', 'tls-not-offered']);
    assertNothingSent();
  });
}

test('the whole policy taken back holds what is left, and nothing of any left in clear', async () => {
  assert.equal(await codeOf(takeBack(null, null)), 'policy-asks-less');
  await takeBack(null, reason);
  for (const name of ['all', ...Object.keys(equal)]) {
    const row = await gateway.waitForRow(ids[name]!, ({ state }) => state === 'held');
    assert.equal(row.lastOutcome?.cause, 'policy-weakened');
  }
  assertNothingSent();
});
