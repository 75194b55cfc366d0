/** The client over TLS: whom it tells its token, and whom not. */
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { doorCa, openDoor } from '../../test/support/api-door.ts';
import { sampleStatus } from '../../test/support/api-services.ts';
import type { Failure } from '../mail/failure.ts';
import type { TestCertificate } from '../testing/certificates.ts';
import { chainPem, expired, makeCa, makeLeaf } from '../testing/certificates.ts';
import type { ServerTrust } from './client/verified-connection.ts';
import { createApiClient } from './client.ts';

const byCa: ServerTrust = { kind: 'ca', ca: doorCa.pem };

/** A gateway that only notes what it is told. */
async function listen(t: TestContext, leaf: TestCertificate) {
  const told: string[] = [];
  const server = createServer({ cert: chainPem(leaf), key: leaf.keyPem }, (incoming, outgoing) => {
    told.push(incoming.headers.authorization ?? '');
    outgoing.end(JSON.stringify(sampleStatus));
  });
  server.on('secureConnection', (socket) => {
    socket.on('data', (bytes: Buffer) => told.push(bytes.toString()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close().closeAllConnections());
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, told };
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  return promise.then(
    () => assert.fail('it was answered'),
    (error: unknown) => error as Failure,
  );
}

const here = { ipAddresses: ['127.0.0.1'] };
const right = makeLeaf(doorCa, ['gateway.example.test'], here);

test('asks with its token whom the CA vouches for, under the right name', async (t) => {
  const { url, told } = await listen(t, right);
  const status = await createApiClient({ url, token: 'secret', trust: byCa }).status();
  assert.deepEqual(status, sampleStatus);
  assert.ok(told.includes('Bearer secret'));
});

const strangers: readonly (readonly [string, TestCertificate, ServerTrust])[] = [
  ['whom another CA vouches for', makeLeaf(makeCa('Stranger'), ['a.test'], here), byCa],
  ['who has another name', makeLeaf(doorCa, ['gateway.example.test']), byCa],
  ['whose certificate expired', makeLeaf(doorCa, ['a.test'], { ...here, ...expired }), byCa],
  ['whom no CA of the system vouches for', right, { kind: 'ca', ca: null }],
  ['whose key is not the pinned one', right, { kind: 'pin', pin: doorCa.spki256 }],
  [
    'whose pinned certificate expired',
    makeLeaf(doorCa, ['a.test'], { ...expired, key: right.key }),
    { kind: 'pin', pin: right.spki256 },
  ],
];
for (const [what, leaf, trust] of strangers) {
  for (const variable of ['', '0']) {
    const how = variable === '' ? '' : ', whatever the environment says';
    test(`tells nothing to one ${what}${how}`, async (t) => {
      const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      if (variable !== '') process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = variable;
      t.after(() => {
        if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
        else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
      });
      const { url, told } = await listen(t, leaf);
      const failure = await failureOf(createApiClient({ url, token: 'secret', trust }).status());
      assert.equal(failure.code, 'gateway-certificate-refused', failure.message);
      assert.deepEqual(told, []);
      assert.doesNotMatch(failure.message, /secret/);
    });
  }
}

test('a pinned key stands in the place of CA and name', async (t) => {
  const leaf = makeLeaf(makeCa('Own'), ['elsewhere.test']);
  const { url } = await listen(t, leaf);
  const trust: ServerTrust = { kind: 'pin', pin: leaf.spki256 };
  assert.deepEqual(await createApiClient({ url, token: 'x', trust }).status(), sampleStatus);
});

test('takes nothing but https without a path', () => {
  for (const url of [
    'http://gateway.test',
    'gateway.test',
    'https://gateway.test/v1',
    'https://user:password@gateway.test',
    'https://gateway.test?x=1',
  ]) {
    const settings = { url, token: 'x', trust: byCa };
    assert.throws(() => createApiClient(settings), { code: 'gateway-url-wrong' });
  }
});

test('waits as long as the gateway asks, and no longer than the call may take', async (t) => {
  const door = await openDoor(t, {
    hostNames: ['127.0.0.1'],
    rates: { perActor: { perSecond: 1, burst: 1 } },
  });
  const url = `https://127.0.0.1:${door.port}`;
  const client = createApiClient({ url, token: 'right', trust: byCa });
  await client.status();
  const startedAtMs = performance.now();
  await client.status();
  assert.ok(performance.now() - startedAtMs > 500);
  const hasty = createApiClient({ url, token: 'right', trust: byCa, timeoutMs: 200 });
  assert.equal((await failureOf(hasty.status())).code, 'gateway-timeout');
});

test('says where nobody listens, and what the gateway refuses', async (t) => {
  const door = await openDoor(t, { hostNames: ['127.0.0.1'] });
  const url = `https://127.0.0.1:${door.port}`;
  const stranger = createApiClient({ url, token: 'wrong', trust: byCa });
  assert.equal((await failureOf(stranger.status())).code, 'api-not-signed-in');
  await door.listener.close();
  assert.equal((await failureOf(stranger.status())).code, 'gateway-unreachable');
});
