/** While a backup holds the spool, what its snapshot may refer to stays, however the mail goes on. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sampleAccept, sampleComplete } from './sample-batch.ts';
import { openSpool } from './spool.ts';
import { holdFileOf, holdLeaseMs, holdSpool, readHold } from './spool-hold.ts';
import { SpoolRemovals } from './spool-removals.ts';
import { openSqliteStore } from './sqlite-store.ts';
import type { Store } from './store.ts';

let root: string;
let shard: string;
let spoolFolder: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'postern-hold-'));
  shard = path.join(root, 'queue-0.db');
  spoolFolder = path.join(root, 'spool');
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Accepts a message whose content is a file, and says where. */
async function acceptLarge(store: Store, key: number): Promise<string> {
  const writer = await openSpool(spoolFolder, 'contoso');
  await writer.write(Buffer.from(`Subject: ${key}\r\n\r\n`));
  const content = await writer.finish();
  assert.ok(content.kind === 'spool');
  await store.commit(sampleAccept(key, undefined, { content }));
  return content.path;
}

async function isGone(file: string): Promise<boolean> {
  for (let i = 0; i < 100 && existsSync(file); i++) await sleep(10);
  return !existsSync(file);
}

describe('a held spool', () => {
  it('keeps files of delivered messages up to the key, and lets newer ones go', async () => {
    const store = await openSqliteStore({ path: shard, spoolFolder });
    const files = [await acceptLarge(store, 1), await acceptLarge(store, 2)];
    const hold = await holdSpool(shard, null);
    await store.commit(sampleComplete(1));
    await hold.narrow(2);
    files.push(await acceptLarge(store, 3));
    await store.commit(sampleComplete(2));
    await store.commit(sampleComplete(3));
    assert.ok(await isGone(files[2]!));
    assert.ok(existsSync(files[0]!) && existsSync(files[1]!));
    await store.close();
    // A lane that starts again sweeps its spool: also then the files stay.
    const again = await openSqliteStore({ path: shard, spoolFolder });
    assert.ok(existsSync(files[0]!) && existsSync(files[1]!));
    await hold.release();
    await again.close();
    await (await openSqliteStore({ path: shard, spoolFolder })).close();
    assert.ok(!existsSync(files[0]!) && !existsSync(files[1]!));
  });

  it('lets what it kept go when it ends', async () => {
    const kept = path.join(root, 'kept.msg');
    await writeFile(kept, '');
    const removals = new SpoolRemovals(root, holdFileOf(shard));
    const hold = await holdSpool(shard, null);
    removals.remove([{ key: 1, file: 'kept.msg' }]);
    removals.removeKept();
    await sleep(50);
    assert.ok(existsSync(kept));
    await hold.release();
    removals.removeKept();
    assert.ok(await isGone(kept));
  });
});

describe('a hold', () => {
  it('is void when nobody renews it, whatever the clock does', async () => {
    const hold = await holdSpool(shard, null);
    const file = holdFileOf(shard);
    const nowMs = Date.now();
    assert.equal(readHold(file, nowMs), Infinity);
    await hold.narrow(7);
    assert.equal(readHold(file, Date.now()), 7);
    assert.equal(readHold(file, nowMs + 2 * holdLeaseMs), null);
    assert.equal(readHold(file, nowMs - 2 * holdLeaseMs), null);
    await hold.release();
    assert.equal(readHold(file, Date.now()), null);
  });

  it('that cannot be read holds everything', async () => {
    await writeFile(holdFileOf(shard), 'half');
    assert.equal(readHold(holdFileOf(shard), Date.now()), Infinity);
    const old = Date.now() / 1000 - 3600;
    await utimes(holdFileOf(shard), old, old);
    assert.equal(readHold(holdFileOf(shard), Date.now()), null);
  });

  it('says at its end that it was lost', async () => {
    const hold = await holdSpool(shard, null);
    await rm(holdFileOf(shard));
    await assert.rejects(hold.release());
  });
});
