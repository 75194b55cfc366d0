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
