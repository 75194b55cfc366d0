import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOfPolicy } from '../../config/split-policy.ts';
import { chooseAtReload, chooseAtStart, conflictOf, judgeFile } from './choose-policy.ts';
import type { PolicyState } from './policy-book.ts';

const file = { hostName: 'mx.test', organizations: [{ id: 'contoso' }] };
const digest = digestOfPolicy(file)!;
const state = (revision: number, imported: PolicyState['imported']): PolicyState => ({
  revision,
  objects: [],
  imported,
});

test('a file acts where it says what was not taken over, and nobody else changed the policy', () => {
  const cases = [
    [null, state(0, null), 'taken-over'],
    [digest, state(0, null), 'new'],
    [digest, state(3, { digest, revision: 1 }), 'taken-over'],
    [digest, state(3, { digest: 'other', revision: 3 }), 'new'],
    [digest, state(3, { digest: 'other', revision: 2 }), 'conflicts'],
    [digest, state(3, null), 'conflicts'],
    [null, state(3, { digest: 'other', revision: 2 }), 'taken-over'],
  ] as const;
  for (const [of, kept, expected] of cases) assert.equal(judgeFile(of, kept), expected);
});

test('where both were changed a reload asks, and a start goes on with what was in force', () => {
  const kept = state(3, { digest: 'other', revision: 2 });
  const asked = chooseAtReload(kept, false)(file);
  assert.equal(asked.kind, 'refused');
  assert.match(asked.text, /since revision 2 .* at revision 3.*--overwrite-policy/);
  assert.equal(chooseAtReload(kept, true)(file).kind, 'file');
  const heard: string[] = [];
  assert.equal(chooseAtStart(kept, (text) => heard.push(text))(file).kind, 'stored');
  assert.equal(heard.length, 1);
});

test('a file that is meant acts also where nobody edited it since it was read', () => {
  const kept = state(3, { digest, revision: 1 });
  assert.equal(chooseAtReload(kept, false)(file).kind, 'stored');
  assert.equal(chooseAtReload(kept, true)(file).kind, 'file');
  assert.equal(chooseAtReload(kept, true)({ hostName: 'mx.test' }).kind, 'stored');
});

test('a file of certificates alone takes no organization away', () => {
  const certificates = { certificates: { server: { certificate: 'a.pem', key: 'a.key' } } };
  const organization = { kind: 'organization', organization: null, name: 'contoso' } as const;
  const placed = { ...organization, value: { id: 'contoso' }, position: 1, revision: 1 };
  const kept = { ...state(1, { digest, revision: 1 }), objects: [placed] };
  for (const overwrite of [false, true]) {
    const asked = chooseAtReload(kept, overwrite)(certificates);
    assert.equal(asked.kind, 'refused');
    assert.match(asked.text, /no organizations, while the policy has some/);
  }
  // `organizations:` with nothing below it: all of them were made comments.
  const emptied = { organizations: null };
  assert.equal(chooseAtReload(kept, false)(emptied).kind, 'refused');
  assert.equal(chooseAtStart(kept)(emptied).kind, 'stored');
  assert.match(conflictOf(certificates, kept)!, /no organizations/);
  const heard: string[] = [];
  assert.equal(chooseAtStart(kept, (text) => heard.push(text))(certificates).kind, 'stored');
  assert.match(heard.join(), /it is not read/);
  const meant = { ...certificates, organizations: [] };
  assert.equal(chooseAtReload(kept, false)(meant).kind, 'file');
  assert.equal(chooseAtReload(state(0, null), false)(certificates).kind, 'file');
});

test('static keys of a file are no part of what it says of the policy', () => {
  assert.equal(digestOfPolicy({ hostName: 'mx.test' }), null);
  assert.equal(digestOfPolicy({ ...file, hostName: 'other.test' }), digest);
});
