import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  digestRecoveryCode,
  digestSecret,
  generateRecoveryCodes,
  generateSecret,
  isSecretOf,
} from './bearer-secret.ts';

test('a secret for one purpose is none for another, nor is anything of another shape', () => {
  const token = generateSecret('token');
  assert.ok(isSecretOf('token', token));
  assert.ok(!isSecretOf('session', token));
  assert.ok(!isSecretOf('link', token));
  for (const text of ['', 'pst_', token.slice(0, -1), `${token}A`, `${token}\n`, ` ${token}`]) {
    assert.ok(!isSecretOf('token', text), JSON.stringify(text));
  }
});

test('secrets are 256 random bits, and their digests say nothing of them', () => {
  const secrets = Array.from({ length: 100 }, () => generateSecret('session'));
  assert.equal(new Set(secrets).size, 100);
  assert.ok(secrets.every((secret) => Buffer.from(secret.slice(4), 'base64url').length === 32));
  assert.match(digestSecret('abc'), /^ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0$/);
});

test('recovery codes are ten, all different, and known however they are typed', () => {
  const codes = generateRecoveryCodes();
  assert.equal(new Set(codes).size, 10);
  for (const code of codes) {
    assert.match(code, /^[a-z2-9]{4}(?:-[a-z2-9]{4}){3}$/);
    const digest = digestRecoveryCode(code);
    assert.equal(digestRecoveryCode(code.toUpperCase().replaceAll('-', ' ')), digest);
    assert.equal(digestRecoveryCode(code.replaceAll('-', '')), digest);
    assert.notEqual(digest, null);
  }
});

test('what can be no recovery code has no digest', () => {
  for (const text of ['', '123456', 'abcd-efgh-jkmn', 'abcd-efgh-jkmn-pqr1', 'a'.repeat(17)]) {
    assert.equal(digestRecoveryCode(text), null, text);
  }
});
