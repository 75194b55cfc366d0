import assert from 'node:assert/strict';
import { test } from 'node:test';
import { socketActor } from '../../identity/actor.ts';
import { Failure } from '../../mail/failure.ts';
import { cookie, from, goodPassword, openRig } from '../../../test/support/people-rig.ts';

const adminGrant = { role: 'gateway-administrator', organization: null } as const;
const wrong = { name: 'ada', password: 'a wrong password', code: null };
const change = { reason: null };

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Failure, `no Failure but ${String(error)}`);
  return error;
}

test('wrong password, unknown name, account switched off and account without password: one answer', async () => {
  const { services, add, force } = openRig();
  for (const name of ['ada', 'off', 'without']) add(name);
  await services.changePerson('off', { ...change, isEnabled: false }, socketActor);
  force('without', { passwordHash: null });
  const answers: string[] = [];
  for (const order of [
    wrong,
    { ...wrong, name: 'nobody' },
    { ...wrong, name: 'off', password: goodPassword },
    { ...wrong, name: 'without', password: goodPassword },
    { ...wrong, name: 'without', password: '' },
    { ...wrong, name: 'x'.repeat(400) },
  ]) {
    const { code, message } = await failureOf(services.signIn(order, from));
    answers.push(`${code}: ${message}`);
  }
  assert.deepEqual([...new Set(answers)], ['sign-in-refused: name or password is wrong']);
});

test('each of them costs one verification of a hash', async () => {
  const verified: string[] = [];
  const verify = async (_password: string, hash: string) => {
    verified.push(hash);
    return false;
  };
  const { services, add } = openRig({ signIn: { verify } });
  add('ada');
  await failureOf(services.signIn(wrong, from));
  await failureOf(services.signIn({ ...wrong, name: 'nobody' }, from));
  assert.equal(verified.length, 2);
});

test('ten wrong passwords lock the account, also for the right one, and the log says so', async () => {
  const { services, add, signIn, entries } = openRig();
  add('ada');
  for (let i = 0; i < 10; i++) {
    await failureOf(services.signIn({ ...wrong, password: `guess ${i}` }, from));
  }
  assert.equal((await failureOf(signIn('ada'))).code, 'sign-in-locked');
  const actions = entries().map(({ action }) => action);
  assert.equal(actions.filter((action) => action === 'sign-in.failed').length, 10);
  assert.equal(actions[0], 'sign-in.locked');
});

test('being locked tells nobody which names there are, nor does the answer to a wrong own password', async () => {
  const { services, add, signIn } = openRig();
  add('ada');
  const { secret } = await signIn('ada');
  const answers: string[] = [];
  for (const name of ['ada', 'bob']) {
    for (let i = 0; i < 10; i++) {
      await failureOf(services.signIn({ ...wrong, name, password: `guess ${i}` }, from));
    }
    const { code, message, wireText } = await failureOf(
      services.signIn({ ...wrong, name, password: 'the eleventh' }, from),
    );
    answers.push([code, message, wireText].join(': ').replaceAll(name, 'NAME'));
  }
  const actor = services.authenticate(cookie(secret))!;
  const order = { current: 'the twelfth', password: goodPassword };
  const { code, message } = await failureOf(services.changePassword(order, actor));
  assert.deepEqual([...new Set(answers)], [answers[0]]);
  assert.match(answers[0]!, new RegExp(`^${code}: ${message}: `));
});

test('a password that is changed while it is looked at opens nothing and changes nothing', async () => {
  let meanwhile: (() => void) | null = null;
  const verify = async (): Promise<boolean> => {
    if (meanwhile !== null) setImmediate(meanwhile);
    return true;
  };
  const slowly = async (): Promise<boolean> => {
    meanwhile?.();
    return true;
  };
  let asked = verify;
  const rig = openRig({ signIn: { verify: () => asked() } });
  rig.add('ada');
  const actor = rig.services.authenticate(cookie((await rig.signIn('ada')).secret))!;
  meanwhile = () => rig.force('ada', { passwordHash: 'another one' });
  asked = slowly;
  assert.equal((await failureOf(rig.signIn('ada'))).code, 'sign-in-refused');
  meanwhile = () => rig.force('ada', { passwordHash: 'the one that was set against a thief' });
  asked = verify;
  const order = { current: goodPassword, password: 'the password of a thief' };
  assert.equal((await failureOf(rig.services.changePassword(order, actor))).code, 'password-wrong');
  assert.ok(!rig.entries().some(({ action }) => action === 'account.password-changed'));
});

test('a right password counts against the lock, too: nothing is remembered', async () => {
  const { services, add, signIn } = openRig();
  add('ada');
  await signIn('ada');
  for (let i = 0; i < 10; i++) {
    await failureOf(services.signIn({ ...wrong, password: `guess ${i}` }, from));
  }
  assert.equal((await failureOf(signIn('ada'))).code, 'sign-in-locked');
});

test('whoever signs in is known by the cookie, in whatever spelling the name was', async () => {
  const { services, add } = openRig();
  add('ada', [adminGrant]);
  const { secret, session } = await services.signIn(
    { name: 'ADA', password: goodPassword, code: null },
    from,
  );
  const actor = services.authenticate(cookie(secret));
  assert.equal(actor?.kind, 'session');
  assert.deepEqual(actor?.person?.name, 'ada');
  assert.deepEqual(actor?.grants, [adminGrant]);
  assert.equal(session.name, 'ada');
  assert.equal(session.expiresAt, '2026-11-29T08:00:00.000Z');
});

