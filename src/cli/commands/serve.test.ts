import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ServeOptions } from '../offline-commands.ts';
import { makeFolder, run } from '../../../test/support/command-line.ts';

test('a configuration that is named and missing is never replaced by the default', async (t) => {
  const workingFolder = await makeFolder(t);
  const serve = async () => assert.fail('it served');
  for (const [argv, env] of [
    [['serve', '--config', 'x.yaml'], {}],
    [['serve'], { POSTERN_CONFIG: 'x.yaml' }],
  ] as const) {
    const result = await run(argv, { offline: { serve }, io: { workingFolder, env } });
    assert.equal(result.code, 66);
    assert.match(result.stderr, /there is no configuration file .*x\.yaml/);
  }
});

test('hands over absolute paths and returns the exit code', async (t) => {
  const workingFolder = await makeFolder(t);
  const calls: ServeOptions[] = [];
  const serve = async (options: ServeOptions) => {
    calls.push(options);
    return 3;
  };
  const surroundings = { offline: { serve }, io: { workingFolder } };
  assert.equal((await run(['serve'], surroundings)).code, 3);
  await writeFile(join(workingFolder, 'c.yaml'), '');
  await run(['serve', '--config', 'c.yaml', '--data', 'd'], surroundings);
  assert.deepEqual(calls, [
    { configFile: null, dataFolder: null },
    { configFile: join(workingFolder, 'c.yaml'), dataFolder: join(workingFolder, 'd') },
  ]);
});
