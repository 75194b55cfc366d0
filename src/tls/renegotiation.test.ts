/**
 * After a handshake nothing about the peer may change: the evidence was taken from it, and every
 * verdict on the connection rests on that.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import tls from 'node:tls';
import type { TLSSocket } from 'node:tls';
import {
  client,
  clientOptions,
  clients,
  intermediate,
  own,
  pemOf,
  removeDirectory,
  server,
  serverOptions,
  withConnection,
} from '../../test/support/tls-ends.ts';
import type { Upgraded } from './handshake.ts';
import { upgradeClient, upgradeServer } from './handshake.ts';

after(removeDirectory);

/** Resolves with the outcome of asking for another handshake on this end. */
function renegotiate(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.on('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message));
    socket.on('close', () => resolve('closed'));
    socket.renegotiate({ rejectUnauthorized: false, requestCert: true }, (error) => {
      resolve(error === null ? 'renegotiated' : error.message);
    });
  });
}

test('a client cannot negotiate again in TLS 1.2, with another certificate or the same', async () => {
  const done = Promise.withResolvers<Upgraded>();
  await withConnection(
    (raw) => {
      upgradeServer(raw, server, serverOptions()).then(done.resolve, done.reject);
    },
    async (raw) => {
      const certificate = pemOf(clients['trusted']!);
      const options = { socket: raw, rejectUnauthorized: false, ...certificate };
      const peer = tls.connect({ ...options, maxVersion: 'TLSv1.2' });
      const [{ socket, evidence }] = await Promise.all([done.promise, once(peer, 'secureConnect')]);
      assert.equal(evidence.tls!.protocol, 'TLSv1.2');
      socket!.on('error', () => {});
      assert.notEqual(await renegotiate(peer), 'renegotiated');
      socket!.destroy();
      peer.destroy();
    },
  );
});

test('a server cannot make our client negotiate again in TLS 1.2', async () => {
  const accepted = Promise.withResolvers<TLSSocket>();
  const secureContext = tls.createSecureContext({
    ...pemOf([own, intermediate]),
    maxVersion: 'TLSv1.2',
  });
  await withConnection(
    (raw) => {
      const socket = new tls.TLSSocket(raw, { isServer: true, secureContext });
      socket.on('secure', () => accepted.resolve(socket));
      socket.on('error', () => {});
    },
    async (raw) => {
      const { socket, evidence } = await upgradeClient(raw, clientOptions(), client);
      assert.equal(evidence.tls!.protocol, 'TLSv1.2');
      socket!.on('error', () => {});
      const peer = await accepted.promise;
      const failed = new Promise((resolve) => socket!.on('error', () => resolve('failed')));
      const outcome = renegotiate(peer);
      // Each side looks at what the other said of it when more data comes.
      peer.resume().write('x');
      socket!.on('data', () => socket!.write('y'));
      assert.notEqual(await Promise.race([outcome, failed]), 'renegotiated');
      socket!.destroy();
      peer.destroy();
    },
  );
});
