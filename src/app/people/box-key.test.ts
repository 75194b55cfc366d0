import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openBoxKey } from './box-key.ts';

test('the key is made once, for its owner alone, and a damaged one is refused and kept', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-key-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'identity.key');
  const key = await openBoxKey(file);
  assert.equal(key.length, 32);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await chmod(file, 0o644);
  assert.deepEqual(await openBoxKey(file), key);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  for (const damaged of ['', 'x', (await readFile(file, 'utf8')).slice(0, 60)]) {
    await writeFile(file, damaged);
    await assert.rejects(openBoxKey(file), { code: 'identity-key-unusable' });
    assert.equal(await readFile(file, 'utf8'), damaged);
  }
});
