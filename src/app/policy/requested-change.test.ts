import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlacedObject } from '../../config/change-policy.ts';
import type { ObjectKey, ObjectKind, ObjectValue } from '../../config/policy-object.ts';
import { Failure } from '../../mail/failure.ts';
import type { PolicyState } from './policy-book.ts';
import type { RequestedChange } from './requested-change.ts';
import { applyRequests } from './requested-change.ts';
import { WordsFor } from './words-for-others.ts';

function object(kind: ObjectKind, organization: string | null, name: string, value: object = {}) {
  return { kind, organization, name, value: value as ObjectValue, position: 1, revision: 3 };
}

const objects: readonly PlacedObject[] = [
  object('organization', null, 'contoso', { id: 'contoso' }),
  object('organization', null, 'fabrikam', { id: 'fabrikam' }),
  object('outbound-connector', 'contoso', 'bank', {
    name: 'bank',
    anchors: 'file:tls/bank.pem',
    clientCertificate: 'contoso',
  }),
  object('outbound-connector', 'fabrikam', 'clinic', {
    name: 'clinic',
    anchors: 'file:tls/clinic.pem',
    clientCertificate: 'fabrikam',
  }),
  object('mailbox', 'contoso', 'ann', { account: 'Ann', passwordHash: '$argon2id$secret' }),
];
const state: PolicyState = { revision: 3, objects, imported: null };

const connector = (name: string): ObjectKey => ({
  kind: 'outbound-connector',
  organization: 'contoso',
  name,
});

function put(key: ObjectKey, value: object): RequestedChange {
  return { kind: 'put', key, value: value as ObjectValue, place: null, expect: { kind: 'any' } };
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'done';
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
}

test("an organization's administrator names no file and no certificate that others use", () => {
  const theirs = [
    { clientCertificate: 'fabrikam' },
    { anchors: 'file:/etc/shadow' },
    { anchors: 'file:tls/clinic.pem' },
    { anchors: 'tls/clinic.pem' },
    { anchors: '/etc/shadow' },
    { anchors: './ca.pem' },
  ];
  const mine = [
    { clientCertificate: 'contoso' },
    { anchors: 'file:tls/bank.pem' },
    { anchors: 'tls/bank.pem' },
    { anchors: 'system' },
    {},
  ];
  const asked = (value: object, by: { setBy?: 'organization' }) =>
    codeOf(() => applyRequests(state, [put(connector('new'), value)], by));
  for (const value of theirs) {
    assert.equal(asked(value, { setBy: 'organization' }), 'means-not-yours', JSON.stringify(value));
    assert.equal(asked(value, {}), 'done');
  }
  for (const value of mine) assert.equal(asked(value, { setBy: 'organization' }), 'done');
  const patch = { ...put(connector('bank'), { clientCertificate: 'fabrikam' }), kind: 'patch' };
  const patched = () => applyRequests(state, [patch as RequestedChange], { setBy: 'organization' });
  assert.equal(codeOf(patched), 'means-not-yours');
});

test('what would stand where nobody looks is refused', () => {
  const misplaced: readonly (readonly [ObjectKey, string])[] = [
    [{ kind: 'rule', organization: null, name: 'a' }, 'object-misplaced'],
    [{ kind: 'certificate', organization: 'contoso', name: 'a' }, 'object-misplaced'],
    [{ kind: 'organization', organization: 'contoso', name: 'a' }, 'object-misplaced'],
    [{ kind: 'rule', organization: 'nobody', name: 'a' }, 'object-unknown'],
  ];
  for (const [key, code] of misplaced) {
    assert.equal(
      codeOf(() => applyRequests(state, [put(key, {})])),
      code,
      JSON.stringify(key),
    );
  }
  const both = [
    put({ kind: 'rule', organization: 'new', name: 'a' }, {}),
    put({ kind: 'organization', organization: null, name: 'new' }, {}),
  ];
  assert.equal(
    codeOf(() => applyRequests(state, both)),
    'done',
  );
});

