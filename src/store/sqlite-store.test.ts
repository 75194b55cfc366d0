/** The SQLite store does what every store must, and the rest of what a file must. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Failure } from '../mail/failure.ts';
import { exists, isFailure, testStore } from './conformance.ts';
import { lockFile } from './file-lock.ts';
import { storeVersion } from './migrations.ts';
import { sampleAccept, sampleComplete, sampleDelivery, sampleMessage } from './sample-batch.ts';
import { openSpool } from './spool.ts';
import { openReader } from './sqlite-reader.ts';
import type { SqliteStoreOptions } from './sqlite-store.ts';
import { openSqliteStore } from './sqlite-store.ts';
import type { Store } from './store.ts';
import { emptyBatch } from './store.ts';

testStore('SQLite store', ({ path, spoolFolder }) => openSqliteStore({ path, spoolFolder }));

let root: string;
let count = 0;
let options: SqliteStoreOptions;

before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'postern-sqlite-'));
});
after(() => rm(root, { recursive: true, force: true }));
beforeEach(() => {
  const folder = path.join(root, String(++count));
  options = { path: path.join(folder, 'queue-0.db'), spoolFolder: path.join(folder, 'spool-0') };
});

async function withStore(
  over: Partial<SqliteStoreOptions>,
  use: (store: Store) => Promise<void>,
): Promise<void> {
  const store = await openSqliteStore({ ...options, ...over });
  try {
    await use(store);
  } finally {
    await store.close();
  }
}

function large(key: number) {
  const bytes = Buffer.alloc(100_000, 'x');
  return sampleAccept(key, undefined, { content: { kind: 'memory', bytes } });
}

describe('a full store', () => {
  it('rejects what does not fit, keeps what it has, and works again when there is room', async () => {
    await withStore({ sizeBytesMax: 1_000_000 }, async (store) => {
      let key = 0;
      await assert.rejects(async () => {
        while (key < 20) await store.commit(large(++key));
      }, isFailure('store-full'));
      assert.ok(key > 2 && key < 20);
      assert.equal(await store.readMessage(key), null);
      assert.notEqual(await store.readMessage(key - 1), null);
      await store.commit(sampleComplete(1));
      await store.commit(sampleComplete(2));
      await store.commit(large(100));
      assert.notEqual(await store.readMessage(100), null);
    });
  });

  it('lets finished messages go although new ones in the same commit do not fit', async () => {
    await withStore({ sizeBytesMax: 1_000_000 }, async (store) => {
      let key = 0;
      await assert.rejects(async () => {
        while (key < 20) await store.commit(large(++key));
      });
      const results = await Promise.allSettled([
        store.commit(large(50)),
        store.commit(sampleComplete(1)),
        store.commit(large(51)),
      ]);
      assert.deepEqual(
        results.map(({ status }) => status),
        ['rejected', 'fulfilled', 'rejected'],
      );
      assert.equal(await store.readMessage(1), null);
    });
  });
});

describe('bounds', () => {
  it('refuses more than may wait for the disk, and takes mail again afterwards', async () => {
    const limits = { waitingRecordsMax: 10, waitingBytesMax: 10_000 };
    await withStore({ limits }, async (store) => {
      const commits = Array.from({ length: 8 }, (_, i) => store.commit(sampleAccept(i + 1)));
      const results = await Promise.allSettled(commits);
      const refused = results.filter((result) => result.status === 'rejected');
      assert.equal(refused.length, 3);
      for (const { reason } of refused) isFailure('queue-full')(reason);
      await store.commit(sampleAccept(100));
      assert.deepEqual(store.counts().waitingRecords, 0);
      assert.deepEqual(store.counts().waitingBytes, 0);
    });
  });

  it('takes results when new mail is refused already', async () => {
    await withStore({ limits: { waitingRecordsMax: 4 } }, async (store) => {
      await store.commit(sampleAccept(1));
      const full = [store.commit(sampleAccept(2)), store.commit(sampleAccept(3))];
      const refused = store.commit(sampleAccept(4));
      const done = store.commit(sampleComplete(1));
      await assert.rejects(refused, isFailure('queue-full'));
      await Promise.all([...full, done]);
    });
  });

  it('divides what waits into commits of bounded size', async () => {
    await withStore({ limits: { commitRecordsMax: 20 } }, async (store) => {
      const commits = Array.from({ length: 50 }, (_, i) => store.commit(sampleAccept(i + 1)));
      await Promise.all(commits);
      assert.equal(store.counts().commits, 5);
    });
  });
});

describe('opening', () => {
  it('refuses a store that a newer program wrote', async () => {
    await withStore({}, async () => undefined);
    const db = new DatabaseSync(options.path);
    db.exec(`PRAGMA user_version = ${storeVersion + 1}`);
    db.close();
    await assert.rejects(openSqliteStore(options), isFailure('store-newer'));
    await assert.rejects(openReader(options.path), isFailure('store-newer'));
  });

  it('refuses a file that another owner holds, and takes it when it is free', async () => {
    await withStore({}, async () => {
      const again = openSqliteStore({ ...options, lockWaitMs: 50 });
      await assert.rejects(again, isFailure('store-taken'));
    });
    const lock = lockFile(options.path.replace('.db', '.lock'), 0)!;
    await assert.rejects(openSqliteStore({ ...options, lockWaitMs: 10 }), isFailure('store-taken'));
    const waiting = openSqliteStore({ ...options, lockWaitMs: 5000 });
    lock.release();
    await (await waiting).close();
  });

  it('says that a file is damaged', async () => {
    await mkdir(path.dirname(options.path), { recursive: true });
    await writeFile(options.path, 'this is no database, whatever its name says '.repeat(200));
    await assert.rejects(openSqliteStore(options), isFailure('store-damaged'));
  });

  it('removes spool files that no message owns, and no others', async () => {
    let owned = '';
    await withStore({}, async (store) => {
      const writer = await openSpool(options.spoolFolder, 'contoso');
      const content = await writer.finish();
      assert.ok(content.kind === 'spool');
      owned = content.path;
      await store.commit(sampleAccept(1, undefined, { content }));
      const orphan = await openSpool(options.spoolFolder, 'fabrikam');
      await orphan.write(Buffer.from('never committed'));
      await orphan.finish();
      const unfinished = await openSpool(options.spoolFolder, 'contoso');
      await unfinished.write(Buffer.from('never finished'));
    });
    await writeFile(path.join(options.spoolFolder, 'contoso', 'notes.txt'), 'not ours');
    await withStore({}, async (store) => {
      const files = await readdir(path.join(options.spoolFolder, 'contoso'));
      assert.deepEqual(files.sort(), [path.basename(owned), 'notes.txt'].sort());
      assert.deepEqual(await readdir(path.join(options.spoolFolder, 'fabrikam')), []);
      assert.notEqual(await store.readMessage(1), null);
    });
  });
});

describe('a reader beside the writer', () => {
  it('sees what is committed, while the writer goes on', async () => {
    await withStore({}, async (store) => {
      const trace = { key: 1, atMs: 5, kind: 'received', json: '{}' } as const;
      await store.commit({ ...sampleAccept(1), traces: [trace] });
      const reader = await openReader(options.path);
      assert.equal((await reader.listQueue({ limit: 5 })).length, 1);
      await store.commit(sampleAccept(2));
      const rows = await reader.listQueue({ limit: 5 });
      assert.deepEqual(rows[1]!.delivery, sampleDelivery(2));
      const { content: _, ...message } = sampleMessage(2);
      assert.deepEqual({ ...rows[1]!.message, sizeBytes: 0 }, { ...message, sizeBytes: 0 });
      assert.deepEqual((await reader.readTrace(1)).records, [trace]);
      await reader.close();
      await reader.close();
    });
  });

  it('says that there is no file', async () => {
    await assert.rejects(openReader(options.path), isFailure('store-io'));
  });
});

describe('the store thread', () => {
  it('closes the store and tells it when it dies; nothing waits for ever', async () => {
    const deaths: Failure[] = [];
    const worker = {
      url: new URL('./crashing-worker.ts', import.meta.url),
      data: { crash: { at: 'rows-written', commit: 2, how: 'exit' } },
    };
    const onDeath = (failure: Failure): void => void deaths.push(failure);
    await withStore({ worker, onDeath }, async (store) => {
      await store.commit(sampleAccept(1));
      const lost = assert.rejects(store.commit(sampleAccept(2)), isFailure('store-closed'));
      await new Promise((resolve) => setImmediate(resolve));
      const read = assert.rejects(store.readMessage(1), isFailure('store-closed'));
      await Promise.all([lost, read]);
      await assert.rejects(store.commit(sampleAccept(3)), isFailure('store-closed'));
      assert.equal(deaths.length, 1);
      assert.equal(deaths[0]!.code, 'store-closed');
    });
    await withStore({}, async (store) => {
      assert.notEqual(await store.readMessage(1), null);
      assert.equal(await store.readMessage(2), null);
    });
  });

  it('commits what was handed over before it closes', async () => {
    await withStore({}, async (store) => {
      const late = store.commit(sampleAccept(1), 60_000);
      await store.close();
      await late;
    });
    await withStore({}, async (store) => assert.notEqual(await store.readMessage(1), null));
  });

  it('removes the spool file only when the message is gone for good', async () => {
    await withStore({}, async (store) => {
      const content = await (await openSpool(options.spoolFolder, 'contoso')).finish();
      assert.ok(content.kind === 'spool');
      await store.commit(sampleAccept(1, undefined, { content }));
      const conflict = { ...emptyBatch, ...sampleAccept(1), ...sampleComplete(1) };
      const bad = { ...conflict, accepted: sampleAccept(1).accepted };
      await assert.rejects(store.commit(bad), isFailure('store-conflict'));
      assert.ok(await exists(content.path));
    });
  });
});
