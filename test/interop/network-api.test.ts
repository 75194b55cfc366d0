/** The API over TLS of a really started gateway: closed to strangers, renewed while it runs. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { chainPem, makeLeaf } from '../../src/testing/certificates.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { startGateway } from '../support/gateway.ts';
import { gatewayCa, gatewaySetup } from '../support/gateway-config.ts';
import { freePort, waitFor } from '../support/ports.ts';

const apiLeaf = makeLeaf(gatewayCa, ['api.example.test']);
let gateway: RunningGateway;
let port = 0;

before(async () => {
  port = await freePort();
  const api = { port, serverCertificates: 'api', hostNames: 'api.example.test' };
  const certificates = { api: [apiLeaf, gatewayCa] };
  gateway = await startGateway(await gatewaySetup({ certificates, top: { api } }));
});
after(() => gateway?.remove());

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly certificate: PeerCertificate;
}

async function ask(host = `api.example.test:${port}`, headers = {}): Promise<Answer> {
  const outgoing = request({
    host: '127.0.0.1',
    port,
    path: '/v1/status',
    agent: false,
    servername: 'api.example.test',
    ca: gatewayCa.pem,
    headers: { host, ...headers },
  });
  outgoing.end();
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const certificate = (incoming.socket as TLSSocket).getPeerCertificate();
  let text = '';
  for await (const chunk of incoming as AsyncIterable<Buffer>) text += chunk.toString();
  const { code } = JSON.parse(text) as { readonly code: string };
  return { status: incoming.statusCode ?? 0, code, certificate };
}

test('nobody is let in from the network, whatever they say, while the socket answers', async () => {
  for (const headers of [{}, { authorization: 'Bearer x' }, { 'x-forwarded-for': '127.0.0.1' }]) {
    assert.deepEqual(await ask(undefined, headers).then(({ status, code }) => [status, code]), [
      401,
      'api-not-signed-in',
    ]);
  }
  assert.equal((await ask('localhost')).status, 421);
  assert.equal((await gateway.status()).hostName, 'gateway.example.test');
  assert.match(gateway.stderr, new RegExp(`API +https://api.example.test:${port}/v1`));
});

interface Talk {
  readonly method?: string;
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** As a browser on a page of the gateway, or a program, asks. */
async function talk({ method = 'GET', path, body, headers = {} }: Talk) {
  const host = `api.example.test:${port}`;
  const outgoing = request({
    host: '127.0.0.1',
    port,
    method,
    path,
    agent: false,
    servername: 'api.example.test',
    ca: gatewayCa.pem,
    headers: {
      host,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
  });
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of incoming as AsyncIterable<Buffer>) text += chunk.toString();
  const cookies = incoming.headers['set-cookie'] ?? [];
  return { status: incoming.statusCode ?? 0, text, cookie: cookies[0]?.split(';')[0] ?? '' };
}

test('the first administrator comes by the printed link, signs in, and makes a token that ends', async () => {
  const link = /https:\/\/api\.example\.test:\d+\/welcome#(psl_[\w-]{43})/.exec(gateway.stderr);
  assert.ok(link, gateway.stderr);
  const password = 'correct horse battery';
  const post = (path: string, body: object, headers = {}) =>
    talk({ method: 'POST', path, body, headers });
  const acceptance = { secret: link[1]!, name: 'Ada', password };
  assert.equal((await post('/v1/invitations/accept', acceptance)).status, 200);
  assert.equal((await post('/v1/invitations/accept', acceptance)).status, 404);
  const wrong = { name: 'ada', password: 'a wrong password' };
  assert.equal((await post('/v1/sign-in', wrong)).status, 401);
  const signedIn = await post('/v1/sign-in', { name: 'ada', password });
  assert.equal(signedIn.status, 200);
  const browser = { cookie: signedIn.cookie, origin: `https://api.example.test:${port}` };
  const { cookie } = browser;
  assert.equal((await talk({ path: '/v1/session', headers: { cookie } })).status, 200);
  assert.equal((await talk({ path: '/v1/people', headers: { cookie } })).status, 200);
  // Another site's page would send the cookie, if a browser let it.
  const elsewhere = { cookie, origin: 'https://evil.test' };
  assert.equal((await post('/v1/sign-out', {}, elsewhere)).status, 403);
  const order = { name: 'ci', permissions: ['status.read'] };
  const made = await post('/v1/account/tokens', order, browser);
  const token = JSON.parse(made.text) as { readonly secret: string; readonly id: string };
  const headers = { authorization: `Bearer ${token.secret}` };
  assert.equal((await talk({ path: '/v1/status', headers })).status, 200);
  assert.equal((await talk({ path: '/v1/people', headers })).status, 403);
  assert.equal((await gateway.run('token', 'revoke', token.id)).code, 0);
  assert.equal((await talk({ path: '/v1/status', headers })).status, 401);
  assert.equal((await post('/v1/sign-out', {}, browser)).status, 204);
  assert.equal((await talk({ path: '/v1/session', headers: { cookie } })).status, 401);
  const verified = await gateway.run('audit', 'verify');
  assert.equal(verified.code, 0);
  assert.match(verified.stdout, /^The chain of \d+ entries is whole/);
  const listed = await gateway.run('audit', 'list', '--action', 'sign-in');
  assert.match(listed.stdout, /ada .*sign-in\.succeeded/);
  assert.match(listed.stdout, /nobody .*sign-in\.failed/);
});

test('a certificate that changes on disk is presented within seconds', async () => {
  assert.deepEqual((await ask()).certificate.raw, apiLeaf.der);
  const next = makeLeaf(gatewayCa, ['api.example.test']);
  await writeFile(join(gateway.folder, 'tls/api.pem'), chainPem(next, gatewayCa));
  await writeFile(join(gateway.folder, 'tls/api.key'), next.keyPem);
  await waitFor(
    'the new certificate',
    async () => (await ask()).certificate.raw.equals(next.der),
    10_000,
  );
});

test('a reload takes other names; another port needs a restart', async () => {
  const text = await readFile(gateway.configFile, 'utf8');
  const config = JSON.parse(text) as { readonly api: object };
  const write = (api: object) =>
    writeFile(gateway.configFile, JSON.stringify({ ...config, api: { ...config.api, ...api } }));
  await write({ hostNames: ['other.example.test'] });
  await gateway.api.reloadConfig();
  await waitFor('the other name', async () => (await ask('other.example.test')).status === 401);
  assert.equal((await ask()).status, 421);
  await write({ port: await freePort() });
  const refused = await gateway.run('config', 'reload');
  assert.equal(refused.code, 78);
  assert.match(refused.stderr, /api\.port: needs a restart/);
});
