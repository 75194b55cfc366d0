import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { connect } from 'node:tls';
import {
  ask,
  doorCa,
  doorName,
  doorSource,
  openDoor,
  sendRaw,
} from '../../test/support/api-door.ts';
import type { ApiDoor } from '../../test/support/api-door.ts';
import { silentLog } from '../report/log.ts';
import { httpsServerOptions } from '../tls/contexts.ts';
import { makeLeaf } from '../testing/certificates.ts';
import { apiFailures } from './failures.ts';
import { openTlsListener } from './tls-listener.ts';

function handshake(door: ApiDoor, options: object): Promise<string> {
  const { port } = door;
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: doorName,
    ca: doorCa.pem,
    ...options,
  });
  return new Promise((resolve) => {
    socket.once('secureConnect', () => {
      resolve(`${socket.getProtocol()} ${socket.getCipher().standardName} ${socket.alpnProtocol}`);
      socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

test('speaks TLS 1.3 first, 1.2 with forward secrecy, and nothing else', async (t) => {
  const door = await openDoor(t);
  assert.match(
    await handshake(door, { ALPNProtocols: ['h2', 'http/1.1'] }),
    /^TLSv1.3 .* http\/1.1$/,
  );
  assert.match(await handshake(door, { maxVersion: 'TLSv1.2' }), /^TLSv1.2 TLS_ECDHE_/);
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' };
  assert.match(await handshake(door, old), /ERR_SSL|EPROTO|ECONNRESET/);
  const rsa = { maxVersion: 'TLSv1.2', ciphers: 'AES256-GCM-SHA384' };
  assert.match(await handshake(door, rsa), /ERR_SSL|EPROTO|ECONNRESET/);
  assert.match(await handshake(door, { ALPNProtocols: ['h2'] }), /ERR_SSL|ECONNRESET/);
});

test('answers nothing in clear', async (t) => {
  const { port, host } = await openDoor(t);
  const outgoing = request({ host: '127.0.0.1', port, path: '/v1/status', headers: { host } });
  outgoing.end();
  await assert.rejects(once(outgoing, 'response'));
});

test('takes another certificate and other names for what comes next', async (t) => {
  const door = await openDoor(t);
  const next = makeLeaf(doorCa, [doorName, 'other.example.test']);
  const source = { certificate: Buffer.from(next.pem), key: Buffer.from(next.keyPem) };
  const tls = await httpsServerOptions([source]);
  door.listener.change({ tls, hostNames: ['other.example.test'] });
  assert.equal((await ask(door)).status, 421);
  assert.equal((await ask(door, { headers: { host: 'other.example.test' } })).status, 200);
  const socket = connect({
    host: '127.0.0.1',
    port: door.port,
    servername: doorName,
    ca: doorCa.pem,
  });
  await once(socket, 'secureConnect');
  assert.deepEqual(socket.getPeerX509Certificate()?.raw, next.der);
  socket.destroy();
});

test('a certificate that cannot be used leaves the old one in use', async (t) => {
  const door = await openDoor(t);
  const tls = { cert: 'no certificate', key: 'no key' };
  assert.throws(() => door.listener.change({ tls, hostNames: [doorName] }));
  assert.equal((await ask(door)).status, 200);
});

const head = (host: string) => `GET /v1/status HTTP/1.1\r\nHost: ${host}\r\n`;
const quick = { lookEveryMs: 50 };

// None of these requests is ever complete: whatever is answered, it was not waited for.

test('ends a header that comes drop by drop, with 408', async (t) => {
  const door = await openDoor(t, { bounds: { ...quick, headerTimeoutMs: 300 } });
  const drops = Array.from({ length: 40 }, (_, i) => `X-${i}: a\r\n`);
  const { text } = await sendRaw(door, [head(door.host), ...drops], 50);
  assert.match(text, /^HTTP\/1.1 408 .*"api-request-slow"/s);
});

test('ends a body that comes drop by drop, with 408', async (t) => {
  const bounds = { ...quick, headerTimeoutMs: 300, requestTimeoutMs: 500 };
  const door = await openDoor(t, { bounds });
  const post = `POST /v1/explain HTTP/1.1\r\nHost: ${door.host}\r\nAuthorization: Bearer right\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n`;
  const drops = Array.from({ length: 40 }, () => ' ');
  const { text } = await sendRaw(door, [post, ...drops], 50);
  assert.match(text, /^HTTP\/1.1 408 /);
});

test('ends connections that say nothing, before and after the handshake', async (t) => {
  const bounds = { ...quick, handshakeTimeoutMs: 200, idleTimeoutMs: 300, headerTimeoutMs: 300 };
  const door = await openDoor(t, { bounds });
  const bare = connectTcp({ host: '127.0.0.1', port: door.port });
  bare.on('error', () => undefined);
  await once(bare, 'close');
  // It resolves when the gateway has closed.
  assert.equal((await sendRaw(door, [])).text, '');
});

test('answers a header that is too large with 431, and no HTTP with 400, as problems', async (t) => {
  const door = await openDoor(t);
  const large = `${head(door.host)}X: ${'a'.repeat(20_000)}\r\n\r\n`;
  assert.match((await sendRaw(door, [large])).text, /^HTTP\/1.1 431 .*"api-header-too-large"/s);
  const both = `POST /v1/explain HTTP/1.1\r\nHost: ${door.host}\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
  for (const text of ['EHLO a.test\r\n\r\n', 'GET\r\n\r\n', both]) {
    const answer = (await sendRaw(door, [text])).text;
    assert.match(answer, /^HTTP\/1.1 400 .*problem\+json.*"api-request-malformed"/s);
    assert.match(answer, /^x-request-id: \S+/m);
  }
});

test('takes a bounded number of connections of one address, and of requests on one', async (t) => {
  const door = await openDoor(t, {
    bounds: {
      ...quick,
      connectionsPerAddressMax: 3,
      requestsPerConnectionMax: 2,
      keepAliveTimeoutMs: 200,
    },
  });
  const open = Array.from({ length: 3 }, () => connectTcp({ host: '127.0.0.1', port: door.port }));
  await Promise.all(open.map((socket) => once(socket, 'connect')));
  const fourth = connectTcp({ host: '127.0.0.1', port: door.port });
  fourth.on('error', () => undefined);
  await once(fourth, 'close');
  for (const socket of open) socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const one = `${head(door.host)}\r\n`;
  const { text } = await sendRaw(door, [one + one + one]);
  assert.equal(text.match(/HTTP\/1.1 401/g)?.length, 2);
  assert.match(text, /HTTP\/1.1 503/);
});

const malformed: readonly (readonly [string, (host: string) => string, RegExp])[] = [
  ['no Host', () => 'GET /v1/status HTTP/1.1\r\n\r\n', /^HTTP\/1.1 400 .*api-request-malformed/s],
  [
    'two Hosts',
    (host) => `GET /v1/status HTTP/1.1\r\nHost: ${host}\r\nHost: evil.test\r\n\r\n`,
    /^HTTP\/1.1 400 /,
  ],
  [
    'the other server in the path',
    (host) => `GET https://evil.test/v1/status HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    /^HTTP\/1.1 400 /,
  ],
  [
    'another Host',
    () => 'GET /v1/status HTTP/1.1\r\nHost: evil.test\r\n\r\n',
    /^HTTP\/1.1 421 .*api-host-unknown/s,
  ],
  [
    'another port',
    () => 'GET /v1/status HTTP/1.1\r\nHost: gateway.example.test:1\r\n\r\n',
    /^HTTP\/1.1 421 /,
  ],
  [
    'a trailing dot',
    () => 'GET /v1/status HTTP/1.1\r\nHost: gateway.example.test.\r\n\r\n',
    /^HTTP\/1.1 421 /,
  ],
  ['an asterisk', (host) => `OPTIONS * HTTP/1.1\r\nHost: ${host}\r\n\r\n`, /^HTTP\/1.1 400 /],
  ['HTTP/1.0 without a Host', () => 'GET /v1/status HTTP/1.0\r\n\r\n', /^HTTP\/1.1 400 /],
];
for (const [what, write, expected] of malformed) {
  test(`refuses ${what}`, async (t) => {
    const door = await openDoor(t);
    const { text } = await sendRaw(door, [write(door.host)]);
    assert.match(text, expected);
    assert.match(text, /^content-security-policy: default-src 'none'/m);
  });
}

test('answers 503 until it is told what to serve, and has its port alone', async (t) => {
  const settings = {
    host: '127.0.0.1',
    tls: await httpsServerOptions([doorSource]),
    hostNames: [doorName],
    failures: apiFailures,
    log: silentLog,
  };
  const listener = await openTlsListener({ ...settings, port: 0 });
  t.after(() => listener.close());
  const { port } = listener;
  assert.equal(
    (await ask({ listener, port, host: doorName, stopping: new AbortController() })).status,
    503,
  );
  await assert.rejects(openTlsListener({ ...settings, port }), { code: 'api-port-failed' });
});
