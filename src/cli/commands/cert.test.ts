import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder, nowMs, run } from '../../../test/support/command-line.ts';
import type { CertificateView, ImportedView } from '../offline-certificates.ts';

const dayMs = 86_400_000;

function viewOf(days: number, fields: Partial<CertificateView> = {}): CertificateView {
  return {
    name: 'server',
    file: '/etc/server.pem',
    problem: null,
    certificates: [
      {
        fingerprint256: 'f',
        spki256: 'PIN',
        subject: 'CN=mx.us.test',
        issuer: 'CN=CA\u001b[2J',
        serialNumber: '01',
        notBefore: new Date(nowMs - dayMs).toISOString(),
        notAfter: new Date(nowMs + days * dayMs).toISOString(),
        dnsNames: ['mx.us.test'],
        commonName: null,
        isSelfSigned: false,
        keyType: 'ECDSA P-256',
      },
    ],
    keyFits: true,
    trustedBy: 'bundled',
    trustDetail: '',
    usedBy: ['listener mx'],
    ...fields,
  };
}

async function show(view: CertificateView, words: readonly string[] = ['some.pem']) {
  const show = async () => [view];
  return run(['cert', 'show', ...words], {
    offline: { certificates: { show, import: () => Promise.reject(new Error('no')) } },
  });
}

test('show says how many days are left, and what is wrong', async () => {
  const good = (await show(viewOf(90))).stdout;
  assert.match(good, /\(90 days left\)/);
  assert.match(good, /key {6}fits the certificate/);
  assert.match(good, /used by {2}listener mx/);
  assert.match(good, /pin {5}PIN/);
  assert.doesNotMatch(good, /\u001b/);
  assert.match((await show(viewOf(20))).stdout, /20 days left: RENEW IT/);
  assert.match((await show(viewOf(-3))).stdout, /EXPIRED 3 days ago/);
  const bad = viewOf(90, { keyFits: false, trustedBy: null, trustDetail: 'no path', usedBy: [] });
  const { stdout } = await show(bad);
  assert.match(stdout, /DOES NOT FIT/);
  assert.match(stdout, /no known root: no path/);
  assert.match(stdout, /used by {2}nobody/);
  const gone = viewOf(1, { problem: 'there is no such file', certificates: [] });
  assert.match((await show(gone)).stdout, /UNUSABLE: there is no such file/);
});

test('show as JSON, and without a configuration', async () => {
  const view = viewOf(90);
  const { stdout } = await show(view, ['some.pem', '--json']);
  assert.deepEqual(JSON.parse(stdout), { formatVersion: 1, certificates: [view] });
  assert.equal((await show(view, [])).code, 66);
});

test('import names what it wrote and what the configuration lacks', async (t) => {
  const folder = await makeFolder(t);
  await writeFile(join(folder, 'postern.yaml'), '');
  const imported: ImportedView = {
    written: ['/data/certificates/a/both.pem'],
    yaml: 'certificates:\n  a:\n',
    notes: ['left out: CN=Root'],
    view: viewOf(90),
  };
  const orders: unknown[] = [];
  const certificates = {
    show: async () => [],
    import: async (order: unknown) => {
      orders.push(order);
      return imported;
    },
  };
  const surroundings = { offline: { certificates }, io: { workingFolder: folder } };
  const words = ['cert', 'import', '--name', 'a', 'c.pem', 'k.pem', '--chain', 'i.pem'];
  const { code, stdout } = await run(words, surroundings);
  assert.equal(code, 0);
  assert.match(stdout, /written: \/data\/certificates\/a\/both\.pem\nleft out: CN=Root/);
  assert.match(stdout, /does not name it yet\. Add:\n\ncertificates:\n {2}a:/);
  assert.deepEqual(orders, [
    {
      configFile: join(folder, 'postern.yaml'),
      name: 'a',
      files: ['c.pem', 'k.pem', 'i.pem'].map((file) => join(folder, file)),
    },
  ]);
  const kept = { ...surroundings.offline, isPolicyOfFile: async () => false };
  const stored = (await run(words, { ...surroundings, offline: kept })).stdout;
  assert.match(stdout, /then `postern config reload` puts it in force\.\n$/);
  assert.match(stored, /The gateway keeps its policy[^]*\n\ncertificates:\n {2}a:/);
  assert.match(stored, /into a file of their own; `postern apply -f FILE` puts it in force\.\n$/);
  orders.pop();
  const cases: [readonly string[], RegExp][] = [
    [['cert', 'import', 'c.pem'], /--name is needed/],
    [['cert', 'import', '--name', '../x', 'c.pem'], /is not a name of letters/],
    [['cert', 'import', '--name', 'a'], /missing required argument/],
  ];
  for (const [wrong, text] of cases) {
    const result = await run(wrong, surroundings);
    assert.equal(result.code, 64);
    assert.match(result.stderr, text);
  }
  assert.equal(orders.length, 1);
});
