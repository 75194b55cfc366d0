import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { findConfigFile, findSocket } from './find-gateway.ts';
import { minimalConfig } from '../../test/support/sample-config.ts';
import { makeFolder } from '../../test/support/command-line.ts';

test('a named file that is not there is refused, by option or by variable', async (t) => {
  const workingFolder = await makeFolder(t);
  await assert.rejects(findConfigFile('x.yaml', { env: {}, workingFolder }), {
    code: 'config-missing',
  });
  const env = { POSTERN_CONFIG: '/nowhere/x.yaml' };
  await assert.rejects(findConfigFile(undefined, { env, workingFolder }), {
    code: 'config-missing',
    message: /named by \$POSTERN_CONFIG/,
  });
});

test('option, then variable, then ./postern.yaml, then ./data/postern.yaml', async (t) => {
  const workingFolder = await makeFolder(t);
  const files = ['option.yaml', 'variable.yaml', 'postern.yaml', 'data/postern.yaml'];
  await mkdir(join(workingFolder, 'data'));
  const here = { env: {}, workingFolder };
  await writeFile(join(workingFolder, files[3]!), '');
  assert.equal(await findConfigFile(undefined, here), join(workingFolder, files[3]!));
  for (const file of files) await writeFile(join(workingFolder, file), '');
  assert.equal(await findConfigFile(undefined, here), join(workingFolder, files[2]!));
  const withVariable = { env: { POSTERN_CONFIG: 'variable.yaml' }, workingFolder };
  assert.equal(await findConfigFile(undefined, withVariable), join(workingFolder, files[1]!));
  assert.equal(await findConfigFile('option.yaml', withVariable), join(workingFolder, files[0]!));
});

test('the socket is the named one, else in the configured data folder, else in ./data', async (t) => {
  const workingFolder = await makeFolder(t);
  const here = { env: {}, workingFolder };
  assert.equal(await findSocket({}, here), join(workingFolder, 'data', 'run', 'api.sock'));
  await writeFile(join(workingFolder, 'postern.yaml'), minimalConfig('./var'));
  assert.equal(await findSocket({}, here), join(workingFolder, 'var', 'run', 'api.sock'));
  assert.equal(await findSocket({ socket: 'x.sock' }, here), join(workingFolder, 'x.sock'));
});

test('over a file with mistakes the gateway that runs is found all the same', async (t) => {
  const workingFolder = await makeFolder(t);
  const here = { env: {}, workingFolder };
  await writeFile(join(workingFolder, 'postern.yaml'), 'dataFolder: ./var\nhostNaem: x\n');
  assert.equal(await findSocket({}, here), join(workingFolder, 'var', 'run', 'api.sock'));
});

test('a configuration that cannot be read says so with its place', async (t) => {
  const workingFolder = await makeFolder(t);
  await writeFile(join(workingFolder, 'postern.yaml'), 'hostName: [\n');
  await assert.rejects(findSocket({}, { env: {}, workingFolder }), {
    code: 'config-unusable',
    message: /postern\.yaml:\d+:\d+: /,
  });
});
