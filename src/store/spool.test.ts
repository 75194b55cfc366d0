/** Spool files: what they hold, when they are whole, and that nothing is left behind. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { exists, isFailure } from './conformance.ts';
import { openSpool, spoolFolderName, spoolHeaderBytes } from './spool.ts';

let root: string;
let folder: string;
let count = 0;

before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'postern-spool-'));
});
after(() => rm(root, { recursive: true, force: true }));
beforeEach(() => {
  folder = path.join(root, String(++count), 'spool-0');
});

describe('openSpool', () => {
  it('keeps the content after a header of magic, version and key id', async () => {
    const writer = await openSpool(folder, 'contoso');
    await writer.write(Buffer.from('Subject: x\r\n'));
    await writer.write(Buffer.alloc(0));
    await writer.write(Buffer.from('\r\nbody\r\n'));
    const content = await writer.finish();
    assert.ok(content.kind === 'spool');
    const file = await readFile(content.path);
    assert.equal(path.dirname(content.path), path.join(folder, 'contoso'));
    assert.equal(content.offset, spoolHeaderBytes);
    assert.equal(file.subarray(0, 8).toString('latin1'), 'PSTNSPL\n');
    assert.deepEqual([...file.subarray(8, 16)], [0, 1, 0, 0, 0, 0, 0, 0]);
    assert.equal(file.subarray(16).toString(), 'Subject: x\r\n\r\nbody\r\n');
    assert.equal(content.sizeBytes, file.length - spoolHeaderBytes);
  });

  it('is not there under its final name before it is finished', async () => {
    const writer = await openSpool(folder, 'contoso');
    await writer.write(Buffer.alloc(1000));
    const names = await readdir(path.join(folder, 'contoso'));
    assert.deepEqual(
      names.map((name) => path.extname(name)),
      ['.tmp'],
    );
    await writer.finish();
    const finished = await readdir(path.join(folder, 'contoso'));
    assert.deepEqual(
      finished.map((name) => path.extname(name)),
      ['.msg'],
    );
  });

  it('leaves nothing when abandoned, before or after it is finished, or twice', async () => {
    const open = await openSpool(folder, 'contoso');
    await open.write(Buffer.from('x'));
    await open.abandon();
    await open.abandon();
    const finished = await openSpool(folder, 'contoso');
    await finished.finish();
    await finished.abandon();
    assert.deepEqual(await readdir(path.join(folder, 'contoso')), []);
  });

  it('may be read by our user alone', async () => {
    const content = await (await openSpool(folder, 'contoso')).finish();
    assert.ok(content.kind === 'spool');
    assert.equal((await stat(content.path)).mode & 0o777, 0o600);
    assert.equal((await stat(path.dirname(content.path))).mode & 0o777, 0o700);
  });

  it('makes its folder again after somebody removed it', async () => {
    await (await openSpool(folder, 'contoso')).abandon();
    await rm(folder, { recursive: true });
    await assert.rejects(openSpool(folder, 'contoso'), isFailure('store-io'));
    await (await openSpool(folder, 'contoso')).finish();
  });

  it('rejects with a Failure where the disk refuses', async () => {
    await writeFile(path.join(root, 'file'), '');
    await assert.rejects(openSpool(path.join(root, 'file', 'x'), 'contoso'), isFailure('store-io'));
    const full = await openSpool(folder, 'contoso');
    await full.finish();
    await assert.rejects(full.write(Buffer.from('late')));
  });
});

describe('spoolFolderName', () => {
  it('is never a path', async () => {
    assert.equal(spoolFolderName('contoso-2_x'), 'contoso-2_x');
    for (const id of ['..', '.', '', 'a/b', '/etc', 'A', 'a'.repeat(65), 'ä', '=x']) {
      assert.match(spoolFolderName(id), /^=[0-9a-f]{32}$/);
    }
    assert.ok(!(await exists(path.join(folder, 'nothing'))));
  });
});
