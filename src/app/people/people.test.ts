import assert from 'node:assert/strict';
import { test } from 'node:test';
import { socketActor } from '../../identity/actor.ts';
import { mayDo } from '../../identity/permissions.ts';
import { ChainVerifier } from '../../report/audit-chain.ts';
import { bearer, cookie, from, goodPassword, openRig } from '../../../test/support/people-rig.ts';

const admin = { role: 'gateway-administrator', organization: null } as const;
const inContoso = { role: 'organization-administrator', organization: 'contoso' } as const;
const token = {
  name: 'ci',
  permissions: ['queue.read' as const],
  organization: null,
  expiresInDays: 90,
};
const failsWith = (code: string) => ({ code });
const dayMs = 24 * 3_600_000;

test('a token that expired, was removed, or whose person is off or gone is nobody', async () => {
  const { services, add, clock } = openRig();
  for (const name of ['ada', 'bob', 'eve']) add(name, [admin]);
  const make = (person: string) => services.addToken({ ...token, person }, socketActor);
  const [ada, removed, bob, eve] = [make('ada'), make('ada'), make('bob'), make('eve')];
  assert.equal(services.authenticate(bearer(ada.secret))?.person?.name, 'ada');
  services.removeToken(removed.id, socketActor);
  assert.equal(services.authenticate(bearer(removed.secret)), null);
  await services.changePerson('bob', { reason: null, isEnabled: false }, socketActor);
  assert.equal(services.authenticate(bearer(bob.secret)), null);
  services.removePerson('eve', null, socketActor);
  assert.equal(services.authenticate(bearer(eve.secret)), null);
  clock.nowMs += 90 * dayMs;
  assert.equal(services.authenticate(bearer(ada.secret)), null);
});

test('a wrong token is nobody, even together with a good cookie', async () => {
  const { services, add, signIn } = openRig();
  add('ada', [admin]);
  const { secret } = await signIn('ada');
  const good = services.addToken({ ...token, person: 'ada' }, socketActor).secret;
  for (const authorization of ['', 'Basic x', 'Bearer', `Bearer ${good}x`, `Bearer ${secret}`]) {
    const both = { ...cookie(secret), authorization };
    assert.equal(services.authenticate(both), null, authorization);
  }
  assert.equal(services.authenticate(from), null);
});

test('where nothing can be written whoever is known is known, ends in time, and changes nothing', async () => {
  const { services, add, signIn, clock, fill } = openRig();
  add('ada', [admin]);
  const { secret } = services.addToken({ ...token, person: 'ada' }, socketActor);
  const session = await signIn('ada');
  fill();
  clock.nowMs += 10 * 60_000;
  const known = services.authenticate(cookie(session.secret));
  assert.equal(known?.person?.name, 'ada');
  assert.equal(services.authenticate(bearer(secret))?.person?.name, 'ada');
  await assert.rejects(signIn('ada'), failsWith('store-conflict'));
  assert.throws(() => services.signOut(known), failsWith('store-conflict'));
  const change = services.changePerson('ada', { reason: null, grants: [admin, inContoso] }, known);
  await assert.rejects(change, failsWith('store-conflict'));
  assert.deepEqual(services.readPerson('ada').grants, [admin]);
  clock.nowMs += 20 * 60_000;
  assert.equal(services.authenticate(cookie(session.secret)), null, 'use was not written down');
});

test('a token loses at once what its person loses', async () => {
  const { services, add } = openRig();
  add('ada', [admin]);
  const { secret } = services.addToken({ ...token, person: 'ada' }, socketActor);
  const order = { reason: null, grants: [{ ...inContoso }] };
  await services.changePerson('ada', order, socketActor);
  const actor = services.authenticate(bearer(secret))!;
  assert.ok(mayDo(actor, 'queue.read', 'contoso'));
  assert.ok(!mayDo(actor, 'queue.read', 'fabrikam'));
  assert.ok(!mayDo(actor, 'queue.order', 'contoso'));
});

test("people remove their own tokens and nobody else's", async () => {
  const { services, add, signIn } = openRig();
  add('ada', [admin]);
  add('bob', [admin]);
  const actor = services.authenticate(cookie((await signIn('bob')).secret))!;
  const ada = services.addToken({ ...token, person: 'ada' }, socketActor);
  assert.throws(() => services.removeOwnToken(ada.id, actor), failsWith('token-unknown'));
  const own = services.addOwnToken(token, actor);
  assert.deepEqual(
    services.listOwnTokens(actor).tokens.map(({ id }) => id),
    [own.id],
  );
  services.removeOwnToken(own.id, actor);
  assert.equal(services.authenticate(bearer(own.secret)), null);
});

