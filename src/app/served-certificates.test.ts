/** `GET /v1/certificates/{name}/contents`: what is in force, and neither keys nor paths. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { certificateContentsSchema } from '../api/contract/certificates.ts';
import { chainPem, makeCa, makeIntermediate, makeLeaf } from '../testing/certificates.ts';
import type { Configuration } from './configuration.ts';
import { loadConfiguration } from './configuration.ts';
import { describeCertificate } from './served-certificates.ts';

const intermediate = makeIntermediate(makeCa('Root'), 'Intermediate');
const leaf = makeLeaf(intermediate, ['mx.us.test']);
const other = makeLeaf(intermediate, ['other.us.test']);

async function load(t: TestContext): Promise<{ folder: string; inForce: Configuration }> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-served-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'postern.yaml');
  await writeFile(
    file,
    `hostName: mx.us.test
dataFolder: ./data
listeners:
  - { name: mx, host: 127.0.0.1, port: 0, kind: mx }
certificates:
  server: { certificate: chain.pem, key: server.key }
  both: { certificate: both.pem, key: both.pem }
serverCertificates: server
organizations:
  - id: example
    acceptedDomains: [{ domain: us.test }]
    outboundConnectors:
      - { name: partner, recipientDomains: a.test, tlsSettings: EncryptionOnly, clientCertificate: both }
`,
  );
  await writeFile(join(folder, 'chain.pem'), chainPem(leaf, intermediate));
  await writeFile(join(folder, 'server.key'), leaf.keyPem, { mode: 0o600 });
  await writeFile(join(folder, 'both.pem'), other.keyPem + other.pem, { mode: 0o600 });
  const loaded = await loadConfiguration({ file, dataFolder: null }, null);
  assert.ok(loaded.kind === 'loaded', JSON.stringify(loaded));
  return { folder, inForce: loaded.configuration };
}

test('no key and no path is told, whatever is in the file', async (t) => {
  const { folder, inForce } = await load(t);
  const files = new Map(inForce.files);
  files.set(join(folder, 'chain.pem'), { bytes: Buffer.from('nothing'), fingerprint: '' });
  const broken = await describeCertificate({ ...inForce, files }, 'server');
  assert.match(broken.problem!, /its file/);
  const views = [
    await describeCertificate(inForce, 'server'),
    await describeCertificate(inForce, 'both'),
    broken,
  ];
  for (const view of views) {
    const text = JSON.stringify(view);
    assert.doesNotMatch(text, /PRIVATE|BEGIN|\.pem|\.key/);
    assert.ok(!text.includes(folder));
    assert.deepEqual(certificateContentsSchema.strict().parse(view), view);
  }
});

test('names, dates, pin, chain and who presents it', async (t) => {
  const { inForce } = await load(t);
  const server = await describeCertificate(inForce, 'server');
  assert.deepEqual(
    server.certificates.map(({ subject, keyType }) => [subject, keyType]),
    [
      ['CN=mx.us.test', 'ECDSA P-256'],
      ['CN=Intermediate', 'ECDSA P-256'],
    ],
  );
  assert.deepEqual(server.certificates[0]!.dnsNames, ['mx.us.test']);
  assert.match(server.certificates[0]!.spki256, /\S{20}/);
  assert.deepEqual([server.keyFits, server.trustedBy, server.problem], [true, null, null]);
  assert.deepEqual(server.usedBy, ['listener mx']);
  const both = await describeCertificate(inForce, 'both');
  assert.deepEqual([both.keyFits, both.usedBy], [true, ['outbound connector partner']]);
});

test('what lies in the files by now is not what is in force', async (t) => {
  const { folder, inForce } = await load(t);
  await writeFile(join(folder, 'chain.pem'), other.pem);
  const [first] = (await describeCertificate(inForce, 'server')).certificates;
  assert.deepEqual(first?.dnsNames, ['mx.us.test']);
});

test('names that no certificate has', async (t) => {
  const { inForce } = await load(t);
  for (const name of ['serve', 'constructor', '../server.key', '']) {
    await assert.rejects(describeCertificate(inForce, name), { code: 'object-unknown' });
  }
});
