import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../mail/failure.ts';
import { hashPassword } from './password-hash.ts';
import type { Credential, SignInOptions } from './sign-in.ts';
import { createSignIn } from './sign-in.ts';

const ada: Credential = {
  organization: 'contoso',
  account: 'Ada',
  addresses: ['ada@contoso.com', 'lovelace@contoso.com'],
  passwordHash: 'hash of right',
};
const signedIn = { organization: 'contoso', account: 'Ada' };

/** Counts verifications; a hash is `hash of ` and the password. */
function fixture(options: SignInOptions = {}) {
  const clock = { nowMs: 1_000_000 };
  const verified: string[] = [];
  const signIn = createSignIn([ada], {
    now: () => clock.nowMs,
    verify: (password, hash) => {
      verified.push(hash);
      return Promise.resolve(hash === `hash of ${password}`);
    },
    ...options,
  });
  return { signIn, verified, clock };
}

function failsWith(code: string) {
  return (error: unknown) => error instanceof Failure && error.code === code;
}

test('a wrong password, an unknown name and other people are null', async () => {
  const { signIn } = fixture();
  assert.equal(await signIn.authenticate('ada', 'wrong'), null);
  assert.equal(await signIn.authenticate('nobody', 'right'), null);
  assert.equal(await signIn.authenticate('', ''), null);
  assert.equal(await signIn.authenticate('lovelace@contoso.com', 'right'), null);
});

test('the account and its primary address sign in, in any case', async () => {
  const { signIn } = fixture();
  for (const name of ['ada', 'ADA', 'ada@contoso.com', 'Ada@Contoso.COM']) {
    assert.deepEqual(await signIn.authenticate(name, 'right'), signedIn);
  }
});

test('works with real hashes', async () => {
  const passwordHash = await hashPassword('right', { memoryKib: 64, passes: 1, lanes: 1 });
  const signIn = createSignIn([{ ...ada, passwordHash }]);
  assert.deepEqual(await signIn.authenticate('ada', 'right'), signedIn);
  assert.equal(await signIn.authenticate('ada', 'wrong'), null);
  assert.equal(await signIn.authenticate('nobody', 'right'), null);
});

test('an unknown name costs one verification, as a known one does', async () => {
  const { signIn, verified } = fixture();
  await signIn.authenticate('nobody', 'wrong');
  assert.equal(verified.length, 1);
  assert.match(verified[0]!, /^\$argon2id\$/);
  await signIn.authenticate('ada', 'wrong');
  assert.equal(verified.length, 2);
});

test('a right password is remembered, and only that one, for ten minutes', async () => {
  const { signIn, verified, clock } = fixture();
  await signIn.authenticate('ada', 'right');
  await signIn.authenticate('ada@contoso.com', 'right');
  assert.equal(verified.length, 1);
  assert.equal(await signIn.authenticate('ada', 'right '), null);
  assert.equal(verified.length, 2);
  clock.nowMs += 600_001;
  await signIn.authenticate('ada', 'right');
  assert.equal(verified.length, 3);
});

test('what is remembered ends with a changed hash and with a removed account', async () => {
  const { signIn } = fixture();
  await signIn.authenticate('ada', 'right');
  signIn.replaceCredentials([{ ...ada, passwordHash: 'hash of new' }]);
  assert.equal(await signIn.authenticate('ada', 'right'), null);
  assert.deepEqual(await signIn.authenticate('ada', 'new'), signedIn);
  signIn.replaceCredentials([]);
  assert.equal(await signIn.authenticate('ada', 'new'), null);
});

test('remembered passwords are bounded', async () => {
  const people = Array.from({ length: 5 }, (_, place) => ({
    ...ada,
    account: `p${place}`,
    addresses: [],
  }));
  const { signIn, verified } = fixture({ rememberedMax: 3 });
  signIn.replaceCredentials(people);
  for (const { account } of people) await signIn.authenticate(account, 'right');
  await signIn.authenticate('p4', 'right');
  assert.equal(verified.length, 5);
  await signIn.authenticate('p0', 'right');
  assert.equal(verified.length, 6);
});

test('ten different wrong passwords lock the account, also for the right one', async () => {
  const { signIn, verified } = fixture();
  for (let guess = 0; guess < 10; guess++) {
    assert.equal(await signIn.authenticate('ada', `guess ${guess}`), null);
  }
  await assert.rejects(signIn.authenticate('ada', 'right'), failsWith('sign-in-locked'));
  await assert.rejects(
    signIn.authenticate('ada@contoso.com', 'right'),
    failsWith('sign-in-locked'),
  );
  assert.equal(verified.length, 10);
});

