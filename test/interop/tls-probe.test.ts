/** `tls probe` as a program, against Postfix, Dovecot and `openssl s_server` with odd chains. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { access, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { ProbedAddress, ProbeReport } from '../../src/policy/probe-report.ts';
import { chainPem, makeCa, makeIntermediate, makeLeaf } from '../../src/testing/certificates.ts';
import type { TestCertificate } from '../../src/testing/certificates.ts';
import { mainFile, runProgram } from '../support/gateway.ts';
import type { CommandResult } from '../support/gateway.ts';
import { freePort, waitFor } from '../support/ports.ts';
import { startDovecot, whyNoDovecot } from '../support/dovecot.ts';
import { startPostfix, whyNoPostfix } from '../support/postfix.ts';

const folder = await mkdtemp(join(tmpdir(), 'postern-tls-probe-'));
await chmod(folder, 0o755);
after(() => rm(folder, { recursive: true }));
const ca = makeCa('Probe CA');
const intermediate = makeIntermediate(ca, 'Probe Intermediate');
const leaf = makeLeaf(intermediate, ['localhost', 'mx.partner.test'], { key: 'rsa2048' });
const stranger = makeCa('Stranger CA');
const files = {
  ca: join(folder, 'ca.pem'),
  chain: join(folder, 'chain.pem'),
  key: join(folder, 'key.pem'),
};
await writeFile(files.ca, ca.pem);
await writeFile(files.chain, chainPem(leaf, intermediate));
await writeFile(files.key, leaf.keyPem);

function probe(...words: readonly string[]): Promise<CommandResult> {
  const command = [process.execPath, mainFile, 'tls', 'probe', '--ca', files.ca, ...words];
  return runProgram(command, { cwd: folder });
}

async function probeJson(...words: readonly string[]): Promise<ProbedAddress> {
  const { stdout, stderr } = await probe(...words, '--json');
  assert.notEqual(stdout, '', stderr);
  const report = JSON.parse(stdout) as ProbeReport;
  return report.addresses.find(({ evidence }) => evidence !== null) ?? report.addresses[0]!;
}

function isMet({ settings }: ProbedAddress, setting: string): boolean | null {
  return settings.find((each) => each.setting === setting)?.isMet ?? null;
}

test('Postfix: STARTTLS and TLS from the first byte', async (t) => {
  const missing = await whyNoPostfix();
  if (missing !== null) return t.skip(missing);
  const postfix = await startPostfix({
    implicitTls: true,
    main: {
      smtpd_tls_security_level: 'may',
      smtpd_tls_chain_files: `${files.key}, ${files.chain}`,
    },
  });
  t.after(() => postfix.stop());
  const starttls = [`127.0.0.1:${postfix.port}`, '--name', '*.partner.test'];
  const probed = await probeJson(...starttls);
  assert.equal(probed.evidence?.encryption, 'established');
  assert.equal(isMet(probed, 'DomainValidation'), true);
  assert.equal(probed.evidence.tls?.chain.length, 2);
  assert.deepEqual(probed.keyTypes, ['RSA 2048', 'ECDSA P-256']);
  assert.ok(probed.versions.some(({ version, isTaken }) => version === 'TLSv1.3' && isTaken));
  assert.equal((await probe(...starttls, '--require', 'DomainValidation')).code, 0);
  const wrong = await probe(
    `127.0.0.1:${postfix.port}`,
    '--name',
    'mx.other.test',
    '--require',
    'DomainValidation',
  );
  assert.equal(wrong.code, 69);
  assert.match(
    wrong.stdout,
    /Expected Subject: mx\.other\.test; Presented Subject: localhost, mx\./,
  );
  const implicit = [`127.0.0.1:${postfix.implicitTlsPort!}`, '--starttls', 'none'];
  assert.equal((await probeJson(...implicit)).evidence?.tls?.mode, 'implicit');
  const pin = probed.evidence.tls.chain[0]!.spki256;
  assert.equal((await probe(...starttls, '--pin', pin, '--require', 'Pinned')).code, 0);
});

test('Dovecot: LMTP with STARTTLS', async (t) => {
  const missing = await whyNoDovecot();
  if (missing !== null) return t.skip(missing);
  const dovecot = await startDovecot({
    users: ['ann'],
    certificateFile: files.chain,
    keyFile: files.key,
  });
  t.after(() => dovecot.stop());
  const words = [`127.0.0.1:${dovecot.port}`, '--name', 'localhost', '--starttls', 'lmtp'];
  const probed = await probeJson(...words);
  assert.equal(probed.protocol, 'lmtp');
  assert.equal(probed.problem, null);
  assert.equal(isMet(probed, 'DomainValidation'), true);
  const { code, stdout } = await probe(...words, '--require', 'DomainValidation');
  assert.match(stdout, /:\d+, LMTP with STARTTLS$/m);
  assert.match(stdout, /^ {2}LHLO in TLS /m);
  assert.equal(code, 0, stdout);
});

/** `openssl s_server` with TLS from the first byte and a greeting; it answers no EHLO. */
async function serve(t: TestContext, sent: readonly TestCertificate[]): Promise<number> {
  const port = await freePort();
  const others = join(folder, `sent-${port}.pem`);
  const own = join(folder, `own-${port}.pem`);
  await writeFile(own, leaf.pem);
  await writeFile(others, chainPem(...sent));
  const child = spawn('/usr/bin/openssl', [
    's_server',
    '-accept',
    `127.0.0.1:${port}`,
    '-cert',
    own,
    '-key',
    files.key,
    '-no_ticket',
    '-cert_chain',
    others,
    '-quiet',
  ]);
  t.after(() => child.kill('SIGKILL'));
  child.stdin.on('error', () => undefined);
  child.stdin.write('220 s_server\r\n');
  const isOpen = async (): Promise<boolean> => {
    const { stdout } = await runProgram(['/bin/sh', '-c', `ss -ltnH "sport = :${port}"`]);
    return stdout !== '';
  };
  await waitFor('s_server', isOpen);
  return port;
}

test('openssl s_server: odd chains are shown as sent, and judged', async (t) => {
  const hasOpenssl = await access('/usr/bin/openssl').then(
    () => true,
    () => false,
  );
  if (!hasOpenssl) return t.skip('openssl is missing: apt-get install openssl');
  const cases: [string, readonly TestCertificate[], number, boolean][] = [
    ['with its root', [intermediate, ca], 3, true],
    ['out of order, with a stranger', [stranger, intermediate], 2, true],
    ['the wrong intermediate', [stranger], 1, false],
  ];
  for (const [name, sent, count, isTrusted] of cases) {
    const port = await serve(t, sent);
    const probed = await probeJson(`127.0.0.1:${port}`, '--starttls', 'none', '--timeout', '2');
    assert.equal(probed.evidence?.encryption, 'established', `${name}: ${probed.problem}`);
    assert.equal(isMet(probed, 'CertificateValidation'), isTrusted, name);
    assert.ok(probed.evidence.tls!.chain.length <= count, name);
    assert.equal(probed.keyTypes.length, probed.evidence.tls!.chain.length, name);
    assert.equal(probed.keyTypes[0], 'RSA 2048', name);
  }
});

test('nobody there: 69, and the reason', async () => {
  const { code, stdout } = await probe(`127.0.0.1:${await freePort()}`, '--timeout', '3');
  assert.equal(code, 69);
  assert.match(stdout, /failed: Connection refused/);
});
