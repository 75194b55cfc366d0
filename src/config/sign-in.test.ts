import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accepted, inOrganization } from './config-sample.ts';
import { parseConfig } from './load.ts';
import { testRefusals } from './refusal-case.ts';

const withSignIn = (signIn: string, api = 'port: 8443'): string =>
  inOrganization(accepted, `api: { ${api} }\nsignIn: { ${signIn} }`);
const oidc = (rest: string): string => withSignIn(`oidc: { ${rest} }`);
const issuer = 'issuer: https://login.example.com/tenant/v2.0';

testRefusals([
  [
    'a provider over plain http',
    oidc('issuer: http://id.test, clientId: a'),
    'signIn.oidc.issuer',
    /https URL/,
  ],
  [
    'a provider that only looks local',
    oidc("issuer: 'http://localhost.evil.test', clientId: a"),
    'signIn.oidc.issuer',
    /https URL/,
  ],
  [
    'an issuer with a query',
    oidc("issuer: 'https://id.test/?a=b', clientId: a"),
    'signIn.oidc.issuer',
    /https URL/,
  ],
  [
    'an issuer with a password',
    oidc("issuer: 'https://a:b@id.test', clientId: a"),
    'signIn.oidc.issuer',
    /https URL/,
  ],
  ['a name as an issuer', oidc('issuer: id.test, clientId: a'), 'signIn.oidc.issuer', /https URL/],
  ['a provider without our id there', oidc(issuer), 'signIn.oidc', /clientId/],
  ['an id at no provider', oidc('clientId: a'), 'signIn.oidc.clientId', /only with an issuer/],
  [
    'a session that idles longer than it lasts',
    withSignIn('sessionIdle: 2h, sessionMax: 1h'),
    'signIn.sessionIdle',
    /without effect/,
  ],
  ['a session of a month and a day', withSignIn('sessionMax: 31d'), 'signIn.sessionMax', /30d/],
  [
    'signing in where there is no port',
    withSignIn('sessionMax: 1h', ''),
    'signIn.sessionMax',
    /api\.port/,
  ],
]);

test('what was left out has its defaults, and paths start at the folder of the file', () => {
  for (const [text, file] of [
    [inOrganization(accepted, ''), null],
    [oidc(`${issuer}, clientId: a, clientSecretFile: secret`), '/etc/secret'],
    [oidc("issuer: 'http://127.0.0.1:3000', clientId: a"), null],
  ] as const) {
    const result = parseConfig(text, '/etc/postern.yaml');
    assert.ok(result.kind === 'loaded', JSON.stringify(result));
    const { signIn } = result.config;
    assert.equal(signIn.sessionIdleMs, 30 * 60_000);
    assert.equal(signIn.sessionMaxMs, 12 * 3_600_000);
    assert.equal(signIn.oidc.clientSecretFile, file);
  }
});
