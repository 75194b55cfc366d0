import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalConfig } from '../../test/support/sample-config.ts';
import { parseAddress } from '../mail/address.ts';
import { chooseOutbound } from '../policy/choose-outbound.ts';
import { findWeakened } from '../policy/floor.ts';
import { planDeliveries, routeKeyFor } from '../policy/plan-deliveries.ts';
import { findWeakenings } from '../policy/weakening/weakening.ts';
import { PolicyDraft } from './change-policy.ts';
import { composePolicy } from './compose-policy.ts';
import { parseConfig } from './load.ts';
import type { ObjectKey, PolicyObject } from './policy-object.ts';
import { splitPolicy } from './split-policy.ts';

const loaded = parseConfig(minimalConfig(), 'postern.yaml');
assert.equal(loaded.kind, 'loaded');
const objects = splitPolicy(loaded.raw);
const organization = objects.find(({ kind }) => kind === 'organization')!.name;
const key: ObjectKey = { kind: 'outbound-connector', organization, name: 'scanner' };
const value = { name: 'scanner', recipientDomains: 'a.test', smartHosts: '10.0.0.1' };

/** After `steps`, each by whoever said it, as the lanes see it. */
function smartHostsAfter(...steps: readonly (readonly [object, 'gateway' | 'organization'])[]) {
  let known = objects.map((object, at) => ({ ...object, position: at, revision: 1 }));
  steps.forEach(([changed, by], at) => {
    const draft = new PolicyDraft(known, at + 2, by === 'gateway' ? {} : { setBy: by });
    draft.change({ key, value: { ...value, ...changed }, place: null });
    known = [...draft.objects()];
  });
  const choose = () => ({ kind: 'stored', objects: known as readonly PolicyObject[] }) as const;
  const result = parseConfig(minimalConfig(), 'postern.yaml', choose);
  assert.equal(result.kind, 'loaded', JSON.stringify(result));
  const { route } = result.policy.organizations[0]!.outboundConnectors[0]!;
  assert.equal(route.kind, 'smart-hosts');
  const { policy } = result;
  return { setBy: route.hosts[0]!.setBy, revision: policy.revision, policy };
}

test("an inner address is reached by the gateway's administrator's word alone", () => {
  const other = { smartHosts: '10.0.0.2' };
  assert.equal(smartHostsAfter([{}, 'gateway']).setBy, undefined);
  assert.equal(smartHostsAfter([{}, 'organization']).setBy, 'organization');
  assert.equal(smartHostsAfter([{}, 'gateway'], [other, 'organization']).setBy, 'organization');
  assert.equal(smartHostsAfter([{}, 'organization'], [other, 'gateway']).setBy, undefined);
});

test('whoever changes something else says nothing of where mail goes', () => {
  const comment = { comment: 'x' };
  assert.equal(smartHostsAfter([{}, 'gateway'], [comment, 'organization']).setBy, undefined);
  assert.equal(smartHostsAfter([{}, 'organization'], [comment, 'gateway']).setBy, 'organization');
});

test('a file that repeats what an organization said says nothing of its own', () => {
  const theirs = { ...key, value, setBy: 'organization' } as const;
  const read = (written: object) => {
    const file = composePolicy({}, [...objects, { ...key, value: { ...value, ...written } }]).value;
    const choose = () => ({ kind: 'file', known: [theirs] }) as const;
    const result = parseConfig(JSON.stringify({ ...loaded.raw, ...file }), 'postern.yaml', choose);
    assert.equal(result.kind, 'loaded', JSON.stringify(result));
    const { route } = result.policy.organizations[0]!.outboundConnectors[0]!;
    const kept = result.objects.find(({ name }) => name === 'scanner')!.setBy;
    return [route.kind === 'smart-hosts' && route.hosts[0]!.setBy, kept];
  };
  assert.deepEqual(read({ comment: 'x' }), ['organization', 'organization']);
  assert.deepEqual(read({ smartHosts: '10.0.0.2' }), [undefined, undefined]);
});

test('whose word it is makes another policy, which decision records name', () => {
  const [mine, theirs] = (['gateway', 'organization'] as const).map((by) =>
    smartHostsAfter([{}, by]),
  );
  assert.notEqual(mine!.revision, theirs!.revision);
});

test('whose word it is weakens nothing, holds nothing and divides no mail', () => {
  const forced = { tlsSettings: 'EncryptionOnly' };
  const [mine, theirs] = (['gateway', 'organization'] as const).map(
    (by) => smartHostsAfter([forced, by]).policy,
  );
  const recipients = ['x@a.test', 'y@a.test'].map((text) => parseAddress(text)!);
  const message = {
    organization,
    recipients,
    clauses: [],
    source: { kind: 'submission', account: 'ann' },
    evidence: null,
  } as const;
  for (const [before, after] of [
    [mine!, theirs!],
    [theirs!, mine!],
  ] as const) {
    assert.deepEqual(findWeakenings(before, after), []);
    const [planned, ...others] = planDeliveries(before, message);
    assert.deepEqual(others, []);
    assert.deepEqual(planned!.recipients, recipients);
    const today = chooseOutbound(after, organization, recipients[0]!);
    assert.equal(planned!.floor.length > 0, true);
    assert.deepEqual(findWeakened(planned!.floor, today.requirement), []);
    assert.equal(planned!.routeKey, routeKeyFor(after, message, recipients[1]!));
  }
});