test('of a token its use is known and its secret is not', async () => {
  const { services, add, bytes, clock } = openRig();
  add('ada', [admin]);
  const made = services.addToken({ ...token, person: 'ada' }, socketActor);
  assert.equal(services.listTokens('ada').tokens[0]?.lastUsedAt, null);
  clock.nowMs += 5000;
  services.authenticate(bearer(made.secret));
  assert.equal(services.listTokens(null).tokens[0]?.lastUsedAt, '2026-11-28T20:00:05.000Z');
  const file = bytes();
  assert.ok(file.includes(made.id), 'the token is in it');
  assert.ok(!file.includes(made.secret.slice(4)));
  assert.ok(!JSON.stringify(services.listTokens(null)).includes('pst_'));
});

test('the first administrator comes by a link, once, within a day, while there is nobody', async () => {
  const rig = openRig();
  const { services, clock } = rig;
  const secretOf = (url: string): string => url.split('#')[1]!;
  const accept = (secret: string, more = {}) =>
    services.accept({ secret, name: 'ada', password: goodPassword, ...more }, from);
  const old = secretOf(rig.inviteFirst()!);
  const url = rig.inviteFirst()!;
  assert.match(url, /^https:\/\/gateway\.example\.test:8443\/welcome#psl_[A-Za-z0-9_-]{43}$/);
  const link = secretOf(url);
  for (const secret of ['', 'psl_', old, `${link}x`, link.replace('psl_', 'pst_')]) {
    await assert.rejects(accept(secret), failsWith('invitation-unusable'), secret);
  }
  await assert.rejects(accept(link, { password: 'short' }), failsWith('password-unfit'));
  await assert.rejects(accept(link, { name: null }), failsWith('name-needed'));
  clock.nowMs += dayMs;
  await assert.rejects(accept(link), failsWith('invitation-unusable'));
  const fresh = secretOf(rig.inviteFirst()!);
  const both = await Promise.allSettled([accept(fresh), accept(fresh, { name: 'eve' })]);
  assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  await assert.rejects(accept(fresh, { name: 'mallory' }), failsWith('invitation-unusable'));
  assert.equal(services.listPeople().people.length, 1);
  assert.deepEqual(services.listPeople().people[0]?.grants, [admin]);
  assert.equal(rig.inviteFirst(), null);
  assert.throws(() => services.invite(null, socketActor), failsWith('administrator-exists'));
});

test('a link for the first administrator is of no use once there is somebody', async () => {
  const rig = openRig();
  const secret = rig.inviteFirst()!.split('#')[1]!;
  rig.add('ada');
  await assert.rejects(
    rig.services.accept({ secret, name: 'eve', password: goodPassword }, from),
    failsWith('invitation-unusable'),
  );
});

test('whoever is invited chooses a password, and gives no other name', async () => {
  const { services, add, signIn } = openRig();
  add('ada', [inContoso]);
  const open = await signIn('ada');
  const { secret } = services.invite('ada', socketActor);
  const password = 'another good password';
  const name = await services.accept({ secret, name: 'eve', password }, from);
  assert.equal(name, 'ada');
  assert.equal(services.authenticate(cookie(open.secret)), null);
  await services.signIn({ name: 'ada', password, code: null }, from);
  assert.equal(services.listPeople().people.length, 1);
});

test('a new password ends the tokens that were made with the old one, and the audit log names each', async () => {
  const { services, add, signIn } = openRig();
  add('ada', [admin]);
  const password = 'another good password';
  const waysTo: (() => Promise<unknown>)[] = [
    async () => {
      const { secret } = await signIn('ada');
      const actor = services.authenticate(cookie(secret))!;
      await services.changePassword({ current: goodPassword, password }, actor);
    },
    () => services.changePerson('ada', { reason: null, password }, socketActor),
    () => {
      const { secret } = services.invite('ada', socketActor);
      return services.accept({ secret, name: null, password }, from);
    },
  ];
  for (const setPassword of waysTo) {
    const { id, secret } = services.addToken({ ...token, person: 'ada' }, socketActor);
    await setPassword();
    assert.equal(services.authenticate(bearer(secret)), null);
    const { entries } = services.searchAudit({ limit: 10 }, null);
    assert.ok(
      entries.some(({ action, object }) => action === 'token.removed' && object?.name === id),
    );
  }
  assert.deepEqual(services.listTokens(null).tokens, []);
});

test('a new password, and switching off, end an invitation', async () => {
  const { services, add } = openRig();
  add('ada');
  const first = services.invite('ada', socketActor).secret;
  const password = 'another good password';
  await services.changePerson('ada', { reason: null, password }, socketActor);
  const second = services.invite('ada', socketActor).secret;
  await services.changePerson('ada', { reason: null, isEnabled: false }, socketActor);
  for (const secret of [first, second]) {
    await assert.rejects(
      services.accept({ secret, name: null, password }, from),
      failsWith('invitation-unusable'),
    );
  }
});

test('names and organizations that do not fit are refused, and nothing is changed', async () => {
  const { services, add } = openRig();
  add('ada');
  const person = { displayName: null, grants: [], oidcSubject: null, reason: null };
  assert.throws(
    () => services.addPerson({ ...person, name: 'ada' }, socketActor),
    failsWith('person-exists'),
  );
  const grants = [{ role: 'auditor' as const, organization: 'nowhere' }];
  assert.throws(
    () => services.addPerson({ ...person, name: 'bob', grants }, socketActor),
    failsWith('organization-unknown'),
  );
  await assert.rejects(
    services.changePerson('ada', { reason: null, isEnabled: false, grants }, socketActor),
    failsWith('organization-unknown'),
  );
  assert.throws(
    () => services.addPerson({ ...person, name: 'bob', oidcSubject: '1' }, socketActor),
    failsWith('oidc-not-configured'),
  );
  assert.throws(
    () => services.addToken({ ...token, organization: 'nowhere', person: 'ada' }, socketActor),
    failsWith('organization-unknown'),
  );
  assert.equal(services.readPerson('ada').isEnabled, true);
  assert.throws(() => services.readPerson('bob'), failsWith('person-unknown'));
});

test('over the network nobody takes the last administrator away, over the socket one may', async () => {
  const { services, add, signIn } = openRig();
  add('ada', [admin]);
  add('bob', [inContoso]);
  const actor = services.authenticate(cookie((await signIn('ada')).secret))!;
  for (const order of [{ grants: [] }, { isEnabled: false }]) {
    await assert.rejects(
      services.changePerson('ada', { reason: null, ...order }, actor),
      failsWith('last-administrator'),
    );
  }
  assert.throws(() => services.removePerson('ada', null, actor), failsWith('last-administrator'));
  assert.notEqual(services.authenticate(cookie((await signIn('ada')).secret)), null);
  services.removePerson('ada', 'left', socketActor);
});

test('an administrator who cannot sign in is none that is left', async () => {
  const { services, add, signIn } = openRig({
    oidc: {
      issuer: 'https://id.test',
      clientId: 'postern',
      clientSecret: null,
      label: 'ID',
    },
  });
  add('ada', [admin]);
  const actor = services.authenticate(cookie((await signIn('ada')).secret))!;
  const order = { displayName: null, grants: [{ ...admin }], oidcSubject: null, reason: null };
  services.addPerson({ ...order, name: 'service' }, actor);
  assert.throws(() => services.removePerson('ada', null, actor), failsWith('last-administrator'));
  for (const change of [{ grants: [] }, { isEnabled: false }, { password: null }]) {
    await assert.rejects(
      services.changePerson('ada', { reason: null, ...change }, actor),
      failsWith('last-administrator'),
    );
  }
  services.addPerson({ ...order, name: 'eve', oidcSubject: '42' }, actor);
  services.removePerson('ada', null, actor);
});

test('each change is in the log with who, what, before, after and reason, and the chain is intact', async () => {
  const { services, add, signIn, entries } = openRig();
  add('ada', [admin]);
  const actor = services.authenticate(cookie((await signIn('ada')).secret))!;
  const person = { name: 'bob', displayName: 'Bob', oidcSubject: null, reason: 'new colleague' };
  services.addPerson({ ...person, grants: [{ ...inContoso }] }, actor);
  await services.changePerson('bob', { reason: 'on leave', isEnabled: false }, actor);
  services.removePerson('bob', 'left', actor);
  const made = services.addOwnToken(token, actor);
  services.removeOwnToken(made.id, actor);
  const said = entries()
    .slice(0, 5)
    .toReversed()
    .map(({ action, object, reason }) => [action, object?.name, reason]);
  assert.deepEqual(said, [
    ['person.added', 'bob', 'new colleague'],
    ['person.changed', 'bob', 'on leave'],
    ['person.removed', 'bob', 'left'],
    ['token.added', made.id, null],
    ['token.removed', made.id, null],
  ]);
  const changed = entries().find(({ action }) => action === 'person.changed')!;
  assert.equal((changed.before as { isEnabled: boolean }).isEnabled, true);
  assert.equal((changed.after as { isEnabled: boolean }).isEnabled, false);
  assert.deepEqual(changed.actor, {
    kind: 'session',
    person: 'ada',
    credential: actor.credential,
    address: '192.0.2.7',
  });
  const verifier = new ChainVerifier();
  const chain = services.readAuditChain({ after: 0, limit: 1000 });
  for (const link of chain.links) verifier.take(link);
  assert.equal(verifier.verdict().kind, 'intact');
  assert.equal(chain.next, null);
});

test('a reader for one organization finds nothing of others or of the gateway in the log', async () => {
  const { services } = openRig();
  for (const organization of ['contoso', 'fabrikam', null]) {
    services.note(socketActor, { action: 'content.read', organization, object: null });
  }
  const find = (query: object): (string | null)[] =>
    services
      .searchAudit({ limit: 10, ...query }, ['contoso'])
      .entries.map(({ organization }) => organization);
  assert.deepEqual(find({}), ['contoso']);
  assert.deepEqual(find({ organization: 'contoso' }), ['contoso']);
  assert.deepEqual(find({ organization: 'fabrikam' }), []);
  assert.equal(services.searchAudit({ limit: 10 }, null).entries.length, 3);
});
