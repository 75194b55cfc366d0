import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBase32, formatTotpUri, generateTotpSecret, totpCode, verifyTotp } from './totp.ts';

const secret = Buffer.from('12345678901234567890');
const nowMs = 1_111_111_109_000;
const step = Math.floor(nowMs / 30_000);

// RFC 6238 appendix B, SHA-1; the last six of its eight digits.
for (const [seconds, code] of [
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
  [20_000_000_000, '353130'],
] as const) {
  test(`the code at second ${seconds} is the RFC's`, () => {
    assert.equal(totpCode(secret, Math.floor(seconds / 30)), code);
  });
}

test('no other code is taken', () => {
  for (const code of ['', '0', '081805', '81804', '0081804', ' 081804', '081804\n', '٠٨١٨٠٤']) {
    assert.equal(verifyTotp(secret, code, { nowMs, lastStep: null }), null, code);
  }
});

test('a code two steps away is not taken, one step away is', () => {
  for (const away of [-3, -2, 2, 3]) {
    const code = totpCode(secret, step + away);
    assert.equal(verifyTotp(secret, code, { nowMs, lastStep: null }), null, String(away));
  }
  for (const away of [-1, 0, 1]) {
    const code = totpCode(secret, step + away);
    assert.equal(verifyTotp(secret, code, { nowMs, lastStep: null }), step + away);
  }
});

test('a code counts once, and none before it counts after it', () => {
  for (const away of [-1, 0]) {
    const code = totpCode(secret, step + away);
    assert.equal(verifyTotp(secret, code, { nowMs, lastStep: step }), null);
  }
  const next = totpCode(secret, step + 1);
  assert.equal(verifyTotp(secret, next, { nowMs, lastStep: step }), step + 1);
});

test('a secret is 160 random bits', () => {
  assert.equal(generateTotpSecret().length, 20);
  assert.notDeepEqual(generateTotpSecret(), generateTotpSecret());
});

test('base 32 is that of the RFC, without padding', () => {
  for (const [text, encoded] of [
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ] as const) {
    assert.equal(formatBase32(Buffer.from(text)), encoded);
  }
});

test('what an app reads names issuer, account, algorithm, digits and period', () => {
  const uri = new URL(formatTotpUri(secret, { issuer: 'Postern a:b', account: 'ada@x.test' }));
  assert.equal(uri.protocol, 'otpauth:');
  assert.equal(uri.searchParams.get('secret'), 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
  assert.equal(uri.searchParams.get('issuer'), 'Postern a:b');
  assert.match(uri.pathname, /\/Postern%20a%3Ab:ada%40x\.test$/);
});
