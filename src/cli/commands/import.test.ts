import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeFolder, run } from '../../../test/support/command-line.ts';
import { parseConfig } from '../../config/load.ts';

const fixtures = fileURLToPath(new URL('../../../test/support/move-in/', import.meta.url));
const frame = `hostName: mx.fabrikam.com
listeners:
  - { name: mx, host: 127.0.0.1, port: 2525, kind: mx }
serverCertificates: server
`;

test('an import writes YAML that loads beside the static part, and says what was not possible', async (t) => {
  const folder = await makeFolder(t);
  const argv = ['import', 'postfix', join(fixtures, 'postfix/main.cf'), '--output', 'flow.yaml'];
  const { code, stdout, stderr } = await run(argv, { io: { workingFolder: folder } });
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /tls_policy:276: outbound connector .*: NOT POSSIBLE: "dane-only"/);
  const yaml = await readFile(join(folder, 'flow.yaml'), 'utf8');
  assert.match(yaml, /^# From Postfix: .*main\.cf\n/);
  assert.equal(parseConfig(frame + yaml, 'postern.yaml').kind, 'loaded');
});

test('where both go into files the last line says what came out, and what is next', async (t) => {
  const folder = await makeFolder(t);
  const argv = ['import', 'exchange', join(fixtures, 'exchange/accepted-domains.csv')];
  const files = ['--output', 'flow.yaml', '--report', 'report.txt'];
  const { stdout, stderr } = await run([...argv, ...files], { io: { workingFolder: folder } });
  assert.equal(stderr, '');
  assert.match(
    stdout,
    /^\d+ taken over, .* left out: read report\.txt, mend what it names, then say postern plan -f flow\.yaml\n$/,
  );
});

test('several files of Exchange are one import, for the organization that is named', async () => {
  const names = ['inbound-connectors.json', 'outbound-connectors.json', 'accepted-domains.csv'];
  const files = names.map((name) => join(fixtures, 'exchange', name));
  const { code, stdout, stderr } = await run(
    ['import', 'exchange', ...files, '--organization', 'north', '--json'],
    {},
  );
  assert.equal(code, 2);
  assert.match(stdout, /\norganizations:\n {2}- id: north\n/);
  const report = JSON.parse(stderr) as { counts: Record<string, number>; lines: unknown[] };
  const total = Object.values(report.counts).reduce((sum, count) => sum + count, 0);
  assert.equal(report.lines.length, total);
});

test('an import without anything impossible ends with 0', async (t) => {
  const folder = await makeFolder(t);
  const main = 'mydestination = contoso.com\nsmtp_tls_policy_maps = hash:/etc/postfix/policy\n';
  await writeFile(join(folder, 'main.cf'), main);
  await writeFile(join(folder, 'policy'), 'adatum.com encrypt\n');
  const { code, stdout } = await run(['import', 'postfix', 'main.cf', '--report', 'report.txt'], {
    io: { workingFolder: folder },
  });
  assert.equal(code, 0);
  assert.match(stdout, /recipientDomains: \[adatum\.com\]\n {8}tlsSettings: EncryptionOnly\n/);
  const report = await readFile(join(folder, 'report.txt'), 'utf8');
  assert.match(report, /policy:1: outbound connector "adatum\.com": adatum\.com: taken over/);
});

test('nothing is written over, and what cannot be read is named', async (t) => {
  const folder = await makeFolder(t);
  await cp(join(fixtures, 'postfix/main.cf'), join(folder, 'main.cf'));
  await writeFile(join(folder, 'flow.yaml'), 'mine\n');
  const io = { workingFolder: folder };
  const taken = await run(['import', 'postfix', 'main.cf', '--output', 'flow.yaml'], { io });
  assert.equal(taken.code, 73);
  assert.equal(await readFile(join(folder, 'flow.yaml'), 'utf8'), 'mine\n');
  const missing = await run(['import', 'exchange', 'none.json'], { io });
  assert.deepEqual([missing.code, missing.stdout], [66, '']);
  assert.match(missing.stderr, /none\.json cannot be read/);
  const wrong = await run(['import', 'postfix', 'main.cf', '--organization', 'A b'], { io });
  assert.equal(wrong.code, 64);
});

test('an export for Postfix names one organization of several', async (t) => {
  const folder = await makeFolder(t);
  const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));
  await cp(join(examples, 'two-organizations.yaml'), join(folder, 'postern.yaml'));
  const io = { workingFolder: folder };
  const one = await run(['export', 'postfix', 'postern.yaml', '--organization', 'adatum'], { io });
  assert.match(one.stdout, /\n# \/etc\/postfix\/tls_policy\n/);
  const none = await run(['export', 'postfix', 'postern.yaml'], { io });
  assert.equal(none.code, 64);
  assert.match(none.stderr, /name one of fabrikam, adatum/);
});
