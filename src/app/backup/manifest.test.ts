/** A backup may come from anywhere: nothing in its list leads out of it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { listName, manifestName, readEntries, readManifest } from './manifest.ts';

async function makeFolder(t: { after(work: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-manifest-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function readAll(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of readEntries(folder)) paths.push(path);
  return paths;
}

test('only paths inside of a backup are taken', async (t) => {
  const folder = await makeFolder(t);
  const line = (path: string): string =>
    `${JSON.stringify({ kind: 'folder', path, mode: 0o700, uid: 0, gid: 0, mtimeMs: 1 })}\n`;
  await writeFile(join(folder, listName), line('data/mail/a') + line('configuration/x'));
  assert.deepEqual(await readAll(folder), ['data/mail/a', 'configuration/x']);
  const bad = ['../x', 'data/../../x', '/etc/passwd', 'data//x', 'data/./x', 'other/x', ''];
  for (const path of bad) {
    await writeFile(join(folder, listName), line(path));
    await assert.rejects(readAll(folder), { code: 'backup-damaged' }, path);
  }
  await writeFile(join(folder, listName), 'half a li');
  await assert.rejects(readAll(folder), { code: 'backup-damaged' });
});

test('a folder without manifest is no backup, nor is one of a later format', async (t) => {
  const folder = await makeFolder(t);
  await assert.rejects(readManifest(folder), { code: 'backup-unknown' });
  await writeFile(join(folder, manifestName), '{"format":"postern-backup","formatVersion":2}');
  await assert.rejects(readManifest(folder), /has format 2: a newer Postern wrote it/);
  await writeFile(join(folder, manifestName), '{"format":"postern-backup","formatVersion":1}');
  await assert.rejects(readManifest(folder), { code: 'backup-unknown' });
});
