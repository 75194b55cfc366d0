/** Real upgrades over loopback: what evidence says of each kind of peer. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import tls from 'node:tls';
import {
  clientAuthOnly,
  expired,
  makeIntermediate,
  makeLeaf,
  makeSelfSigned,
} from '../testing/certificates.ts';
import type { TestCertificate } from '../testing/certificates.ts';
import * as ends from '../../test/support/tls-ends.ts';
import type { PathResult } from '../policy/evidence.ts';
import type { PathPurpose } from '../policy/tls-requirement.ts';
import { createServerTls } from './contexts.ts';
import type { ServerTls } from './contexts.ts';
import { outcomeOf, upgradeClient, upgradeServer } from './handshake.ts';
import type { Upgraded } from './handshake.ts';

const { anchors, anchorsName, ca, client, clients, intermediate, own } = ends;
const { clientOptions, ownRsa, server, strangerCa } = ends;
const { dialled, pemOf, served, serverOptions, shake, source, withConnection } = ends;

after(ends.removeDirectory);

async function inboundPath(clientCertificate: string | null, purpose: PathPurpose) {
  const { server: inbound } = await shake({
    server: { wantedPaths: [{ anchors: anchorsName, purpose }] },
    client: { clientCertificate },
  });
  return { chain: inbound.evidence.tls!.chain, path: inbound.evidence.tls!.paths[0]! };
}

function problemOf(path: PathResult): string {
  return path.kind === 'reached' ? 'reached' : path.problem;
}

describe('client certificates, as the server sees them', () => {
  const expectations: readonly (readonly [string, string, string, string])[] = [
    ['trusted', 'reached', 'reached', 'reached'],
    ['with intermediate', 'reached', 'reached', 'reached'],
    ['without its intermediate', 'untrusted-root', 'untrusted-root', 'untrusted-root'],
    ['untrusted', 'untrusted-root', 'untrusted-root', 'untrusted-root'],
    ['self-signed', 'self-signed', 'self-signed', 'self-signed'],
    ['expired', 'expired', 'expired', 'expired'],
    ['serverAuth only', 'wrong-purpose', 'reached', 'reached'],
    // Node reports all three of these as INVALID_PURPOSE.
    ['serverAuth only, untrusted', 'untrusted-root', 'untrusted-root', 'untrusted-root'],
    ['serverAuth only, self-signed', 'self-signed', 'self-signed', 'self-signed'],
  ];
  for (const [name, clientAuth, serverAuth, either] of expectations) {
    test(`${name}: ${clientAuth} for clientAuth, ${either} for either`, async () => {
      const wantedPaths = (['clientAuth', 'serverAuth', 'either'] as const).map((purpose) => ({
        anchors: anchorsName,
        purpose,
      }));
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        const { cert, key } = pemOf(clients[name]!);
        const { evidence } = await served({ cert, key, maxVersion }, { wantedPaths });
        assert.deepEqual(evidence.tls!.paths.map(problemOf), [clientAuth, serverAuth, either]);
        assert.equal(evidence.tls!.protocol, maxVersion);
        assert.deepEqual(
          evidence.tls!.chain.map((each) => each.fingerprint256),
          clients[name]!.map((each) => each.fingerprint256),
        );
        assert.equal(evidence.tls!.openssl, null);
      }
    });
  }

  test('none: an empty chain and no-certificate', async () => {
    const { chain, path } = await inboundPath(null, 'clientAuth');
    assert.deepEqual(chain, []);
    assert.equal(problemOf(path), 'no-certificate');
  });

  test('not requested: none is shown although the client has one', async () => {
    const pair = await shake({
      server: { requestClientCertificate: false },
      client: { clientCertificate: 'trusted' },
    });
    assert.deepEqual(pair.server.evidence.tls!.chain, []);
    assert.equal(pair.server.evidence.tls!.isCertificateRequested, false);
    const asked = await shake({ client: { clientCertificate: 'trusted' } });
    assert.equal('isCertificateRequested' in asked.server.evidence.tls!, false);
    assert.equal('isCertificateRequested' in asked.client.evidence.tls!, false);
  });

  test('a chain of 17 certificates is cut at 16 and says so where no path is found', async () => {
    const chain: TestCertificate[] = [];
    let issuer = strangerCa;
    for (let count = 0; count < 16; count += 1) {
      issuer = makeIntermediate(issuer, `Long ${count}`);
      chain.unshift(issuer);
    }
    const leaf = makeLeaf(issuer, ['mx.partner.test']);
    const { cert, key } = pemOf([leaf, ...chain]);
    const wantedPaths = [{ anchors: anchorsName, purpose: 'clientAuth' }] as const;
    const { evidence } = await served({ cert, key }, { wantedPaths });
    assert.equal(evidence.tls!.chain.length, 16);
    assert.equal(problemOf(evidence.tls!.paths[0]!), 'limit-exceeded');
  });

  test('intermediates are told although Node itself would trust the client', async () => {
    const before = tls.getCACertificates('default');
    tls.setDefaultCACertificates([ca.pem]);
    try {
      const settings = { certificates: [source(own, intermediate)], anchors };
      const pair = await shake({
        tls: await createServerTls(settings),
        client: { clientCertificate: 'with intermediate' },
      });
      assert.equal(pair.server.evidence.tls!.chain.length, 2);
    } finally {
      tls.setDefaultCACertificates(before);
    }
  });

  test('anchors that are not loaded reach nothing', async () => {
    const wantedPaths = [{ anchors: 'file:/nowhere.pem', purpose: 'clientAuth' }] as const;
    const { cert, key } = pemOf(clients['trusted']!);
    const { evidence } = await served({ cert, key }, { wantedPaths });
    assert.equal(problemOf(evidence.tls!.paths[0]!), 'anchors-unavailable');
  });

  test('facts carry names, key and dates of what was shown', async () => {
    const { chain } = await inboundPath('with intermediate', 'clientAuth');
    const [leaf] = clients['with intermediate']!;
    assert.deepEqual(chain[0]!.dnsNames, ['mx.partner.test']);
    assert.equal(chain[0]!.spki256, leaf!.spki256);
    assert.equal(chain[0]!.issuer, 'CN=Trusted Intermediate');
    assert.equal(chain[0]!.isSelfSigned, false);
  });
});

describe('what an established session shows', () => {
  test('both ends agree on version, suite and group', async () => {
    const pair = await shake();
    const [inbound, outbound] = [pair.server.evidence.tls!, pair.client.evidence.tls!];
    assert.equal(inbound.protocol, 'TLSv1.3');
    assert.equal(inbound.cipher, 'TLS_AES_256_GCM_SHA384');
    assert.equal(inbound.cipherStandardName, outbound.cipherStandardName);
    assert.equal(outbound.group, 'X25519MLKEM768');
    assert.equal(inbound.group, 'X25519MLKEM768');
    assert.equal(inbound.sni, 'mx.us.test');
    assert.equal(inbound.ownCertificate, own.fingerprint256);
    assert.equal(pair.server.evidence.peer.address, '127.0.0.1');
    assert.deepEqual(outbound.openssl, { anchors: anchorsName, result: 'ok' });
    assert.equal(problemOf(outbound.paths[0]!), 'reached');
  });

  test('the chain as sent leaves out the root that our own store appended', async () => {
    const { client: outbound } = await shake();
    assert.deepEqual(
      outbound.evidence.tls!.chain.map((each) => each.fingerprint256),
      [own.fingerprint256, intermediate.fingerprint256],
    );
  });

  test('a small ClientHello leaves the hybrid group out', async () => {
    const { client: outbound } = await shake({ client: { smallClientHello: true } });
    assert.equal(outbound.evidence.tls!.group, 'X25519');
  });

  test('no SNI is sent where none is wanted', async () => {
    const pair = await shake({ client: { sni: null } });
    assert.equal(pair.server.evidence.tls!.sni, null);
    assert.equal(pair.client.evidence.tls!.sni, null);
  });

  test('bytes pass in both directions afterwards, also those sent at once', async () => {
    await shake({}, async (pair) => {
      pair.client.socket!.write('EHLO client.test\r\n');
      const [request] = (await once(pair.server.socket!, 'data')) as [Buffer];
      assert.equal(request.toString(), 'EHLO client.test\r\n');
      pair.server.socket!.write('250 mx.us.test\r\n');
      const [reply] = (await once(pair.client.socket!, 'data')) as [Buffer];
      assert.equal(reply.toString(), '250 mx.us.test\r\n');
    });
  });

  test('with ECDSA and RSA the evidence names the certificate that was presented', async () => {
    const both = await createServerTls({
      certificates: [source(own, intermediate), source(ownRsa, intermediate)],
      anchors,
    });
    const modern = await shake({ tls: both });
    assert.equal(modern.server.evidence.tls!.ownCertificate, own.fingerprint256);
    assert.equal(modern.client.evidence.tls!.chain[0]!.fingerprint256, own.fingerprint256);
  });

  test('a session offered again is not resumed', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      let session: Buffer | undefined;
      const secureContext = tls.createSecureContext({ maxVersion, ...pemOf(clients['trusted']!) });
      for (const round of ['first', 'second']) {
        const done = Promise.withResolvers<Upgraded>();
        await withConnection(
          (raw) => {
            upgradeServer(raw, server, serverOptions()).then(done.resolve, done.reject);
          },
          async (raw) => {
            const peer = tls.connect({
              socket: raw,
              rejectUnauthorized: false,
              secureContext,
              ...(session === undefined ? {} : { session }),
            });
            peer.on('error', () => {});
            peer.on('session', (offered: Buffer) => (session = offered));
            const upgraded = await done.promise;
            upgraded.socket!.end('x');
            await once(peer.resume(), 'end');
            assert.equal(upgraded.evidence.tls!.chain.length, 1, `${maxVersion} ${round}`);
            assert.equal(upgraded.socket!.isSessionReused(), false);
            assert.equal(peer.isSessionReused(), false);
            session ??= peer.getSession();
          },
        );
      }
    }
  });
});

describe('a session that is resumed against all settings', () => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`fails as server, with both sockets destroyed (${maxVersion})`, async () => {
      const context = tls.createSecureContext({ ...pemOf([own, intermediate]), maxVersion });
      const careless: ServerTls = { ...server, context };
      const [first, second] = await twice((raw) =>
        upgradeServer(raw, careless, serverOptions({ requestClientCertificate: false })),
      );
      assert.equal(first.upgraded.evidence.encryption, 'established');
      assertResumed(second);
    });

    test(`fails as client, with both sockets destroyed (${maxVersion})`, async () => {
      const context = tls.createSecureContext({ ...pemOf([own, intermediate]), maxVersion });
      const isServer = { isServer: true, secureContext: context };
      let session: Buffer | undefined;
      for (const round of ['first', 'second']) {
        await withConnection(
          (raw) => {
            const peer = new tls.TLSSocket(raw, isServer).on('error', () => {});
            peer.on('secure', () => peer.end('x'));
          },
          async (raw) => {
            const socket = tls.connect({
              socket: raw,
              rejectUnauthorized: false,
              ...(session === undefined ? {} : { session }),
            });
            socket.on('session', (offered: Buffer) => (session = offered));
            const fault = await outcomeOf(socket, raw, 'secureConnect', 5000);
            if (round === 'first') {
              assert.equal(fault, null);
              await once(socket.resume(), 'end');
              session ??= socket.getSession();
            } else {
              assert.equal(fault?.code, 'session-resumed');
              assert.deepEqual([socket.destroyed, raw.destroyed], [true, true]);
            }
          },
        );
      }
    });
  }

  test('is not what our client does: it offers no session to the same server', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const secureContext = tls.createSecureContext({
        ...pemOf([own, intermediate]),
        maxVersion,
      });
      for (const round of ['first', 'second']) {
        await withConnection(
          (raw) => {
            const peer = new tls.TLSSocket(raw, { isServer: true, secureContext });
            peer.on('error', () => {}).on('secure', () => peer.end('x'));
          },
          async (raw) => {
            const { socket, evidence } = await upgradeClient(raw, clientOptions(), client);
            assert.equal(evidence.failure, null, `${maxVersion} ${round}`);
            await once(socket!.resume(), 'end');
            assert.equal(socket!.isSessionReused(), false);
          },
        );
      }
    }
  });

  interface Served {
    readonly raw: Socket;
    readonly upgraded: Upgraded;
  }

  function assertResumed({ raw, upgraded }: Served): void {
    assert.equal(upgraded.socket, null);
    assert.equal(upgraded.evidence.encryption, 'failed');
    assert.equal(upgraded.evidence.failure!.code, 'session-resumed');
    assert.equal(upgraded.evidence.tls, null);
    assert.equal(raw.destroyed, true);
  }

  /** A client that connects, and again with the session that it got. */
  async function twice(upgrade: (raw: Socket) => Promise<Upgraded>): Promise<[Served, Served]> {
    const results: Served[] = [];
    let session: Buffer | undefined;
    while (results.length < 2) {
      const done = Promise.withResolvers<Served>();
      await withConnection(
        (raw) => {
          upgrade(raw).then((upgraded) => done.resolve({ raw, upgraded }), done.reject);
        },
        async (raw) => {
          const given = session === undefined ? {} : { session };
          const peer = tls.connect({ socket: raw, rejectUnauthorized: false, ...given });
          peer.on('error', () => {}).on('session', (offered: Buffer) => (session = offered));
          const result = await done.promise;
          results.push(result);
          if (result.upgraded.socket === null) return;
          result.upgraded.socket.end('x');
          await once(peer.resume(), 'end');
          session ??= peer.getSession();
        },
      );
    }
    return [results[0]!, results[1]!];
  }
});