test('what an organization holds is no key of it, so that nothing comes past its own permission', () => {
  const key: ObjectKey = { kind: 'organization', organization: null, name: 'contoso' };
  const lists = ['deliveryTargets', 'outboundConnectors', 'rules', 'mailboxes', 'acceptedDomains'];
  for (const list of lists) {
    const inner = put(key, { name: 'Contoso', [list]: [{ name: 'inner', hosts: ['10.0.0.1'] }] });
    for (const kind of ['put', 'patch'] as const) {
      const work = () => applyRequests(state, [{ ...inner, kind } as RequestedChange]);
      assert.equal(codeOf(work), 'object-misplaced', `${kind} ${list}`);
    }
  }
  assert.equal(
    codeOf(() => applyRequests(state, [put(key, { name: 'Contoso' })])),
    'done',
  );
});

test('a password that is not said stays, and only null takes it away', () => {
  const key: ObjectKey = { kind: 'mailbox', organization: 'contoso', name: 'ANN' };
  const hashAfter = (value: object) =>
    applyRequests(state, [put(key, value)]).find(({ kind }) => kind === 'mailbox')?.value[
      'passwordHash'
    ];
  assert.equal(hashAfter({}), '$argon2id$secret');
  assert.equal(hashAfter({ passwordHash: '(redacted by config print)' }), '$argon2id$secret');
  assert.equal(hashAfter({ passwordHash: null }), null);
  assert.equal(hashAfter({ passwordHash: 'other' }), 'other');
});

test('a change of routing, TLS or names forgets what was recorded of the last validation', () => {
  const recorded = { isValidated: true, lastValidationTimestamp: '2026-01-02T03:04:05Z' };
  const value: ObjectValue = { name: 'clinic', tlsSettings: 'EncryptionOnly', ...recorded };
  const clinic = { ...object('outbound-connector', 'contoso', 'clinic', value) };
  const kept = (patch: object): unknown => {
    const request = { ...put(connector('clinic'), patch), kind: 'patch' } as RequestedChange;
    const after = applyRequests({ ...state, objects: [...objects, clinic] }, [request]);
    const found = after.find(
      ({ name, organization }) => name === 'clinic' && organization === 'contoso',
    );
    return found?.value['isValidated'] ?? false;
  };
  const same = [{}, { comment: 'x' }, { mode: 'observe' }, { tlsSettings: 'EncryptionOnly' }];
  for (const patch of same) assert.equal(kept(patch), true, JSON.stringify(patch));
  for (const patch of [
    { tlsSettings: null },
    { smartHosts: '192.0.2.1' },
    { tlsDomain: '*.a.test' },
    { recipientDomains: 'a.test' },
    { minVersion: 'TLSv1.3' },
    { pins: ['x'] },
    { anchors: 'system' },
    { clientCertificate: 'x' },
  ]) {
    assert.equal(kept(patch), false, JSON.stringify(patch));
    assert.equal(kept({ ...patch, isValidated: true }), true, 'said anew');
  }
});

test('a name stays what it is, and may be left out', () => {
  const renamed = [put(connector('bank'), { name: 'other' })];
  assert.equal(
    codeOf(() => applyRequests(state, renamed)),
    'object-name-differs',
  );
  const left = applyRequests(state, [put(connector('bank'), { comment: 'x' })]);
  assert.deepEqual(left.find(({ name }) => name === 'bank')?.value, { name: 'bank', comment: 'x' });
});

test('whoever looks after one organization is told nothing of another', () => {
  const words = new WordsFor(['contoso'], ['contoso', 'fabrikam', 'con']);
  const problem = {
    file: '',
    line: 0,
    column: 0,
    key: 'domain',
    text: 'x.test belongs to the organization "fabrikam" already',
    suggestion: 'fabrikam',
    severity: 'error',
    object: { kind: 'accepted-domain', organization: 'contoso', name: 'x.test' },
  } as const;
  const told = words.problem(problem);
  assert.doesNotMatch(JSON.stringify(told), /fabrikam/);
  assert.deepEqual([told.key, told.object], ['domain', problem.object]);
  const theirs = {
    ...problem,
    text: 'wrong',
    object: { ...problem.object, organization: 'fabrikam' },
  };
  assert.doesNotMatch(JSON.stringify(words.problem(theirs)), /fabrikam|x\.test/);
  assert.equal(words.text('contoso and contoso-2 are named'), 'contoso and contoso-2 are named');
  assert.notEqual(words.text('there are: con, other'), 'there are: con, other');
  assert.equal(new WordsFor(null, ['fabrikam']).problem(problem), problem);
});
