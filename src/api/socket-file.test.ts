import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { judgeSocketFolder, prepareSocketFile } from './socket-file.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-api-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function refusal(code: string) {
  return (error: Error & { code?: string }) => error.code === code;
}

test('refuses a folder that others may enter', async () => {
  for (const mode of [0o755, 0o770, 0o701, 0o1777]) {
    const run = join(folder, `run-${mode}`);
    await mkdir(run);
    await chmod(run, mode);
    await assert.rejects(
      prepareSocketFile(join(run, 'api.sock')),
      refusal('api-socket-folder-unsafe'),
    );
  }
});

test('refuses a folder of another user', () => {
  const stats = { isDirectory: () => true, uid: 1001, mode: 0o40700 };
  assert.equal(judgeSocketFolder(stats, 1001), null);
  assert.match(judgeSocketFolder(stats, 0) ?? '', /belongs to user 1001/);
  assert.match(judgeSocketFolder({ ...stats, isDirectory: () => false }, 1001) ?? '', /no folder/);
});

test('refuses a link in the place of the folder', async () => {
  const elsewhere = join(folder, 'elsewhere');
  await mkdir(elsewhere, { mode: 0o700 });
  await symlink(elsewhere, join(folder, 'run'));
  await assert.rejects(
    prepareSocketFile(join(folder, 'run', 'api.sock')),
    refusal('api-socket-folder-unsafe'),
  );
});

test('refuses to remove a file that is no socket', async () => {
  await chmod(folder, 0o700);
  const path = join(folder, 'api.sock');
  await writeFile(path, 'precious');
  await assert.rejects(prepareSocketFile(path), refusal('api-socket-not-a-socket'));
  assert.equal((await stat(path)).size, 8);
});

test('refuses a socket on which somebody answers, and leaves it', async (t) => {
  const path = join(folder, 'api.sock');
  const other = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => other.listen(path, resolve));
  t.after(() => other.close());
  await assert.rejects(prepareSocketFile(path), refusal('api-socket-in-use'));
  assert.ok((await stat(path)).isSocket());
});

test('refuses a path that the kernel would cut', async () => {
  const path = join(folder, 'x'.repeat(120), 'api.sock');
  await assert.rejects(prepareSocketFile(path), refusal('api-socket-path-too-long'));
});

test('makes the missing folder 0700', async () => {
  await prepareSocketFile(join(folder, 'data', 'run', 'api.sock'));
  assert.equal((await stat(join(folder, 'data', 'run'))).mode & 0o777, 0o700);
});
