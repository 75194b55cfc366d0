/** Validations in a lane: by the word of whoever named the hosts, bounded, and apart from live mail. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import { partnerTls, toPartner } from '../../test/support/delivery-rig.ts';
import { address, policy } from '../../test/support/policy.ts';
import { minimalConfig } from '../../test/support/sample-config.ts';
import { client, removeDirectory } from '../../test/support/tls-ends.ts';
import { causesOf } from '../../test/support/validation-rig.ts';
import { parseConfig } from '../config/load.ts';
import { createFakeResolver } from '../dns/fake-resolver.ts';
import type { FakeEntry } from '../dns/fake-zone.ts';
import { Failure } from '../mail/failure.ts';
import type { Policy, SmartHost } from '../policy/policy.ts';
import { startFakePartner } from '../testing/fake-partner.ts';
import type { Frame } from './lane-rooms.ts';
import { LaneValidations } from './lane-validation.ts';
import type { LaneValidation } from './messages.ts';

after(removeDirectory);

const loaded = parseConfig(minimalConfig(), '/nowhere/postern.yaml');
assert.equal(loaded.kind, 'loaded');
const { config } = loaded;

const leadingTo = (part: Partial<SmartHost>): Policy => {
  const hosts = [{ host: '127.0.0.1', port: 1, ...part }];
  const route = { kind: 'smart-hosts', hosts } as const;
  return policy({ outboundConnectors: [toPartner({ route, tlsSettings: 'EncryptionOnly' })] });
};

const order: LaneValidation = {
  id: 'run',
  organization: 'org',
  connector: 'to partner',
  configuration: null,
  smartHostsSetBy: 'gateway',
  recipients: [address('b@partner.test')],
  reversePath: null,
  asksEnvelope: true,
  message: {
    from: 'a@example.test',
    subject: 'x',
    content: Buffer.from('Subject: x\r\n\r\nx\r\n'),
  },
};

/** `closed`: resolvers that were closed. */
function laneWith(inForce: Policy, zone: Readonly<Record<string, FakeEntry>> = {}) {
  const resolvers = { open: 0, closed: 0 };
  const frame = {
    start: { share: 1 },
    inForce: () => ({ config, policy: inForce, tls: { client, anchors: client.anchors } }),
    policy: () => inForce,
    openResolver: async () => {
      resolvers.open++;
      return { ...createFakeResolver(zone), close: () => void resolvers.closed++ };
    },
    takeInside: () => assert.fail('a validation hands nothing over inside'),
    doors: { addresses: () => [] },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  };
  const validations = new LaneValidations(frame as unknown as Frame);
  const run = (part: Partial<LaneValidation> = {}) =>
    validations.run({ ...order, ...part }, () => undefined);
  return { validations, run, resolvers };
}

async function partner(t: TestContext) {
  const started = await startFakePartner({ tls: partnerTls.trusted });
  t.after(() => started.close());
  return started;
}

test('what the gateway named is reached within, and the message goes once', async (t) => {
  const { port, messages } = await partner(t);
  const { run, resolvers } = laneWith(leadingTo({ port }));
  const { result, summary } = await run();
  assert.equal(result, 'succeeded', summary);
  assert.equal(messages.length, 1);
  assert.deepEqual(resolvers, { open: 1, closed: 1 });
});

test('what an organization named is not dialled within, in force or drafted', async (t) => {
  const { port, connections } = await partner(t);
  const theirs = laneWith(leadingTo({ port, setBy: 'organization' }));
  assert.deepEqual(causesOf(await theirs.run()), ['address-not-allowed']);
  const { run } = laneWith(leadingTo({}));
  const configuration = { config, policy: leadingTo({ port }), files: new Map() };
  const drafted = await run({ configuration, smartHostsSetBy: 'organization' });
  assert.deepEqual(causesOf(drafted), ['address-not-allowed']);
  assert.equal(drafted.isDraft, true);
  assert.deepEqual(connections, []);
});

test('a draft takes nothing that mail does not go out with: certificates of listeners are not read', async (t) => {
  const { port } = await partner(t);
  const { run } = laneWith(leadingTo({}));
  const configuration = { config, policy: leadingTo({ port }), files: new Map() };
  const { result, summary } = await run({ configuration });
  assert.equal(result, 'succeeded', summary);
});

test('no more than eight run in a lane, and its end cuts those that do', async () => {
  const zone = { 'slow.test': { a: ['192.0.2.1'], delayMs: 50 } };
  const { run, validations, resolvers } = laneWith(leadingTo({ host: 'slow.test' }), zone);
  const running = Array.from({ length: 8 }, () => run());
  const refused: unknown = await run().catch((error: unknown) => error);
  assert.ok(refused instanceof Failure);
  assert.equal(refused.code, 'validation-busy');
  validations.stop();
  for (const { findings } of await Promise.all(running)) {
    assert.equal(findings.at(-1)?.cause, 'took-too-long');
  }
  assert.deepEqual(resolvers, { open: 8, closed: 8 });
  const late = await run();
  assert.equal(late.findings.at(-1)?.cause, 'took-too-long');
});
