/** Handshakes that must not come about, and what evidence says of them. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import tls from 'node:tls';
import * as ends from '../../test/support/tls-ends.ts';
import { cipherSuites, createServerTls } from './contexts.ts';
import { upgradeClient, upgradeServer } from './handshake.ts';
import type { Upgraded } from './handshake.ts';
import { classifyEarlyClose, classifyTlsError } from './tls-errors.ts';

const { anchors, ca, client, intermediate, own, ownRsa, server } = ends;
const { clientOptions, dialled, pemOf, served, serverOptions, source, withConnection } = ends;

after(ends.removeDirectory);

describe('failed handshakes are evidence, never a throw', () => {
  const old = 'DEFAULT@SECLEVEL=0';
  for (const version of ['TLSv1', 'TLSv1.1'] as const) {
    test(`a client of ${version} is refused`, async () => {
      const { socket, evidence } = await served({
        minVersion: version,
        maxVersion: version,
        ciphers: old,
      });
      assert.equal(socket, null);
      assert.equal(evidence.encryption, 'failed');
      assert.equal(evidence.failure!.code, 'version');
      assert.equal(evidence.tls, null);
    });

    test(`a server of ${version} is refused`, async () => {
      const { socket, evidence } = await dialled({
        ...pemOf([own, intermediate]),
        minVersion: version,
        maxVersion: version,
        ciphers: old,
      });
      assert.equal(socket, null);
      assert.equal(evidence.failure!.code, 'version');
    });
  }

  test('TLS 1.2 without forward secrecy is refused on both sides', async () => {
    const rsaServer = await createServerTls({
      certificates: [source(ownRsa, intermediate)],
      anchors,
    });
    const done = Promise.withResolvers<Upgraded>();
    await withConnection(
      (raw) => {
        upgradeServer(raw, rsaServer, serverOptions()).then(done.resolve, done.reject);
      },
      async (raw) => {
        const options = { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:AES256-SHA' } as const;
        tls.connect({ socket: raw, rejectUnauthorized: false, ...options }).on('error', () => {});
        const { evidence } = await done.promise;
        assert.equal(evidence.failure!.code, 'no-common-algorithm');
      },
    );
    const { evidence } = await dialled({
      ...pemOf([ownRsa, intermediate]),
      maxVersion: 'TLSv1.2',
      ciphers: 'AES128-GCM-SHA256',
    });
    assert.equal(evidence.encryption, 'failed');
  });

  test('each TLS 1.2 suite that we list works', async () => {
    const both = await createServerTls({
      certificates: [source(own, intermediate), source(ownRsa, intermediate)],
      anchors,
    });
    for (const cipher of cipherSuites.filter((name) => name.startsWith('ECDHE'))) {
      const done = Promise.withResolvers<Upgraded>();
      await withConnection(
        (raw) => {
          upgradeServer(raw, both, serverOptions()).then(done.resolve, done.reject);
        },
        async (raw) => {
          const options = { maxVersion: 'TLSv1.2', ciphers: cipher } as const;
          tls.connect({ socket: raw, rejectUnauthorized: false, ...options }).on('error', () => {});
          const { evidence } = await done.promise;
          assert.equal(evidence.tls?.cipher, cipher);
        },
      );
    }
  });

  test('a peer that says nothing: timeout, and the socket is destroyed', async () => {
    await withConnection(
      () => {},
      async (raw) => {
        const upgraded = await upgradeClient(raw, clientOptions({ timeoutMs: 30 }), client);
        assert.equal(upgraded.socket, null);
        assert.equal(upgraded.evidence.failure!.code, 'timeout');
        assert.equal(raw.destroyed, true);
      },
    );
    const done = Promise.withResolvers<Upgraded>();
    await withConnection(
      (raw) => {
        upgradeServer(raw, server, serverOptions({ timeoutMs: 30 })).then(
          done.resolve,
          done.reject,
        );
      },
      async () => {
        assert.equal((await done.promise).evidence.failure!.code, 'timeout');
      },
    );
  });

  test('a peer that closes in the middle: closed or reset', async () => {
    await withConnection(
      (raw) => raw.once('data', () => raw.end()),
      async (raw) => {
        const { evidence } = await upgradeClient(raw, clientOptions(), client);
        assert.equal(evidence.failure!.code, 'closed');
      },
    );
    const done = Promise.withResolvers<Upgraded>();
    await withConnection(
      (raw) => {
        upgradeServer(raw, server, serverOptions()).then(done.resolve, done.reject);
      },
      async (raw) => {
        raw.end(Buffer.from('160301', 'hex'));
        assert.match((await done.promise).evidence.failure!.code, /^(closed|reset)$/);
      },
    );
  });

  test('a peer that speaks in clear is no TLS', async () => {
    await withConnection(
      (raw) => raw.end('500 5.5.1 what\u001b[31m was that\r\n'),
      async (raw) => {
        const { evidence } = await upgradeClient(raw, clientOptions(), client);
        assert.equal(evidence.failure!.code, 'not-tls');
        assert.doesNotMatch(evidence.failure!.text, /\u001b/);
      },
    );
  });

  test('a connection that is gone before the upgrade fails at once', async () => {
    await withConnection(
      () => {},
      async (raw) => {
        raw.destroy();
        const { evidence } = await upgradeClient(raw, clientOptions(), client);
        assert.equal(evidence.failure!.code, 'closed');
      },
    );
  });

  test('an own certificate that is not configured is never replaced by another', async () => {
    await withConnection(
      () => {},
      async (raw) => {
        const options = clientOptions({ clientCertificate: 'forgotten' });
        const { socket, evidence } = await upgradeClient(raw, options, client);
        assert.equal(socket, null);
        assert.equal(evidence.failure!.code, 'own-certificate-missing');
        assert.equal(raw.destroyed, true);
      },
    );
  });
});

test('a refusal of our client certificate in TLS 1.3 comes after the handshake and is named', async () => {
  const strict = tls.createServer({
    ...pemOf([own, intermediate]),
    ca: [ca.pem],
    requestCert: true,
    rejectUnauthorized: true,
  });
  strict.on('tlsClientError', () => {});
  await withConnection(
    (raw) => strict.emit('connection', raw),
    async (raw) => {
      const upgraded = await upgradeClient(raw, clientOptions(), client);
      assert.equal(upgraded.evidence.encryption, 'established');
      const error = await new Promise<unknown>((resolve) => {
        upgraded
          .socket!.once('error', resolve)
          .once('end', () => resolve(null))
          .resume();
      });
      const fault =
        error === null ? classifyEarlyClose(upgraded.evidence) : classifyTlsError(error);
      assert.equal(fault!.code, 'certificate-refused');
    },
  );
});
