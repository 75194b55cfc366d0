/** What a replay judges by: the policy in force with changes, or what a file would say; no file is read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalConfig } from '../../../test/support/sample-config.ts';
import { replayOrderSchema } from '../../api/contract/replay.ts';
import { parseConfig } from '../../config/load.ts';
import { splitPolicy } from '../../config/split-policy.ts';
import type { Actor } from '../../identity/actor.ts';
import { socketActor } from '../../identity/actor.ts';
import { Failure } from '../../mail/failure.ts';
import type { PolicyState } from './policy-book.ts';
import { composeReplayCandidate } from './replay-candidate.ts';

const text = minimalConfig();
const loaded = parseConfig(text, '/etc/postern/postern.yaml');
assert.ok(loaded.kind === 'loaded', JSON.stringify(loaded));
const { config, raw } = loaded;
const objects = splitPolicy(raw).map((object, position) => ({ ...object, position, revision: 1 }));
const state = { revision: 1, objects, imported: null } as unknown as PolicyState;

function compose(order: object, actor: Actor = socketActor) {
  return composeReplayCandidate({ config, text }, state, {
    order: replayOrderSchema.parse(order),
    actor,
  });
}

const connector = (value: object = {}) => ({
  changes: [
    {
      kind: 'put',
      object: { kind: 'outbound-connector', organization: 'example', name: 'a' },
      value: { recipientDomains: 'a.test', ...value },
    },
  ],
});

function connectorsOf(order: object): readonly string[] {
  const candidate = compose(order);
  assert.ok(candidate.kind === 'loaded', JSON.stringify(candidate));
  return candidate.policy.organizations.flatMap((each) =>
    each.outboundConnectors.map(({ name }) => name),
  );
}

test('changes are made to the policy in force, a configuration stands for itself', () => {
  assert.deepEqual(connectorsOf({}), []);
  assert.deepEqual(connectorsOf(connector()), ['a']);
  assert.deepEqual(objects.length, splitPolicy(raw).length);
  const other = `${text}    outboundConnectors:\n      - { name: b, recipientDomains: b.test }\n`;
  assert.deepEqual(connectorsOf({ config: other }), ['b']);
  // Without a policy of its own it is judged with the one that is kept.
  const fixed = text.slice(0, text.indexOf('certificates:')) + 'serverCertificates: own\n';
  const kept = compose({ config: fixed });
  assert.ok(kept.kind === 'loaded');
  assert.equal(kept.policy.organizations[0]?.id, 'example');
});

test('what no policy can be made of is refused with its problems', () => {
  const refused = compose(connector({ tlsSettings: 'Nonsense' }));
  assert.ok(refused.kind === 'refused');
  assert.match(refused.problems[0]!.text, /Nonsense|must be/);
  assert.ok(compose({ config: 'hostName: [' }).kind === 'refused');
});

const ofExample: Actor = {
  ...socketActor,
  kind: 'session',
  person: { id: 'p', name: 'ada' },
  grants: [{ role: 'organization-administrator', organization: 'example' }],
};

test('whoever looks after one organization names no file of the gateway', () => {
  const anchors = 'file:/etc/shadow';
  const named = connector({ tlsSettings: 'CertificateValidation', anchors });
  assert.throws(
    () => compose(named, ofExample),
    (error) => error instanceof Failure && error.code === 'means-not-yours',
  );
  // And nobody has one read: it need not be there.
  assert.equal(compose(named).kind, 'loaded');
});
