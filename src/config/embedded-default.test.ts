import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Failure } from '../mail/failure.ts';
import { embeddedCertificate, writeEmbeddedDefault } from './embedded-default.ts';
import { loadConfig, parseConfig } from './load.ts';
import { formatProblem } from './problem.ts';

const hash = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'B'.repeat(43)}`;
const passwords = {
  generatePassword: () => 'secret-password',
  hashPassword: () => Promise.resolve(hash),
  isRoot: false,
};

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-default-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('the written file loads without error or warning', async () => {
  const dataFolder = join(folder, 'fresh');
  const written = await writeEmbeddedDefault(dataFolder, passwords);
  const result = await loadConfig(written.configFile);
  assert.ok(result.kind === 'loaded', JSON.stringify(result));
  assert.deepEqual(result.warnings.map(formatProblem), []);
  const { config, policy } = result;
  assert.equal(config.dataFolder, dataFolder);
  assert.deepEqual(
    config.listeners.map(({ kind, host, port, tls }) => `${kind} ${host}:${port} ${tls}`),
    [
      'mx 127.0.0.1:2525 starttls',
      'submission 127.0.0.1:2587 starttls',
      'submission 127.0.0.1:2465 implicit',
    ],
  );
  assert.equal(config.hostName, embeddedCertificate.hostName);
  assert.deepEqual(config.certificates, {
    server: {
      certificateFile: join(dataFolder, embeddedCertificate.certificateFile),
      keyFile: join(dataFolder, embeddedCertificate.keyFile),
    },
  });
  assert.deepEqual(config.credentials, [
    {
      organization: 'example',
      account: written.account,
      addresses: ['user@example.test'],
      passwordHash: hash,
    },
  ]);
  assert.equal(policy.organizations[0]!.acceptedDomains[0]!.domain, 'example.test');
});

test('the commented connectors are sound once they are taken in', async () => {
  const { configFile } = await writeEmbeddedDefault(join(folder, 'connectors'), passwords);
  const text = await readFile(configFile, 'utf8');
  const taken = text
    .replace('    inboundConnectors: []\n    outboundConnectors: []\n', '')
    .replaceAll(/^ {4}# (outboundConnectors|inboundConnectors| {2}).*/gm, (line) =>
      line.replace('# ', ''),
    );
  const result = parseConfig(taken, configFile);
  assert.ok(result.kind === 'loaded', JSON.stringify(result));
  assert.equal(result.policy.organizations[0]!.outboundConnectors.length, 1);
  assert.equal(result.policy.organizations[0]!.inboundConnectors.length, 1);
});

test('the password is returned and not in the file, which only its user may read', async () => {
  const { configFile, password } = await writeEmbeddedDefault(join(folder, 'private'), passwords);
  assert.equal(password, 'secret-password');
  assert.doesNotMatch(await readFile(configFile, 'utf8'), /secret-password/);
  assert.equal((await stat(configFile)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(join(folder, 'private')), ['postern.yaml']);
});

test('a file that is there already is never overwritten', async () => {
  const dataFolder = join(folder, 'twice');
  const { configFile } = await writeEmbeddedDefault(dataFolder, passwords);
  const before = await readFile(configFile, 'utf8');
  const other = { ...passwords, hashPassword: () => Promise.resolve(`${hash}A`) };
  await assert.rejects(
    writeEmbeddedDefault(dataFolder, other),
    (error) => error instanceof Failure && error.code === 'default-not-written',
  );
  assert.equal(await readFile(configFile, 'utf8'), before);
  assert.deepEqual(await readdir(dataFolder), ['postern.yaml']);
});

test('a first start as root says so in the file, so that the next start is not refused', async () => {
  const asRoot = { ...passwords, isRoot: true };
  const { configFile } = await writeEmbeddedDefault(join(folder, 'root'), asRoot);
  const result = await loadConfig(configFile);
  assert.ok(result.kind === 'loaded', JSON.stringify(result));
  assert.equal(result.config.user, 'root');
});
