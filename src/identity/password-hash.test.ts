import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../mail/failure.ts';
import { generatePassword, hashPassword, makeDecoyHash, verifyPassword } from './password-hash.ts';

const cheap = { memoryKib: 64, passes: 1, lanes: 1 };

const salt = 'c29tZXNhbHQ';

test('agrees with the reference implementation', async () => {
  // From its test.c: password "password", salt "somesalt".
  const known = `$argon2id$v=19$m=256,t=2,p=1$${salt}$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4`;
  assert.equal(await verifyPassword('password', known), true);
  assert.equal(await verifyPassword('passwore', known), false);
});

test('a password has its own hash and no other password has it', async () => {
  const hash = await hashPassword('correct horse', cheap);
  assert.match(hash, /^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.equal(await verifyPassword('correct horse', hash), true);
  assert.equal(await verifyPassword('correct horsE', hash), false);
  assert.equal(await verifyPassword('', hash), false);
  assert.equal(await verifyPassword('x'.repeat(5000), hash), false);
});

test('equal passwords have unequal hashes', async () => {
  assert.notEqual(await hashPassword('a', cheap), await hashPassword('a', cheap));
});

test('the default cost is what the documentation says', async () => {
  assert.match(await hashPassword('a'), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
});

test('composed and decomposed letters are the same password', async () => {
  const hash = await hashPassword('m\u00fcller', cheap);
  assert.equal(await verifyPassword('mu\u0308ller', hash), true);
});

const tail = `$${salt}$${'A'.repeat(43)}`;
for (const [what, hash] of [
  ['an empty text', ''],
  ['a password in clear', 'hunter22'],
  ['argon2i', `$argon2i$v=19$m=64,t=1,p=1${tail}`],
  ['an old version', `$argon2id$v=16$m=64,t=1,p=1${tail}`],
  ['4 GiB of memory', `$argon2id$v=19$m=4194304,t=1,p=1${tail}`],
  ['128 MiB of memory', `$argon2id$v=19$m=131072,t=1,p=1${tail}`],
  ['a thousand passes', `$argon2id$v=19$m=64,t=999,p=1${tail}`],
  ['many passes over much memory', `$argon2id$v=19$m=65536,t=9,p=1${tail}`],
  ['no pass', `$argon2id$v=19$m=64,t=0,p=1${tail}`],
  ['too little memory', `$argon2id$v=19$m=7,t=1,p=1${tail}`],
  ['a short hash', `$argon2id$v=19$m=64,t=1,p=1$${salt}$AAAA`],
  ['more after the hash', `$argon2id$v=19$m=64,t=1,p=1${tail}\n`],
] as const) {
  test(`a stored hash that is ${what} is refused without computing`, async () => {
    const before = process.cpuUsage();
    await assert.rejects(
      verifyPassword('a', hash),
      (error) => error instanceof Failure && error.code === 'password-hash-unusable',
    );
    assert.ok(process.cpuUsage(before).user < 200_000);
  });
}

test('a decoy costs what its model costs, and nobody has its password', async () => {
  const decoy = makeDecoyHash(await hashPassword('a', cheap));
  assert.match(decoy, /m=64,t=1,p=1/);
  assert.equal(await verifyPassword('a', decoy), false);
  assert.match(makeDecoyHash('nonsense'), /m=19456,t=2,p=1/);
});

test('generated passwords are readable, long and all different', () => {
  const made = new Set(Array.from({ length: 500 }, generatePassword));
  assert.equal(made.size, 500);
  for (const password of made)
    assert.match(password, /^[a-hjkmnp-z2-9]{6}(-[a-hjkmnp-z2-9]{6}){3}$/);
});
