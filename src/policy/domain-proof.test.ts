/** What proves a domain, and which domains cannot be proven and need not be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProof, needsProof, verificationPrefix } from './domain-proof.ts';

const token = 'a'.repeat(40);
const record = `${verificationPrefix}${token}`;

test('nothing but the very token proves', () => {
  const other = `${verificationPrefix}${'b'.repeat(40)}`;
  const cases: readonly [readonly string[], string][] = [
    [[], 'absent'],
    [['v=spf1 -all'], 'absent'],
    [[token], 'absent'],
    [[`x${record}`], 'absent'],
    [[record.toUpperCase()], 'absent'],
    [[other], 'other-token'],
    [[verificationPrefix], 'other-token'],
    [[`${record}b`], 'other-token'],
    [[record.slice(0, -1)], 'other-token'],
    [[`${record} ${record}`], 'other-token'],
  ];
  for (const [texts, expected] of cases) assert.equal(findProof(texts, token), expected);
});

test('one record among others proves, also beside one of another token', () => {
  const other = `${verificationPrefix}${'b'.repeat(40)}`;
  assert.equal(findProof(['v=spf1 -all', record], token), 'proven');
  assert.equal(findProof([other, record], token), 'proven');
  assert.equal(findProof([` ${record} `], token), 'proven');
});

test('names of public DNS need a proof, special-use names none', () => {
  for (const domain of [
    'contoso.com',
    'example.com',
    'test.com',
    'mytest',
    'notexample.org',
    'arpa.net',
    'xhome.arpa',
  ]) {
    assert.equal(needsProof(domain), domain !== 'mytest', domain);
  }
  for (const domain of [
    'example.test',
    'a.b.example',
    'x.invalid',
    'mail.localhost',
    'corp.local',
    'mail.internal',
    'home.arpa',
    'a.home.arpa',
    'intranet',
  ]) {
    assert.equal(needsProof(domain), false, domain);
  }
});
