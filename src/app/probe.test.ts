/** `tls probe`: what it takes from the configuration. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { ProbeQuestion } from '../cli/offline-probe.ts';
import { makeCa, makeLeaf } from '../testing/certificates.ts';
import { startFakePartner } from '../testing/fake-partner.ts';
import { probe } from './probe.ts';

const ca = makeCa('CA');
const leaf = makeLeaf(ca, ['mx.us.test']);

/** A configuration with one certificate of this name. */
async function configWith(t: TestContext, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-probe-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'own.pem'), leaf.pem + leaf.keyPem, { mode: 0o600 });
  const lines = [
    'hostName: mx.us.test',
    'user: root',
    'dataFolder: ./data',
    'listeners: [{ name: mx, host: 127.0.0.1, port: 0, kind: mx }]',
    `certificates: { ${name}: { certificate: own.pem, key: own.pem } }`,
    `serverCertificates: ${name}`,
    'organizations: [{ id: example, acceptedDomains: [{ domain: us.test }] }]',
  ];
  const file = join(folder, 'postern.yaml');
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}

function questionWith(port: number, configFile: string, name: string): ProbeQuestion {
  return {
    target: '127.0.0.1',
    isMx: false,
    port,
    protocol: 'smtp',
    mode: 'starttls',
    names: [],
    pins: [],
    anchors: 'bundled',
    clientCertificate: { kind: 'named', name },
    config: { file: configFile, isNamed: true },
    timeoutMs: 2000,
  };
}

test('the certificate to present is one of the configuration, whatever its name', async (t) => {
  for (const name of ['server', 'constructor']) {
    const partner = await startFakePartner({
      tls: { cert: leaf.pem, key: leaf.keyPem },
      clientCertificate: 'requested',
    });
    t.after(() => partner.close());
    const file = await configWith(t, name);
    const report = await probe(questionWith(partner.port, file, name), () => undefined);
    assert.equal(report.addresses[0]!.problem, null);
    assert.deepEqual(partner.connections[0]!.tls?.clientChain[0], leaf.der);
  }
});

test('a name that every object has is no certificate', async (t) => {
  const file = await configWith(t, 'server');
  for (const name of ['constructor', '__proto__', 'toString']) {
    await assert.rejects(
      probe(questionWith(9, file, name), () => undefined),
      { code: 'certificate-unknown', message: /there is: server/ },
    );
  }
});
