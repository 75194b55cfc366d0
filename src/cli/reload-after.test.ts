import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { ApiServices } from '../api/services.ts';
import { sampleStatus } from '../../test/support/api-services.ts';
import { makeFolder, run, startFakeGateway } from '../../test/support/command-line.ts';
import { minimalConfig } from '../../test/support/sample-config.ts';
import type { ImportedView } from './offline-certificates.ts';

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
const view: ImportedView['view'] = {
  name: 'own',
  file: 'own.pem',
  problem: null,
  certificates: [],
  keyFits: true,
  trustedBy: null,
  trustDetail: '',
  usedBy: [],
};
const imported: ImportedView = { written: ['own.pem'], yaml: null, notes: [], view };
// What is imported is not what this is about.
const offline = { certificates: { show: async () => [], import: async () => imported } };
const importOwn = ['cert', 'import', '--name', 'own', 'new.pem'];

/** A gateway that runs on `configFile`. */
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
  await writeFile(file, minimalConfig());
  return { offline, io: { workingFolder: folder } };
}

test('with --reload the gateway takes the change on, without it is told how it will', async (t) => {
  let reloads = 0;
  const surroundings = await start(t, async () => {
    reloads++;
    return reloaded;
  });
  const asked = await run([...importOwn, '--reload'], surroundings);
  assert.equal(asked.code, 0, asked.stderr);
  assert.match(
    asked.stdout,
    /In force on every lane after 7 ms: configuration abc, policy def\.\n$/,
  );
  assert.equal(reloads, 1);
  const unasked = await run(importOwn, surroundings);
  assert.match(unasked.stdout, /takes it on by itself within seconds\.\n$/);
  assert.equal(reloads, 1);
});

test('a refused reload ends with 78 and every problem', async (t) => {
  const problem = {
    file: 'postern.yaml',
    line: 3,
    column: 1,
    key: 'lanes',
    text: 'needs a restart',
  };
  const surroundings = await start(t, async () => ({
    kind: 'refused',
    problems: [{ ...problem, suggestion: null, severity: 'error' }],
  }));
  const result = await run([...importOwn, '--reload'], surroundings);
  assert.equal(result.code, 78);
  assert.match(result.stderr, /postern\.yaml:3:1: lanes: needs a restart\n.*last good/);
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
  const left = await run([...importOwn, '--reload'], other);
  assert.equal(left.code, 69);
  assert.match(left.stderr, /runs on \/etc\/postern\/other\.yaml and was left alone/);
  assert.equal(reloads, 0);
  const folder = await makeFolder(t);
  await writeFile(join(folder, 'postern.yaml'), minimalConfig());
  const none = await run([...importOwn, '--reload'], { offline, io: { workingFolder: folder } });
  assert.equal(none.code, 0, none.stderr);
  assert.match(none.stdout, /No gateway runs; the next start takes it on\.\n$/);
});