test('a session ends when idle, after its time, and when signed out', async () => {
  const rig = openRig();
  const { services, clock } = rig;
  rig.add('ada');
  const idle = await rig.signIn('ada');
  clock.nowMs += 30 * 60_000;
  assert.equal(services.authenticate(cookie(idle.secret)), null);
  const used = await rig.signIn('ada');
  for (let minutes = 0; minutes < 12 * 60 - 20; minutes += 20) {
    clock.nowMs += 20 * 60_000;
    assert.notEqual(services.authenticate(cookie(used.secret)), null, String(minutes));
  }
  clock.nowMs += 20 * 60_000;
  assert.equal(services.authenticate(cookie(used.secret)), null);
  const out = await rig.signIn('ada');
  services.signOut(services.authenticate(cookie(out.secret))!);
  assert.equal(services.authenticate(cookie(out.secret)), null);
  assert.equal(rig.entries()[0]?.action, 'sign-out');
});

test('a look whether somebody is known still keeps no session and counts for no token', async () => {
  const { services, add, signIn, clock } = openRig();
  add('ada', [adminGrant]);
  const { secret } = await signIn('ada');
  const ada = services.authenticate(cookie(secret))!;
  const token = services.addOwnToken(
    { name: 'watcher', permissions: ['queue.read'], organization: null, expiresInDays: 1 },
    ada,
  );
  const byToken = { authorization: `Bearer ${token.secret}`, cookie: null, address: null };
  clock.nowMs += 29 * 60_000;
  assert.deepEqual(services.authenticate(cookie(secret), false), ada);
  assert.equal(services.authenticate(byToken, false)?.kind, 'token');
  assert.equal(services.listOwnTokens(ada).tokens[0]?.lastUsedAt, null);
  clock.nowMs += 60_000;
  assert.equal(services.authenticate(cookie(secret), false), null);
});

test('each sign-in makes a new session and ends the one that the browser came with', async () => {
  const { services, add, signIn } = openRig();
  add('ada');
  const first = await signIn('ada');
  const elsewhere = await signIn('ada');
  const second = await signIn('ada', { cookie: first.secret });
  assert.notEqual(second.secret, first.secret);
  assert.equal(services.authenticate(cookie(first.secret)), null);
  assert.notEqual(services.authenticate(cookie(second.secret)), null);
  assert.notEqual(services.authenticate(cookie(elsewhere.secret)), null);
});

test('what a session is known by is not in the control file', async () => {
  const { bytes, add, signIn, entries } = openRig();
  add('ada');
  const { secret } = await signIn('ada');
  const file = bytes();
  assert.ok(file.includes(entries()[0]!.actor.credential!), 'the session is in it');
  assert.ok(!file.includes(secret.slice(4)));
});

test('changed password, role, subject, second factor, or an account switched off end its sessions', async () => {
  for (const order of [
    { ...change, password: 'another good password' },
    { ...change, password: null },
    { ...change, grants: [{ role: 'auditor' as const, organization: 'contoso' }] },
    { ...change, isEnabled: false },
  ]) {
    const { services, add, signIn } = openRig();
    add('ada');
    add('bob');
    const [ada, bob] = [await signIn('ada'), await signIn('bob')];
    await services.changePerson('ada', order, socketActor);
    assert.equal(services.authenticate(cookie(ada.secret)), null, JSON.stringify(order));
    assert.notEqual(services.authenticate(cookie(bob.secret)), null);
  }
});

test('another shown name ends no session; removing the person does', async () => {
  const { services, add, signIn } = openRig();
  add('ada');
  const { secret } = await signIn('ada');
  await services.changePerson('ada', { ...change, displayName: 'Ada Lovelace' }, socketActor);
  assert.notEqual(services.authenticate(cookie(secret)), null);
  services.removePerson('ada', null, socketActor);
  assert.equal(services.authenticate(cookie(secret)), null);
  assert.equal((await failureOf(signIn('ada'))).code, 'sign-in-refused');
});

test('a flood of wrong sign-ins is counted, not written one by one', async () => {
  const rig = openRig();
  const { services, clock } = rig;
  for (let i = 0; i < 110; i++) {
    await failureOf(services.signIn({ ...wrong, name: `nobody${i}` }, from));
  }
  assert.equal(services.readAuditChain({ after: 0, limit: 1000 }).links.length, 100);
  clock.nowMs += 60_000;
  await failureOf(services.signIn({ ...wrong, name: 'another' }, from));
  const said = rig.entries().find(({ action }) => action === 'sign-in.attempts-left-out');
  assert.deepEqual(said?.after, { attempts: 10 });
});

test('a name that nobody has is not written down, nor is any password', async () => {
  const { services, add, signIn, entries } = openRig();
  add('ada');
  await failureOf(services.signIn({ ...wrong, name: 'my secret password' }, from));
  await failureOf(services.signIn(wrong, from));
  await signIn('ada');
  const text = JSON.stringify(entries());
  assert.doesNotMatch(text, /secret|wrong password|correct horse/);
  const failed = entries().filter(({ action }) => action === 'sign-in.failed');
  assert.deepEqual(
    failed.map(({ object, actor }) => [object?.name, actor.kind, actor.address]),
    [
      ['ada', 'nobody', '192.0.2.7'],
      [undefined, 'nobody', '192.0.2.7'],
    ],
  );
  assert.equal(entries()[0]?.actor.person, 'ada');
});
