import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Actor } from './actor.ts';
import { socketActor } from './actor.ts';
import type { Grant, Permission, Role } from './permissions.ts';
import {
  isForTokens,
  judgeGrant,
  levelOf,
  mayAnywhere,
  mayDo,
  organizationsOf,
  permissions,
  permissionsOf,
  roles,
} from './permissions.ts';

function makeActor(grants: readonly Grant[], more: Partial<Actor> = {}): Actor {
  const person = { id: 'p1', name: 'ada' };
  return { ...socketActor, kind: 'session', person, grants, credential: 's1', ...more };
}

const inA = (role: Role): Actor => makeActor([{ role, organization: 'a' }]);
const everywhere = (role: Role): Actor => makeActor([{ role, organization: null }]);

test('nobody may anything without a grant, but look at and change the own account', () => {
  const nobody = makeActor([]);
  assert.deepEqual(permissionsOf(nobody), ['session.read', 'account.own']);
});

test('a grant for one organization reaches no other, and nothing that is common', () => {
  for (const role of roles) {
    for (const permission of permissions.filter((each) => levelOf(each) !== 'own')) {
      assert.equal(mayDo(inA(role), permission, 'b'), false, `${role} ${permission}`);
      assert.equal(mayDo(inA(role), permission, null), false, `${role} ${permission}`);
      assert.equal(mayDo(inA(role), permission, ''), false, `${role} ${permission}`);
    }
  }
});

test('what is common to all is not given by a grant for one organization, even for it', () => {
  const common = permissions.filter((each) => levelOf(each) === 'gateway');
  for (const role of roles) {
    for (const permission of common) assert.equal(mayDo(inA(role), permission, 'a'), false);
  }
});

test('an auditor changes nothing', () => {
  const may = permissionsOf(everywhere('auditor'));
  const changing = may.filter((each) => !each.endsWith('.read'));
  assert.deepEqual(changing, ['explain', 'audit.export', 'account.own']);
  for (const each of permissions.filter((name) => name.endsWith('.read'))) {
    assert.ok(may.includes(each), each);
  }
});

test('the help desk sees queue and trace, no content and no policy', () => {
  assert.deepEqual(permissionsOf(everywhere('help-desk')), [
    'status.read',
    'queue.read',
    'trace.read',
    'session.read',
    'account.own',
  ]);
});

test('a connector administrator writes connectors and no other policy', () => {
  const may = permissionsOf(inA('connector-administrator'));
  assert.ok(may.includes('connector.write'));
  for (const each of ['policy.write', 'queue.order', 'content.read', 'person.write'] as const) {
    assert.ok(!may.includes(each), each);
  }
});

test('an organization administrator may all that is of the organization, and no more', () => {
  const may = permissionsOf(inA('organization-administrator'));
  assert.deepEqual(
    may.filter((each) => levelOf(each) !== 'own'),
    permissions.filter((each) => levelOf(each) === 'organization'),
  );
});

test('the gateway administrator and the socket may everything everywhere', () => {
  for (const permission of permissions.filter((each) => levelOf(each) !== 'own')) {
    for (const organization of ['a', 'b', null]) {
      assert.ok(mayDo(everywhere('gateway-administrator'), permission, organization));
      assert.ok(mayDo(socketActor, permission, organization));
    }
  }
});

test('accounts are changed neither by tokens nor over the socket', () => {
  const token = makeActor([{ role: 'gateway-administrator', organization: null }], {
    kind: 'token',
    narrowing: { permissions, organization: null },
  });
  assert.ok(!mayAnywhere(token, 'account.own'));
  assert.ok(!mayAnywhere(socketActor, 'account.own'));
  assert.ok(mayAnywhere(token, 'session.read'));
});

test('no token makes people or tokens, whatever it was given: that would outlive its revocation', () => {
  const token = makeActor([{ role: 'gateway-administrator', organization: null }], {
    kind: 'token',
    narrowing: { permissions, organization: null },
  });
  for (const permission of ['person.write', 'token.write'] as const) {
    assert.ok(!mayAnywhere(token, permission), permission);
    assert.ok(!isForTokens(permission), permission);
  }
  assert.ok(mayDo(token, 'person.read', null));
  assert.ok(mayDo(token, 'config.reload', null));
});

test('a token may no more than its permissions, its organization and its person', () => {
  const grants: Grant[] = [{ role: 'organization-administrator', organization: 'a' }];
  const make = (names: readonly Permission[], organization: string | null): Actor =>
    makeActor(grants, { kind: 'token', narrowing: { permissions: names, organization } });
  assert.ok(mayDo(make(['queue.read'], null), 'queue.read', 'a'));
  assert.ok(!mayDo(make(['queue.read'], null), 'queue.order', 'a'));
  assert.ok(!mayDo(make(['queue.read'], null), 'queue.read', 'b'));
  assert.ok(!mayDo(make(['queue.read'], 'b'), 'queue.read', 'a'));
  assert.ok(!mayDo(make(['queue.read'], 'b'), 'queue.read', 'b'));
  assert.ok(!mayDo(make(['person.write'], null), 'person.write', null));
  assert.ok(!mayDo(make([], null), 'queue.read', 'a'));
});

test('a token of a gateway administrator that is for one organization reaches only that one', () => {
  const token = makeActor([{ role: 'gateway-administrator', organization: null }], {
    kind: 'token',
    narrowing: { permissions, organization: 'a' },
  });
  assert.deepEqual(organizationsOf(token, 'queue.read'), { kind: 'some', organizations: ['a'] });
  assert.ok(!mayDo(token, 'queue.read', null));
  assert.ok(!mayDo(token, 'person.write', null));
  assert.ok(!mayDo(token, 'person.write', 'a'));
});

test('grants add up, each in its own place', () => {
  const actor = makeActor([
    { role: 'help-desk', organization: null },
    { role: 'organization-administrator', organization: 'a' },
    { role: 'connector-administrator', organization: 'b' },
  ]);
  assert.ok(mayDo(actor, 'queue.read', 'c'));
  assert.ok(mayDo(actor, 'policy.write', 'a'));
  assert.ok(!mayDo(actor, 'policy.write', 'b'));
  assert.deepEqual(organizationsOf(actor, 'connector.write'), {
    kind: 'some',
    organizations: ['a', 'b'],
  });
});

test('a permission or role that there is not gives nothing, not even on the socket', () => {
  for (const name of ['', 'everything', 'constructor', '__proto__', 'toString']) {
    assert.ok(!mayAnywhere(socketActor, name as Permission), name);
    assert.ok(!mayAnywhere(everywhere(name as Role), 'queue.read'), name);
  }
});

test('gateway administrator is no role for one organization', () => {
  assert.notEqual(judgeGrant({ role: 'gateway-administrator', organization: 'a' }), null);
  assert.equal(judgeGrant({ role: 'gateway-administrator', organization: null }), null);
  assert.equal(judgeGrant({ role: 'auditor', organization: 'a' }), null);
  const bent = makeActor([{ role: 'gateway-administrator', organization: 'a' }]);
  assert.ok(!mayDo(bent, 'person.write', null));
});
