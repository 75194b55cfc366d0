import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateSecret } from './bearer-secret.ts';
import {
  formatEndedCookie,
  formatSessionCookie,
  isSessionOver,
  readBearerToken,
  readSessionCookie,
} from './session-rules.ts';

const rules = { idleMs: 1000, maxMs: 10_000 };

test('a session ends when nobody used it, and after its time however it was used', () => {
  const isOver = (signedInAtMs: number, lastSeenAtMs: number, nowMs: number): boolean =>
    isSessionOver({ signedInAtMs, lastSeenAtMs }, nowMs, rules);
  assert.equal(isOver(0, 0, 1000), true);
  assert.equal(isOver(0, 9999, 10_000), true);
  assert.equal(isOver(50_000, 50_000, 0), true);
  assert.equal(isOver(0, 0, 999), false);
  assert.equal(isOver(0, 9500, 9999), false);
});

test('the cookie is for this host over TLS, out of reach of scripts and other sites', () => {
  for (const cookie of [formatSessionCookie('pss_x'), formatEndedCookie()]) {
    const [pair, ...attributes] = cookie.split('; ');
    assert.match(pair!, /^__Host-/);
    for (const each of ['Path=/', 'Secure', 'HttpOnly', 'SameSite=Strict']) {
      assert.ok(attributes.includes(each), each);
    }
    assert.doesNotMatch(cookie, /Domain/i);
  }
  assert.match(formatEndedCookie(), /^__Host-postern-session=; .*Max-Age=0/);
});

test('the session is read from among other cookies, and only one of the right shape', () => {
  const secret = generateSecret('session');
  const own = `__Host-postern-session=${secret}`;
  assert.equal(readSessionCookie(own), secret);
  assert.equal(readSessionCookie(`a=b; ${own};c=d`), secret);
  for (const header of [
    null,
    '',
    'a=b',
    secret,
    `postern-session=${secret}`,
    `__host-postern-session=${secret}`,
    `x__Host-postern-session=${secret}`,
    `__Host-postern-session=${generateSecret('token')}`,
    `__Host-postern-session="${secret}"`,
    `${own}; ${own}`,
    `${own}; __Host-postern-session=${generateSecret('session')}`,
    `${'a=b; '.repeat(3000)}${own}`,
  ]) {
    assert.equal(readSessionCookie(header), null, header?.slice(0, 200) ?? 'null');
  }
});

test('a bearer token is read, and nothing else', () => {
  const token = generateSecret('token');
  assert.equal(readBearerToken(`Bearer ${token}`), token);
  assert.equal(readBearerToken(`bearer ${token}`), token);
  for (const header of [
    null,
    '',
    token,
    `Basic ${token}`,
    `Bearer${token}`,
    `Bearer ${token} `,
    `Bearer ${token},${token}`,
    `Bearer ${generateSecret('session')}`,
    `Bearer ${generateSecret('link')}`,
  ]) {
    assert.equal(readBearerToken(header), null, header ?? 'null');
  }
});
