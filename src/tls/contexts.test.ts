/** Own certificates, anchors and private CA: what is refused when contexts are made. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  chainPem,
  expired,
  makeCa,
  makeIntermediate,
  makeLeaf,
  writeCertificateFiles,
} from '../testing/certificates.ts';
import { askOpenssl } from '../../test/support/openssl-verify.ts';
import { Failure } from '../mail/failure.ts';
import { AnchorRegistry } from './anchors.ts';
import { certificateFacts } from './certificate-facts.ts';
import { examineChain } from './chain.ts';
import { createClientTls, createServerTls } from './contexts.ts';
import type { ClientContextWanted } from './contexts.ts';
import { tlsFailures } from './failures.ts';
import { pemBlocks } from './pem.ts';
import { PresentedChain } from './presented-chain.ts';
import { issueCertificate, makePrivateCa, saveIssued } from './private-ca.ts';

const ca = makeCa();
const leaf = makeLeaf(ca);
const anchors = new AnchorRegistry();
const pem = (text: string): Buffer => Buffer.from(text);
const good = { certificate: pem(leaf.pem), key: pem(leaf.keyPem) };
let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-tls-'));
});
after(() => rm(directory, { recursive: true }));

function failsWith(code: string) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, code);
    assert.ok(code in tlsFailures);
    return true;
  };
}

describe('own certificates', () => {
  const make = (certificate: Buffer | { file: string }, key: Buffer | { file: string }) =>
    createServerTls({ certificates: [{ certificate, key }], anchors });

  test('a missing file is named', async () => {
    const file = join(directory, 'missing.pem');
    await assert.rejects(make({ file }, good.key), failsWith('tls-file-missing'));
    await assert.rejects(make({ file }, good.key), (error: Error) => error.message.includes(file));
  });

  test('a folder is unreadable', async () => {
    await assert.rejects(make({ file: directory }, good.key), failsWith('tls-file-unreadable'));
  });

  test('a certificate of another key', async () => {
    const other = makeLeaf(ca);
    await assert.rejects(make(pem(other.pem), good.key), failsWith('tls-key-mismatch'));
    const wrongOrder = pem(chainPem(ca, leaf));
    await assert.rejects(make(wrongOrder, good.key), failsWith('tls-key-mismatch'));
  });

  test('no certificate, broken ones, no key, an encrypted key', async () => {
    await assert.rejects(make(pem(''), good.key), failsWith('tls-certificate-malformed'));
    const broken = pem('-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n');
    await assert.rejects(make(broken, good.key), failsWith('tls-certificate-malformed'));
    await assert.rejects(make(good.certificate, pem('x')), failsWith('tls-key-malformed'));
    const locked = leaf.key.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'x',
    });
    await assert.rejects(
      make(good.certificate, pem(String(locked))),
      failsWith('tls-key-malformed'),
    );
  });

  test('none at all', async () => {
    const making = createServerTls({ certificates: [], anchors });
    await assert.rejects(making, failsWith('tls-no-certificate'));
  });

  test('an expired one works and warns', async () => {
    const old = makeLeaf(ca, ['mx.us.test'], expired);
    const made = await make(pem(old.pem), pem(old.keyPem));
    assert.match(made.warnings[0]!, /expired/);
    assert.deepEqual((await make(good.certificate, good.key)).warnings, []);
  });

  test('files with intermediates are read', async () => {
    const middle = makeIntermediate(ca);
    const files = await writeCertificateFiles(directory, 'own', [makeLeaf(middle), middle]);
    const made = await make({ file: files.certificateFile }, { file: files.keyFile });
    assert.deepEqual(made.certificates[0]!.dnsNames, ['mx.partner.test']);
  });

  test('a client context is made once per anchors, own certificate and size', async () => {
    const registry = new AnchorRegistry();
    const file = join(directory, 'client-ca.pem');
    await writeFile(file, ca.pem);
    const name = `file:${file}`;
    await registry.loadAnchors([name]);
    const client = await createClientTls({ clientCertificates: { own: good }, anchors: registry });
    const wanted: ClientContextWanted = {
      anchors: name,
      clientCertificate: 'own',
      smallClientHello: false,
      postQuantum: 'prefer',
    };
    const first = client.context(wanted);
    assert.equal(client.context(wanted), first);
    assert.notEqual(client.context({ ...wanted, clientCertificate: null }), first);
    assert.notEqual(client.context({ ...wanted, smallClientHello: true }), first);
    const only = client.context({ ...wanted, postQuantum: 'require' });
    assert.notEqual(only, first);
    const small = { ...wanted, postQuantum: 'require', smallClientHello: true } as const;
    assert.equal(client.context(small), only, 'a required group is never left out');
    assert.notEqual(client.context({ ...wanted, anchors: 'file:/nowhere' }), first);
    assert.equal(client.context({ ...wanted, clientCertificate: 'other' }), null);
    await registry.loadAnchors([name]);
    assert.equal(client.context(wanted), first, 'unchanged anchors keep their context');
    await writeFile(file, makeCa('Next').pem);
    await registry.loadAnchors([name]);
    assert.notEqual(client.context(wanted), first, 'changed anchors get another');
  });
});

describe('anchors', () => {
  test('bundled and system roots are all readable, and most reach themselves', async () => {
    const registry = new AnchorRegistry();
    assert.deepEqual(await registry.loadAnchors(['bundled', 'system']), []);
    const set = registry.get('bundled')!;
    assert.ok(set.certificates.length > 100);
    for (const der of set.certificates) assert.ok(set.has(certificateFacts(der).fingerprint256));
  });

  test('what cannot be loaded is unavailable and told', async () => {
    const middle = makeIntermediate(ca);
    const files: Record<string, string> = {
      'empty.pem': '',
      'key.pem': `${ca.pem}${leaf.keyPem}`,
      'broken.pem': `${ca.pem}-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n`,
      'cut.pem': `${ca.pem}${middle.pem.slice(0, -30)}`,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
    const names = [
      ...Object.keys(files).map((name) => `file:${join(directory, name)}`),
      'file:relative.pem',
      `file:${join(directory, 'missing.pem')}`,
      'bundeld',
    ];
    const registry = new AnchorRegistry();
    const failures = await registry.loadAnchors(names);
    assert.deepEqual(
      failures.map((failure) => failure.code),
      names.map(() => 'tls-anchors-unavailable'),
    );
    for (const name of names) assert.equal(registry.get(name), null);
  });

  test('a set that can no longer be loaded is no longer there', async () => {
    const file = join(directory, 'gone.pem');
    await writeFile(file, ca.pem);
    const registry = new AnchorRegistry();
    await registry.loadAnchors([`file:${file}`]);
    assert.notEqual(registry.get(`file:${file}`), null);
    await rm(file);
    assert.equal((await registry.loadAnchors([`file:${file}`])).length, 1);
    assert.equal(registry.get(`file:${file}`), null);
  });
});

describe('the private CA', () => {
  test('what it issues satisfies us and OpenSSL, for each purpose asked and no other', async () => {
    const root = await makePrivateCa({ commonName: 'Postern test', validDays: 3650 });
    const issued = await issueCertificate(root, {
      names: ['mx.example.test', '192.0.2.1', '2001:db8::1'],
      purposes: ['serverAuth'],
      validDays: 90,
    });
    const file = join(directory, 'root.pem');
    await writeFile(file, root.certificatePem);
    const name = `file:${file}`;
    const registry = new AnchorRegistry();
    assert.deepEqual(await registry.loadAnchors([name]), []);
    const der = pemBlocks(issued.certificatePem)[0]!.der;
    assert.deepEqual(certificateFacts(der).dnsNames, ['mx.example.test']);
    const search = { anchors: name, set: registry.get(name), at: Date.now() };
    const chain = new PresentedChain([der]);
    assert.equal(examineChain(chain, { ...search, purpose: 'serverAuth' }).kind, 'reached');
    assert.equal(examineChain(chain, { ...search, purpose: 'clientAuth' }).kind, 'not-reached');
    const question = {
      leaf: { ...leaf, pem: issued.certificatePem },
      sent: [],
      anchors: [{ ...ca, pem: root.certificatePem }],
      at: Date.now(),
    };
    const answers = await askOpenssl([
      { ...question, purpose: 'serverAuth' },
      { ...question, purpose: 'clientAuth' },
    ]);
    assert.equal(answers[0], 'ok');
    assert.match(answers[1]!, /purpose/);
    await createServerTls({
      certificates: [{ certificate: pem(issued.certificatePem), key: pem(issued.keyPem) }],
      anchors: registry,
    });
  });

  test('its key file is for its owner alone, and is never written over', async () => {
    const root = await makePrivateCa({ commonName: 'x', validDays: 1 });
    const files = {
      certificateFile: join(directory, 'ca-cert.pem'),
      keyFile: join(directory, 'ca-key.pem'),
    };
    await saveIssued(files, root);
    assert.equal((await stat(files.keyFile)).mode & 0o777, 0o600);
    assert.equal(await readFile(files.keyFile, 'utf8'), root.keyPem);
    await assert.rejects(saveIssued(files, root), { code: 'EEXIST' });
  });
});
