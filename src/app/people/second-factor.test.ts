import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestRecoveryCode } from '../../identity/bearer-secret.ts';
import { totpCode, totpStepAt } from '../../identity/totp.ts';
import { socketActor } from '../../identity/actor.ts';
import { cookie, from, goodPassword, openRig } from '../../../test/support/people-rig.ts';
import type { PeopleRig } from '../../../test/support/people-rig.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** As an authenticator app reads what it is shown. */
function readBase32(text: string): Buffer {
  const bits = Array.from(text, (letter) =>
    alphabet.indexOf(letter).toString(2).padStart(5, '0'),
  ).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
}

async function enrolled(): Promise<
  PeopleRig & {
    readonly code: (away?: number) => string;
    readonly recoveryCodes: string[];
    readonly key: Buffer;
  }
> {
  const rig = openRig();
  rig.add('ada');
  const { secret } = await rig.signIn('ada');
  const actor = rig.services.authenticate(cookie(secret))!;
  const offer = await rig.services.startTotp(goodPassword, actor);
  const key = readBase32(offer.secret);
  const code = (away = 0): string => totpCode(key, totpStepAt(rig.clock.nowMs) + away);
  const { recoveryCodes } = rig.services.confirmTotp(code(), actor);
  assert.equal(rig.services.authenticate(cookie(secret)), null, 'the session has ended');
  rig.clock.nowMs += 30_000;
  return { ...rig, code, recoveryCodes, key };
}

const refusedWith = (code: string) => ({ code });

test('a password alone is not enough, nor is a wrong code', async () => {
  const { signIn, entries } = await enrolled();
  await assert.rejects(signIn('ada'), refusedWith('second-factor-needed'));
  for (const code of ['', '12345', 'abcdef', '000000x', 'aaaa-bbbb-cccc-dddd']) {
    await assert.rejects(signIn('ada', { code }), /code is wrong|too many/, code);
  }
  const actions = entries().map(({ action }) => action);
  assert.ok(actions.includes('sign-in.code-asked'));
  assert.ok(actions.includes('sign-in.code-wrong'));
});

test('a wrong password is refused as such, whatever the code', async () => {
  const { services, code } = await enrolled();
  const order = { name: 'ada', password: 'a wrong password', code: code() };
  await assert.rejects(services.signIn(order, from), refusedWith('sign-in-refused'));
});

test('a code counts once, also for two who come at once', async () => {
  const { signIn, code, clock } = await enrolled();
  const both = await Promise.allSettled([
    signIn('ada', { code: code() }),
    signIn('ada', { code: code() }),
  ]);
  assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  await assert.rejects(signIn('ada', { code: code() }), refusedWith('second-factor-wrong'));
  await assert.rejects(signIn('ada', { code: code(-1) }), refusedWith('second-factor-wrong'));
  clock.nowMs += 30_000;
  await signIn('ada', { code: code() });
});

test('the code that confirmed the authenticator does not sign in', async () => {
  const { signIn, code } = await enrolled();
  await assert.rejects(signIn('ada', { code: code(-1) }), refusedWith('second-factor-wrong'));
});

test('five wrong codes lock the second factor, also for the right one, and the password does not open it', async () => {
  const { signIn, code, clock, entries } = await enrolled();
  for (let i = 0; i < 5; i++) {
    await assert.rejects(signIn('ada', { code: '00000' }), refusedWith('second-factor-wrong'));
  }
  assert.equal(entries()[0]?.action, 'sign-in.locked');
  await assert.rejects(signIn('ada', { code: code() }), refusedWith('sign-in-locked'));
  await assert.rejects(signIn('ada'), refusedWith('second-factor-needed'));
  await assert.rejects(signIn('ada', { code: code() }), refusedWith('sign-in-locked'));
  clock.nowMs += 61_000;
  await signIn('ada', { code: code() });
});

test('a recovery code stands in for the authenticator once', async () => {
  const { signIn, recoveryCodes, services, entries } = await enrolled();
  await signIn('ada', { code: recoveryCodes[3]!.toUpperCase() });
  assert.deepEqual(entries()[0]?.after, { by: 'recovery code' });
  assert.equal(services.readPerson('ada').recoveryCodesLeft, 9);
  await assert.rejects(
    signIn('ada', { code: recoveryCodes[3]! }),
    refusedWith('second-factor-wrong'),
  );
});

test('an authenticator that was not confirmed is not asked for', async () => {
  const { services, add, signIn } = openRig();
  add('ada');
  const { secret } = await signIn('ada');
  const actor = services.authenticate(cookie(secret))!;
  await services.startTotp(goodPassword, actor);
  assert.throws(() => services.confirmTotp('000000', actor), refusedWith('second-factor-wrong'));
  await signIn('ada');
});

test('adding and removing an authenticator takes the present password', async () => {
  const { services, signIn, code, clock } = await enrolled();
  const { secret } = await signIn('ada', { code: code() });
  const actor = services.authenticate(cookie(secret))!;
  clock.nowMs += 30_000;
  await assert.rejects(
    services.startTotp('a wrong password', actor),
    refusedWith('password-wrong'),
  );
  await assert.rejects(
    services.startTotp(goodPassword, actor),
    refusedWith('second-factor-exists'),
  );
  const order = { password: 'another wrong one', code: code() };
  await assert.rejects(services.removeTotp(order, actor), refusedWith('password-wrong'));
  const bad = { password: goodPassword, code: '00000' };
  await assert.rejects(services.removeTotp(bad, actor), refusedWith('second-factor-wrong'));
  await services.removeTotp({ password: goodPassword, code: code() }, actor);
  assert.equal(services.authenticate(cookie(secret)), null);
  await signIn('ada');
});

test('an administrator takes a lost authenticator away, and the recovery codes with it', async () => {
  const { services, signIn } = await enrolled();
  await services.changePerson('ada', { reason: null, secondFactor: null }, socketActor);
  await signIn('ada');
  assert.equal(services.readPerson('ada').recoveryCodesLeft, 0);
});

test('neither secret nor recovery codes can be read in the control file', async () => {
  const { bytes, recoveryCodes, key } = await enrolled();
  const file = bytes();
  assert.ok(file.includes(digestRecoveryCode(recoveryCodes[0]!)!), 'the digests are in it');
  assert.ok(!file.includes(key));
  for (const code of recoveryCodes) {
    assert.ok(!file.includes(code));
    assert.ok(!file.includes(code.replaceAll('-', '')));
  }
});

test('a person changes the own password with the present one, and all sessions end', async () => {
  const { services, add, signIn } = openRig();
  add('ada');
  const [here, there] = [await signIn('ada'), await signIn('ada')];
  const actor = services.authenticate(cookie(here.secret))!;
  const password = 'another good password';
  await assert.rejects(
    services.changePassword({ current: 'a wrong password', password }, actor),
    refusedWith('password-wrong'),
  );
  await assert.rejects(
    services.changePassword({ current: goodPassword, password: 'short' }, actor),
    refusedWith('password-unfit'),
  );
  await services.changePassword({ current: goodPassword, password }, actor);
  assert.equal(services.authenticate(cookie(here.secret)), null);
  assert.equal(services.authenticate(cookie(there.secret)), null);
  await assert.rejects(signIn('ada'), refusedWith('sign-in-refused'));
  await services.signIn({ name: 'ada', password, code: null }, from);
});

test('the socket has no account to change', async () => {
  const { services } = openRig();
  await assert.rejects(
    services.startTotp(goodPassword, socketActor),
    refusedWith('person-unknown'),
  );
});
