import assert from 'node:assert/strict';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { chainPem, makeCa, makeIntermediate, makeLeaf } from '../testing/certificates.ts';
import { loadOwnCertificate } from '../tls/own-certificate.ts';
import { certificateCommands as commands } from './certificates.ts';

const ca = makeCa('Root');
const intermediate = makeIntermediate(ca, 'Intermediate');
const first = makeLeaf(ca, ['mx.us.test']);
const second = makeLeaf(intermediate, ['mx.us.test'], { key: 'rsa2048' });

const config = `hostName: mx.us.test
dataFolder: ./data
user: root
listeners:
  - { name: mx, host: 127.0.0.1, port: 0, kind: mx }
certificates:
  server: { certificate: server.pem, key: server.key }
serverCertificates: server
organizations:
  - id: example
    acceptedDomains: [{ domain: us.test }]
    outboundConnectors:
      - name: To Contoso
        recipientDomains: contoso.com
        tlsSettings: EncryptionOnly
        clientCertificate: server
`;

async function makeFolder(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'postern-certificates-'));
  t.after(() => rm(folder, { recursive: true }));
  const at = (name: string) => join(folder, name);
  await mkdir(at('data'), { mode: 0o700 });
  await writeFile(at('postern.yaml'), config);
  await writeFile(at('server.pem'), first.pem);
  await writeFile(at('server.key'), first.keyPem, { mode: 0o600 });
  await writeFile(at('new.pem'), chainPem(intermediate, second));
  await writeFile(at('new.key'), second.keyPem);
  return { folder, at };
}

test('show: what is configured, whether the key fits, and who presents it', async (t) => {
  const { at } = await makeFolder(t);
  const [view, ...rest] = await commands.show({ configFile: at('postern.yaml'), what: null });
  assert.deepEqual(rest, []);
  assert.equal(view!.name, 'server');
  assert.equal(view!.keyFits, true);
  assert.deepEqual(view!.usedBy, ['listener mx', 'outbound connector To Contoso']);
  assert.equal(view!.trustedBy, null);
  assert.match(view!.trustDetail, /no path/);
  assert.equal(view!.certificates[0]!.keyType, 'ECDSA P-256');
  await writeFile(at('server.key'), second.keyPem);
  const [wrong] = await commands.show({
    configFile: at('postern.yaml'),
    what: { name: 'server', file: at('server') },
  });
  assert.equal(wrong!.keyFits, false);
});

test('show: any file, with or without a configuration; what is neither is refused', async (t) => {
  const { at } = await makeFolder(t);
  const what = { name: 'new.pem', file: at('new.pem') };
  const [view] = await commands.show({ configFile: null, what });
  assert.equal(view!.certificates.length, 2);
  assert.equal(view!.keyFits, null);
  const show = commands.show({
    configFile: at('postern.yaml'),
    what: { name: 'servr', file: at('servr') },
  });
  await assert.rejects(show, { code: 'certificate-unknown', message: /there is: server/ });
  await rm(at('server.pem'));
  const [gone] = await commands.show({ configFile: at('postern.yaml'), what: null });
  assert.match(gone!.problem!, /no such file/);
});

test('import: the files of the configuration are replaced, both, in order and private', async (t) => {
  const { folder, at } = await makeFolder(t);
  await chmod(at('server.key'), 0o644);
  const before = (await readdir(folder)).sort();
  const imported = await commands.import({
    configFile: at('postern.yaml'),
    name: 'server',
    files: [at('new.pem'), at('new.key')],
  });
  assert.equal(imported.yaml, null);
  assert.equal(imported.view.keyFits, true);
  assert.equal(await readFile(at('server.pem'), 'utf8'), chainPem(second, intermediate));
  assert.equal((await stat(at('server.key'))).mode & 0o777, 0o600);
  await loadOwnCertificate({
    certificate: { file: at('server.pem') },
    key: { file: at('server.key') },
  });
  assert.deepEqual((await readdir(folder)).sort(), before);
});