describe('servers, as our client sees them', () => {
  const servers: readonly (readonly [string, readonly TestCertificate[], string, string])[] = [
    ['trusted', [own, intermediate], 'reached', 'ok'],
    ['self-signed', [makeSelfSigned(['mx.us.test'])], 'self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['expired', [makeLeaf(ca, ['mx.us.test'], expired)], 'expired', 'CERT_HAS_EXPIRED'],
    [
      'of a stranger',
      [makeLeaf(strangerCa, ['mx.us.test']), strangerCa],
      'untrusted-root',
      'SELF_SIGNED_CERT_IN_CHAIN',
    ],
    [
      'for clients only',
      [makeLeaf(ca, ['mx.us.test'], clientAuthOnly)],
      'wrong-purpose',
      'INVALID_PURPOSE',
    ],
    ['without intermediate', [own], 'untrusted-root', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
  ];
  for (const [name, chain, problem, result] of servers) {
    test(`a certificate ${name}: ${problem}, and OpenSSL says ${result}`, async () => {
      const { evidence } = await dialled(pemOf(chain));
      assert.equal(evidence.encryption, 'established');
      assert.equal(problemOf(evidence.tls!.paths[0]!), problem);
      assert.equal(evidence.tls!.openssl!.result, result);
    });
  }

  test('another name on the certificate is not OpenSSL business here', async () => {
    const { evidence } = await dialled(pemOf([makeLeaf(ca, ['other.test'])]));
    assert.equal(evidence.tls!.openssl!.result, 'ok');
    assert.deepEqual(evidence.tls!.chain[0]!.dnsNames, ['other.test']);
  });

  test('with unavailable anchors it is encrypted, and trusted by nobody', async () => {
    const wantedPaths = [{ anchors: 'file:/nowhere.pem', purpose: 'serverAuth' }] as const;
    const options = { anchors: 'file:/nowhere.pem', wantedPaths };
    const { evidence } = await dialled(pemOf([own, intermediate]), options);
    assert.equal(evidence.encryption, 'established');
    assert.equal(problemOf(evidence.tls!.paths[0]!), 'anchors-unavailable');
    assert.notEqual(evidence.tls!.openssl!.result, 'ok');
  });

  test('a listed intermediate is an anchor for both judges', async () => {
    const file = join(ends.directory, 'intermediate.pem');
    await writeFile(file, intermediate.pem);
    const name = `file:${file}`;
    await anchors.loadAnchors([name]);
    const wantedPaths = [{ anchors: name, purpose: 'serverAuth' }] as const;
    const { evidence } = await dialled(pemOf([own, intermediate]), { anchors: name, wantedPaths });
    assert.equal(problemOf(evidence.tls!.paths[0]!), 'reached');
    assert.equal(evidence.tls!.openssl!.result, 'ok');
  });
});
