/** `doctor`, `mailbox` and `cert import` as programs, beside a really started gateway. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Finding } from '../../src/cli/offline-doctor.ts';
import { chainPem, makeLeaf } from '../../src/testing/certificates.ts';
import { verifyPassword } from '../../src/identity/password-hash.ts';
import { loadConfig } from '../../src/config/load.ts';
import { mainFile, runProgram, startGateway } from '../support/gateway.ts';
import type { CommandResult, RunningGateway } from '../support/gateway.ts';
import { gatewayCa, gatewaySetup } from '../support/gateway-config.ts';

let gateway: RunningGateway;

before(async () => {
  gateway = await startGateway(await gatewaySetup());
});

after(async () => {
  await gateway?.remove();
});

function postern(words: readonly string[], input = ''): Promise<CommandResult> {
  const command = [process.execPath, mainFile, ...words, '--config', gateway.configFile];
  return runProgram(command, { cwd: gateway.folder, input });
}

async function doctor(): Promise<{ code: number | null; findings: readonly Finding[] }> {
  const { code, stdout, stderr } = await postern(['doctor', '--json']);
  assert.notEqual(stdout, '', stderr);
  return { code, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings };
}

function of(findings: readonly Finding[], area: Finding['area']): readonly Finding[] {
  return findings.filter((finding) => finding.area === area);
}

test('a healthy gateway: every listener answers with TLS, and nothing of ours fails', async () => {
  const { findings } = await doctor();
  const tls = of(findings, 'listener').filter(({ level }) => level === 'ok');
  assert.equal(tls.length, 3);
  assert.ok(tls.every(({ text }) => text.startsWith('TLSv1.3')));
  assert.match(of(findings, 'gateway')[0]!.text, /runs as gateway\.example\.test/);
  // What this machine's resolvers, disk and clock are like is not ours to demand here.
  const ours = ['configuration', 'gateway', 'listener', 'certificate', 'data-folder', 'store'];
  const failed = findings.filter(({ area, level }) => level === 'fail' && ours.includes(area));
  assert.deepEqual(failed, []);
});

test('a mailbox that was added takes its password and leaves the file sound', async () => {
  const added = await postern(
    ['mailbox', 'add', 'ann', 'ann@example.test', '--password-stdin'],
    'correct horse battery\n',
  );
  assert.equal(added.code, 0, added.stderr);
  const loaded = await loadConfig(gateway.configFile);
  assert.equal(loaded.kind, 'loaded');
  const hash =
    loaded.kind === 'loaded'
      ? loaded.config.credentials.find(({ account }) => account === 'ann')?.passwordHash
      : undefined;
  assert.equal(await verifyPassword('correct horse battery', hash!), true);
  const isAnother = async (): Promise<boolean> =>
    of((await doctor()).findings, 'gateway').some(({ text }) => /another policy/.test(text));
  assert.equal(await isAnother(), false, 'it is in force when the command ends');
  const text = await readFile(gateway.configFile, 'utf8');
  await writeFile(gateway.configFile, text.replace('ann@example.test', 'annie@example.test'));
  assert.equal(await isAnother(), true);
});

test('an imported certificate is presented after the next start', async () => {
  const renewed = makeLeaf(gatewayCa, ['gateway.example.test', 'renewed.example.test']);
  await writeFile(join(gateway.folder, 'new.pem'), chainPem(gatewayCa, renewed));
  await writeFile(join(gateway.folder, 'new.key'), renewed.keyPem);
  const imported = await postern(['cert', 'import', '--name', 'server', 'new.pem', 'new.key']);
  assert.equal(imported.code, 0, imported.stderr);
  assert.match(imported.stdout, /put in order|left out: .*Gateway CA/);
  assert.equal(await readFile(join(gateway.folder, 'tls/server.pem'), 'utf8'), renewed.pem);
  await gateway.restart();
  const probed = await runProgram(
    [process.execPath, mainFile, 'tls', 'probe', `127.0.0.1:${gateway.port('mx')}`],
    { cwd: gateway.folder },
  );
  assert.match(probed.stdout, /names {3}gateway\.example\.test, renewed\.example\.test/);
});

test('a gateway that is gone, and a broken configuration, are said with their exit codes', async () => {
  await gateway.stop();
  const { findings } = await doctor();
  assert.match(of(findings, 'gateway')[0]!.text, /no gateway answers/);
  const good = await readFile(gateway.configFile, 'utf8');
  await writeFile(gateway.configFile, good.replace('"hostName"', '"hostNam"'));
  const broken = await doctor();
  assert.equal(broken.code, 78);
  assert.equal(of(broken.findings, 'configuration')[0]!.level, 'fail');
});