test('import: a name that is new gets one file, and the lines for the configuration', async (t) => {
  const { at } = await makeFolder(t);
  const imported = await commands.import({
    configFile: at('postern.yaml'),
    name: 'rsa',
    files: [at('new.pem'), at('new.key')],
  });
  const file = at('data/certificates/rsa/certificate-and-key.pem');
  assert.deepEqual(imported.written, [file]);
  assert.match(imported.yaml!, /^certificates:\n {2}rsa:\n {4}certificate: "/);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal((await stat(at('data/certificates'))).mode & 0o777, 0o700);
  const own = await loadOwnCertificate({ certificate: { file }, key: { file } });
  assert.deepEqual(own.leaf.dnsNames, ['mx.us.test']);
  // What it says to add is a configuration that the gateway takes.
  const added = config.replace('certificates:\n', imported.yaml!);
  await writeFile(at('postern.yaml'), added);
  const again = await commands.import({
    configFile: at('postern.yaml'),
    name: 'rsa',
    files: [at('new.pem')],
  });
  assert.equal(again.yaml, null);
});

test('import: a name that every object has is new as any other', async (t) => {
  const { at } = await makeFolder(t);
  const order = { configFile: at('postern.yaml'), name: 'constructor' };
  const imported = await commands.import({ ...order, files: [at('new.pem'), at('new.key')] });
  assert.deepEqual(imported.written, [at('data/certificates/constructor/certificate-and-key.pem')]);
  await writeFile(at('postern.yaml'), config.replace('certificates:\n', imported.yaml!));
  const again = await commands.import({ ...order, files: [at('new.pem')] });
  assert.equal(again.yaml, null);
  const what = { name: 'constructor', file: at('constructor') };
  const [view] = await commands.show({ configFile: at('postern.yaml'), what });
  assert.equal(view!.keyFits, true);
});

test('import: whatever is wrong changes nothing', async (t) => {
  const { folder, at } = await makeFolder(t);
  const cases: [string, readonly string[], string][] = [
    ['server', ['new.pem', 'server.key'], 'tls-key-mismatch'],
    ['server', ['new.pem'], 'tls-key-mismatch'],
    ['server', ['none.pem'], 'tls-file-missing'],
    ['fresh', ['new.pem'], 'tls-key-malformed'],
  ];
  for (const [name, files, code] of cases) {
    const configFile = at('postern.yaml');
    await assert.rejects(commands.import({ configFile, name, files: files.map(at) }), { code });
  }
  // The second file cannot be replaced: the first is put back.
  await rm(at('server.pem'));
  await mkdir(at('server.pem'));
  await writeFile(at('server.pem/x'), '');
  const configFile = at('postern.yaml');
  const files = [at('new.pem'), at('new.key')];
  const importing = commands.import({ configFile, name: 'server', files });
  await assert.rejects(importing, { code: 'certificate-not-written' });
  assert.equal(await readFile(at('server.key'), 'utf8'), first.keyPem);
  assert.deepEqual((await readdir(folder)).sort(), [
    'data',
    'new.key',
    'new.pem',
    'postern.yaml',
    'server.key',
    'server.pem',
  ]);
  assert.deepEqual(await readdir(at('data')), []);
});

test('import: a symbolic link is left to the program that made it', async (t) => {
  const { at } = await makeFolder(t);
  await writeFile(at('live.pem'), first.pem);
  await rm(at('server.pem'));
  await symlink('live.pem', at('server.pem'));
  const files = [at('new.pem'), at('new.key')];
  const importing = commands.import({ configFile: at('postern.yaml'), name: 'server', files });
  await assert.rejects(importing, { code: 'certificate-not-written', message: /symbolic link/ });
  assert.equal(await readFile(at('live.pem'), 'utf8'), first.pem);
  assert.equal(await readFile(at('server.key'), 'utf8'), first.keyPem);
});
