import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chainPem, expired, makeCa, makeLeaf, notYetValid } from '../testing/certificates.ts';
import { checkFiles } from './check-files.ts';
import { loadConfig } from './load.ts';
import { formatProblem } from './problem.ts';

const nowMs = Date.now();
const ca = makeCa();
const leaf = makeLeaf(ca, ['mx.contoso.com']);
let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-files-'));
  await write('good.pem', chainPem(leaf));
  await write('good.key', keyPem(leaf));
  await write('ca.pem', chainPem(ca));
});
after(() => rm(folder, { recursive: true, force: true }));

function keyPem(certificate: typeof leaf): string {
  return certificate.keyPem;
}

async function write(name: string, text: string): Promise<void> {
  await writeFile(join(folder, name), text, { mode: 0o600 });
}

/** The problems of a configuration with these three files. */
async function problemsWith(certificate: string, key: string, anchors: string): Promise<string[]> {
  const file = join(folder, 'postern.yaml');
  await writeFile(
    file,
    `hostName: mx.contoso.com
listeners: [{ name: mx, host: 127.0.0.1, port: 25, kind: mx }]
serverCertificates: main
certificates:
  main:
    certificate: ${certificate}
    key: ${key}
organizations:
  - id: contoso
    acceptedDomains: [{ domain: contoso.com }]
    outboundConnectors:
      - name: partner
        recipientDomains: fabrikam.com
        tlsSettings: CertificateValidation
        anchors: ./${anchors}
`,
  );
  const result = await loadConfig(file);
  assert.ok(result.kind === 'loaded', JSON.stringify(result));
  const problems = await checkFiles(result.config, nowMs);
  return problems.map((problem) => formatProblem(problem).replaceAll(`${folder}/`, ''));
}

test('sound files draw no word', async () => {
  assert.deepEqual(await problemsWith('good.pem', 'good.key', 'ca.pem'), []);
});

test('a missing file is named with its key and line', async () => {
  assert.deepEqual(await problemsWith('absent.pem', 'good.key', 'none.pem'), [
    'postern.yaml:6:18: certificates.main.certificate: absent.pem does not exist',
    'postern.yaml:15:18: organizations[0].outboundConnectors[0].anchors: none.pem does not exist',
  ]);
});

test('what is no certificate, no key or a folder is refused', async () => {
  await write('garbage.pem', 'no PEM here\n');
  await write('broken.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  const problems = await problemsWith('garbage.pem', 'good.pem', 'broken.pem');
  assert.match(problems[0]!, /garbage\.pem holds no PEM certificate/);
  assert.match(problems[1]!, /good\.pem holds no PEM private key/);
  assert.match(problems[2]!, /broken\.pem: certificate 1 of 1 cannot be parsed/);
  assert.match((await problemsWith('.', 'good.key', 'ca.pem'))[0]!, /is not a file|EISDIR/);
});

test('a certificate out of its dates is refused with the date', async () => {
  await write('expired.pem', chainPem(makeLeaf(ca, ['mx.contoso.com'], expired)));
  await write('early.pem', chainPem(makeLeaf(ca, ['mx.contoso.com'], notYetValid)));
  const old = await problemsWith('expired.pem', 'good.key', 'ca.pem');
  assert.match(
    old[0]!,
    /:6:18: .*expired\.pem: certificate 1 of 1 \(.*\) expired on \d{4}-\d\d-\d\d/,
  );
  const early = await problemsWith('early.pem', 'good.key', 'ca.pem');
  assert.match(early[0]!, /is not valid before \d{4}-\d\d-\d\d/);
});

test('one old CA among several anchors is a warning', async () => {
  await write('anchors.pem', chainPem(makeCa('Old CA', expired), ca));
  const problems = await problemsWith('good.pem', 'good.key', 'anchors.pem');
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /warning: .*certificate 1 of 2 .*expired on/);
});

test('a certificate that ends within two weeks is a warning', async () => {
  const soon = makeLeaf(ca, ['mx.contoso.com'], { notAfter: new Date(nowMs + 86_400_000) });
  await write('soon.pem', chainPem(soon));
  await write('soon.key', keyPem(soon));
  const problems = await problemsWith('soon.pem', 'soon.key', 'ca.pem');
  assert.match(problems[0]!, /warning: .*expires on/);
  assert.equal(problems.length, 1);
});

test('a key of another certificate is refused', async () => {
  await write('other.key', keyPem(makeLeaf(ca, ['mx.contoso.com'])));
  const problems = await problemsWith('good.pem', 'other.key', 'ca.pem');
  assert.match(problems[0]!, /:7:10: .*other\.key does not fit the certificate in good\.pem/);
});

test('a key that others can read is a warning', async () => {
  await write('open.key', keyPem(leaf));
  await chmod(join(folder, 'open.key'), 0o644);
  const problems = await problemsWith('good.pem', 'open.key', 'ca.pem');
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /warning: .*chmod 600/);
});
