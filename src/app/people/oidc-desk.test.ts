import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { OidcReturn } from '../../api/people-services.ts';
import { OidcClient, isThisMachine } from '../../identity/oidc.ts';
import { cookie, from, openRig } from '../../../test/support/people-rig.ts';
import type { PeopleRig } from '../../../test/support/people-rig.ts';
import { browse, startOidcServer } from '../../../test/support/oidc-server.ts';
import type { OidcServer } from '../../../test/support/oidc-server.ts';
import { oidcCallbackPath } from './oidc-desk.ts';

const redirectUri = `https://gateway.example.test:8443${oidcCallbackPath}`;
const failsWith = (code: string) => ({ code });

async function start(t: TestContext): Promise<PeopleRig & { readonly provider: OidcServer }> {
  const provider = await startOidcServer(redirectUri);
  t.after(() => provider.close());
  const { issuer, clientId, clientSecret } = provider;
  const rig = openRig({ oidc: { issuer, clientId, clientSecret, label: 'Contoso' } });
  rig.add('ada', [{ role: 'auditor', organization: null }], { oidcSubject: 'subject-of-ada' });
  return { ...rig, provider };
}

/** One whole way to the provider and back. */
async function goAndReturn({ services }: PeopleRig): Promise<OidcReturn> {
  const { url, binding } = await services.startOidc();
  const back = await browse(url);
  assert.equal(`${back.origin}${back.pathname}`, redirectUri);
  return { query: back.search.slice(1), binding, credentials: from };
}

test('whoever the provider knows by the subject of a person is signed in as that person', async (t) => {
  const rig = await start(t);
  const { secret, session } = await rig.services.finishOidc(await goAndReturn(rig));
  assert.equal(session.name, 'ada');
  assert.equal(rig.services.authenticate(cookie(secret))?.person?.name, 'ada');
  assert.deepEqual(rig.entries()[0]?.after, { by: 'openid connect' });
});

test('the request to the provider has PKCE with S256, state and nonce, and asks for nothing but who', async (t) => {
  const rig = await start(t);
  const [first, second] = [
    new URL((await rig.services.startOidc()).url).searchParams,
    new URL((await rig.services.startOidc()).url).searchParams,
  ];
  assert.equal(first.get('response_type'), 'code');
  assert.equal(first.get('scope'), 'openid');
  assert.equal(first.get('code_challenge_method'), 'S256');
  for (const name of ['state', 'nonce', 'code_challenge']) {
    assert.ok((first.get(name) ?? '').length >= 43, name);
    assert.notEqual(first.get(name), second.get(name));
  }
});

test('whoever is unknown here, or switched off, is refused however well the provider knows them', async (t) => {
  const rig = await start(t);
  rig.provider.subject = 'somebody-else';
  await assert.rejects(
    rig.services.finishOidc(await goAndReturn(rig)),
    failsWith('oidc-person-unknown'),
  );
  assert.equal(rig.entries()[0]?.action, 'sign-in.oidc-unknown');
  rig.provider.subject = 'subject-of-ada';
  rig.force('ada', { isEnabled: false });
  await assert.rejects(
    rig.services.finishOidc(await goAndReturn(rig)),
    failsWith('oidc-person-unknown'),
  );
});

test('an answer counts once, in the browser that began, within ten minutes, with its own state', async (t) => {
  const rig = await start(t);
  const refused = failsWith('oidc-refused');
  const { services } = rig;
  const back = await goAndReturn(rig);
  await assert.rejects(services.finishOidc({ ...back, binding: null }), refused);
  const other = (await services.startOidc()).binding;
  await assert.rejects(services.finishOidc({ ...back, binding: other }), refused);
  const query = back.query.replace(/state=[^&]*/, 'state=of-nobody');
  await assert.rejects(services.finishOidc({ ...back, query }), refused);
  await services.finishOidc(back);
  await assert.rejects(services.finishOidc(back), refused);
  const late = await goAndReturn(rig);
  rig.clock.nowMs += 600_000;
  await assert.rejects(services.finishOidc(late), refused);
});

test("a code of another attempt, another issuer's answer, and an error are refused", async (t) => {
  const rig = await start(t);
  const refused = failsWith('oidc-refused');
  const [mine, theirs] = [await goAndReturn(rig), await goAndReturn(rig)];
  const code = new URLSearchParams(theirs.query).get('code')!;
  const mixed = new URLSearchParams(mine.query);
  mixed.set('code', code);
  // PKCE: the code was given for another challenge.
  await assert.rejects(rig.services.finishOidc({ ...mine, query: mixed.toString() }), refused);
  const foreign = await goAndReturn(rig);
  const issued = new URLSearchParams(foreign.query);
  issued.set('iss', 'https://evil.test');
  await assert.rejects(rig.services.finishOidc({ ...foreign, query: issued.toString() }), refused);
  const denied = await goAndReturn(rig);
  const state = new URLSearchParams(denied.query).get('state')!;
  const error = new URLSearchParams({ state, error: 'access_denied' });
  await assert.rejects(rig.services.finishOidc({ ...denied, query: error.toString() }), refused);
});

test('a nonce of another attempt is refused', async (t) => {
  const { provider } = await start(t);
  const client = new OidcClient(provider, () => 0);
  const { url, attempt } = await client.begin(redirectUri);
  const back = await browse(url);
  await assert.rejects(
    client.finish(back.href, { ...attempt, nonce: 'n'.repeat(43) }),
    failsWith('oidc-refused'),
  );
});

test('a provider that calls itself otherwise, or cannot be reached, is not asked', async (t) => {
  const { provider } = await start(t);
  for (const issuer of [`${provider.issuer}/`, 'http://127.0.0.1:9', 'http://192.0.2.1']) {
    const client = new OidcClient({ ...provider, issuer }, () => 0);
    await assert.rejects(client.begin(redirectUri), failsWith('oidc-unreachable'), issuer);
  }
});

test('plain http is for this machine alone', () => {
  assert.ok(isThisMachine('http://127.0.0.1:3000'));
  assert.ok(isThisMachine('http://[::1]:3000'));
  for (const issuer of ['http://127.0.0.1.evil.test', 'http://10.0.0.1', 'https://localhost']) {
    assert.ok(!isThisMachine(issuer), issuer);
  }
});
