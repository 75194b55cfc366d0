import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { ApiServices } from '../api/services.ts';
import { sampleStatus } from '../../test/support/api-services.ts';
import { chainPem, makeCa, makeLeaf } from '../testing/certificates.ts';
import { makeFolder, run, startFakeGateway } from '../../test/support/command-line.ts';
import { minimalConfig } from '../../test/support/sample-config.ts';

const reloaded: Awaited<ReturnType<ApiServices['reloadConfig']>> = {
  kind: 'reloaded',
  view: {
    configRevision: 'abc',
    policyRevision: 'def',
    loadedAt: '2026-11-22T10:00:00.000Z',
    tookMs: 7,
    warnings: [],
  },
};
const hash = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'B'.repeat(43)}`;
// The files that the configuration names are not what this is about.
const offline = { passwords: { hash: async () => hash, generate: () => 'generated' } };
const addAnn = ['mailbox', 'add', 'ann', 'ann@example.test', '--generate'];

/** The configuration with files that stand the check, and a gateway that runs on `configFile`. */
async function start(
  t: TestContext,
  reloadConfig: ApiServices['reloadConfig'],
  configFile: (file: string) => string = (file) => file,
) {
  let file = '';
  const { folder } = await startFakeGateway(t, {
    status: async () => ({ ...sampleStatus, configFile: configFile(file) }),
    reloadConfig,
  });
  file = join(folder, 'postern.yaml');
  await writeGoodConfig(folder);
  return { folder, file };
}

async function writeGoodConfig(folder: string): Promise<void> {
  const leaf = makeLeaf(makeCa('CA'), ['gateway.example.test']);
  await writeFile(join(folder, 'own.pem'), chainPem(leaf));
  await writeFile(join(folder, 'own.key'), leaf.keyPem, { mode: 0o600 });
  await writeFile(join(folder, 'postern.yaml'), minimalConfig());
}

const now = { nowMs: () => Date.now() };

test('with --reload the gateway takes the change on, without it is told how it will', async (t) => {
  let reloads = 0;
  const { folder, file } = await start(t, async () => {
    reloads++;
    return reloaded;
  });
  const io = { workingFolder: folder, ...now };
  const asked = await run([...addAnn, '--reload'], { offline, io });
  assert.equal(asked.code, 0, asked.stderr);
  assert.match(
    asked.stdout,
    /In force on every lane after 7 ms: configuration abc, policy def\.\n$/,
  );
  assert.equal(reloads, 1);
  assert.match(await readFile(file, 'utf8'), /ann@example\.test/);
  const passwd = await run(['mailbox', 'passwd', 'ann', '--generate'], { offline, io });
  assert.match(passwd.stdout, /takes it on with `postern config reload`\.\n$/);
  assert.equal(reloads, 1);
});

test('a refused reload ends with 78 and every problem, the change stays in the file', async (t) => {
  const problem = {
    file: 'postern.yaml',
    line: 3,
    column: 1,
    key: 'lanes',
    text: 'needs a restart',
  };
  const { folder, file } = await start(t, async () => ({
    kind: 'refused',
    problems: [{ ...problem, suggestion: null, severity: 'error' }],
  }));
  const io = { workingFolder: folder, ...now };
  const result = await run([...addAnn, '--reload'], { offline, io });
  assert.equal(result.code, 78);
  assert.match(result.stderr, /postern\.yaml:3:1: lanes: needs a restart\n.*last good/);
  assert.match(await readFile(file, 'utf8'), /ann@example\.test/);
});

test('a gateway on another file is left alone, and said; without any the next start takes it', async (t) => {
  let reloads = 0;
  const other = await start(
    t,
    async () => {
      reloads++;
      return reloaded;
    },
    () => '/etc/postern/other.yaml',
  );
  const left = await run([...addAnn, '--reload'], {
    offline,
    io: { workingFolder: other.folder, ...now },
  });
  assert.equal(left.code, 69);
  assert.match(left.stderr, /runs on \/etc\/postern\/other\.yaml and was left alone/);
  assert.equal(reloads, 0);
  const folder = await makeFolder(t);
  await writeGoodConfig(folder);
  const none = await run([...addAnn, '--reload'], {
    offline,
    io: { workingFolder: folder, ...now },
  });
  assert.equal(none.code, 0, none.stderr);
  assert.match(none.stdout, /No gateway runs; the next start takes it on\.\n$/);
});
