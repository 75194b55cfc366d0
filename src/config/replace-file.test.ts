import assert from 'node:assert/strict';
import {
  chmod,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { editFile } from './replace-file.ts';

async function makeFile(t: TestContext): Promise<{ folder: string; file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-edit-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'postern.yaml');
  await writeFile(file, 'old\n');
  await chmod(file, 0o640);
  return { folder, file };
}

test('the file is another one with the same mode, and nothing is left beside it', async (t) => {
  const { folder, file } = await makeFile(t);
  const before = await stat(file);
  await editFile(file, (text) => `${text}new\n`);
  assert.equal(await readFile(file, 'utf8'), 'old\nnew\n');
  const after = await stat(file);
  assert.notEqual(after.ino, before.ino);
  assert.equal(after.mode & 0o777, 0o640);
  assert.equal(after.uid, before.uid);
  assert.deepEqual(await readdir(folder), ['postern.yaml']);
});

test('owner and group are kept where root edits', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root');
  const { file } = await makeFile(t);
  const { chown } = await import('node:fs/promises');
  await chown(file, 65_534, 65_534);
  await editFile(file, () => 'new\n');
  const { uid, gid } = await stat(file);
  assert.deepEqual([uid, gid], [65_534, 65_534]);
});

test('an edit that fails changes nothing', async (t) => {
  const { folder, file } = await makeFile(t);
  const failing = editFile(file, () => {
    throw new Error('no');
  });
  await assert.rejects(failing, /^Error: no$/);
  assert.equal(await readFile(file, 'utf8'), 'old\n');
  assert.deepEqual(await readdir(folder), ['postern.yaml']);
});

test('a file that somebody else changed meanwhile stays as they left it', async (t) => {
  const { folder, file } = await makeFile(t);
  const editing = editFile(file, async () => {
    await writeFile(file, 'theirs\n');
    return 'ours\n';
  });
  await assert.rejects(editing, { code: 'config-changed' });
  assert.equal(await readFile(file, 'utf8'), 'theirs\n');
  assert.deepEqual(await readdir(folder), ['postern.yaml']);
});

test('two edits at once: the second is refused, and a draft that was left is no lock', async (t) => {
  const { folder, file } = await makeFile(t);
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = editFile(file, async (text) => {
    await promise;
    return `${text}first\n`;
  });
  await assert.rejects(
    editFile(file, (text) => `${text}second\n`),
    { code: 'config-changed' },
  );
  resolve();
  await first;
  assert.equal(await readFile(file, 'utf8'), 'old\nfirst\n');
  const draft = join(folder, '.postern.yaml.edit');
  await writeFile(draft, 'cut short');
  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(draft, longAgo, longAgo);
  await editFile(file, () => 'third\n');
  assert.equal(await readFile(file, 'utf8'), 'third\n');
});

test('a symbolic link stays one; what is missing or not a file is said', async (t) => {
  const { folder, file } = await makeFile(t);
  const link = join(folder, 'link.yaml');
  await symlink('postern.yaml', link);
  await editFile(link, () => 'new\n');
  assert.equal(await readlink(link), 'postern.yaml');
  assert.equal(await readFile(file, 'utf8'), 'new\n');
  await assert.rejects(
    editFile(join(folder, 'none'), () => ''),
    { code: 'config-not-writable' },
  );
});