test('a locked account opens after a minute, and each further failure doubles the wait', async () => {
  const { signIn, clock } = fixture();
  for (let guess = 0; guess < 10; guess++) await signIn.authenticate('ada', `guess ${guess}`);
  clock.nowMs += 60_000;
  assert.equal(await signIn.authenticate('ada', 'another'), null);
  clock.nowMs += 60_000;
  await assert.rejects(signIn.authenticate('ada', 'right'), failsWith('sign-in-locked'));
  clock.nowMs += 60_000;
  assert.deepEqual(await signIn.authenticate('ada', 'right'), signedIn);
});

test('the wait never passes an hour, and a day without failure forgets them', async () => {
  const { signIn, clock, verified } = fixture();
  for (let guess = 0; guess < 40; guess++) {
    await signIn.authenticate('ada', `guess ${guess}`);
    clock.nowMs += 3_600_000;
  }
  assert.equal(verified.length, 40);
  clock.nowMs += 86_400_000;
  for (let guess = 0; guess < 9; guess++) await signIn.authenticate('ada', `new ${guess}`);
  assert.deepEqual(await signIn.authenticate('ada', 'right'), signedIn);
});

test('an unknown name is locked as a known one is', async () => {
  const { signIn } = fixture();
  for (let guess = 0; guess < 10; guess++) await signIn.authenticate('nobody', `guess ${guess}`);
  await assert.rejects(signIn.authenticate('nobody', 'x'), failsWith('sign-in-locked'));
  assert.deepEqual(await signIn.authenticate('ada', 'right'), signedIn);
});

test('guessing at many names does not push a known one out of its lock', async () => {
  const lockout = {
    freeFailures: 2,
    firstMs: 60_000,
    maxMs: 60_000,
    forgetAfterMs: 1e9,
    strangersMax: 5,
  };
  const { signIn } = fixture({ lockout });
  await signIn.authenticate('ada', 'a');
  await signIn.authenticate('ada', 'b');
  for (let name = 0; name < 50; name++) await signIn.authenticate(`stranger ${name}`, 'x');
  await assert.rejects(signIn.authenticate('ada', 'right'), failsWith('sign-in-locked'));
});

test('a device that repeats one old password costs nothing and locks nobody out', async () => {
  const { signIn, verified } = fixture();
  for (let attempt = 0; attempt < 50; attempt++) {
    assert.equal(await signIn.authenticate('ada', 'old'), null);
  }
  assert.equal(verified.length, 1);
  assert.deepEqual(await signIn.authenticate('ada', 'right'), signedIn);
});

test('who is signed in already goes on while somebody else is locked out', async () => {
  const { signIn } = fixture();
  await signIn.authenticate('ada', 'right');
  for (let guess = 0; guess < 10; guess++) await signIn.authenticate('ada', `guess ${guess}`);
  assert.deepEqual(await signIn.authenticate('ada', 'right'), signedIn);
  await assert.rejects(signIn.authenticate('ada', 'guess'), failsWith('sign-in-locked'));
});

test('equal attempts at the same time are one verification', async () => {
  const { signIn, verified } = fixture();
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => signIn.authenticate('ada', 'right')),
  );
  assert.equal(verified.length, 1);
  assert.ok(answers.every((answer) => answer !== null));
});

/** A verification that ends when it is told to. */
function slowFixture(options: SignInOptions) {
  const open: (() => void)[] = [];
  let most = 0;
  let running = 0;
  const { signIn } = fixture({
    ...options,
    verify: async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => open.push(resolve));
      running--;
      return false;
    },
  });
  const drain = async (): Promise<void> => {
    while (open.length > 0) {
      open.shift()!();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { signIn, drain, most: () => most };
}

test('verifications at once and waiting ones are bounded; beyond is a temporary failure', async () => {
  const { signIn, drain, most } = slowFixture({ verificationsMax: 2, waitingMax: 3 });
  const under = Array.from({ length: 5 }, (_, name) => signIn.authenticate(`n${name}`, 'x'));
  await assert.rejects(signIn.authenticate('n5', 'x'), failsWith('sign-in-busy'));
  await drain();
  assert.deepEqual(await Promise.all(under), [null, null, null, null, null]);
  assert.equal(most(), 2);
});

test('guesses that queued up before the lock fell are not tried under it', async () => {
  const { signIn, drain } = slowFixture({ verificationsMax: 1, waitingMax: 100 });
  const guesses = Array.from({ length: 30 }, (_, guess) =>
    signIn.authenticate('ada', `guess ${guess}`).then(
      () => 'tried',
      () => 'refused',
    ),
  );
  await drain();
  const tried = (await Promise.all(guesses)).filter((answer) => answer === 'tried');
  assert.equal(tried.length, 10);
});

test('a stored hash that cannot be used is a failure, not a wrong password', async () => {
  const signIn = createSignIn([{ ...ada, passwordHash: 'nonsense' }]);
  await assert.rejects(signIn.authenticate('ada', 'x'), failsWith('password-hash-unusable'));
  assert.equal(await signIn.authenticate('nobody', 'x'), null);
});
