/** A shard whose file or spool was damaged while it was closed: what is lost is said, the rest is there. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Failure } from '../mail/failure.ts';
import { sampleAccept, sampleDelivery } from './sample-batch.ts';
import { openSpool } from './spool.ts';
import { openReader } from './sqlite-reader.ts';
import { openSqliteStore } from './sqlite-store.ts';
import type { Store } from './store.ts';

let folder = '';
let options = { path: '', spoolFolder: '' };

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-damage-'));
  options = { path: path.join(folder, 'queue-0.db'), spoolFolder: path.join(folder, 'spool') };
});
afterEach(() => rm(folder, { recursive: true }));

async function withStore(work: (store: Store) => Promise<void>): Promise<void> {
  const store = await openSqliteStore(options);
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

/** Flips the bits of one byte, at the only place where the file holds this text. */
async function flip(file: string, text: string, count = 1): Promise<void> {
  const bytes = await readFile(file);
  const at = bytes.indexOf(text);
  assert.ok(at >= 0, `${text} is not in the file`);
  assert.equal(bytes.indexOf(text, at + 1), -1, `${text} is there twice`);
  for (let i = 0; i < count; i++) bytes[at + i]! ^= 0x15;
  await writeFile(file, bytes);
}

const isDamaged = (pattern: RegExp) => (error: unknown) =>
  error instanceof Failure && error.code === 'store-damaged' && pattern.test(error.message);

describe('a damaged delivery', () => {
  beforeEach(async () => {
    await withStore(async (store) => {
      for (const key of [1, 2, 3]) {
        const recipients = [{ localPart: `damaged-${key}`, domain: 'a.test' }];
        await store.commit(sampleAccept(key, [{ ...sampleDelivery(key), recipients }]));
      }
    });
    await flip(options.path, '{"recipients":[{"localPart":"damaged-2');
  });

  it('hides no other, in lists and among those that are due', async () => {
    await withStore(async (store) => {
      const reader = await openReader(options.path);
      for (const from of [store, reader]) {
        const rows = await from.listQueue({ limit: 10 });
        assert.deepEqual(
          rows.map(({ delivery }) => [delivery.key, delivery.recipients.length]),
          [
            [1, 1],
            [2, 0],
            [3, 1],
          ],
        );
        const outcome = rows[1]!.delivery.lastOutcome;
        assert.ok(outcome?.kind === 'held' && outcome.cause === 'damaged');
        assert.match(outcome.reason, /delivery 0 of message 2 cannot be read/);
        const found = await from.listQueue({ limit: 10, recipientDomain: 'a.test' });
        assert.equal(found.length, 2);
      }
      await reader.close();
      const { routeKey, dueAtMs } = sampleDelivery(1);
      assert.equal((await store.listDue(routeKey, dueAtMs + 1000, 10)).length, 3);
    });
  });

  it('keeps what is left of it when it is held', async () => {
    await withStore(async (store) => {
      const [, before] = await store.listQueue({ limit: 10 });
      const held = { ...before!.delivery, state: 'held' } as const;
      await store.commit({ ...sampleAccept(4), updated: [held] });
      const after = (await store.listQueue({ limit: 10, state: 'held' }))[0]!.delivery;
      assert.equal(after.unreadable?.detail, before!.delivery.unreadable!.detail);
      assert.match(after.unreadable.detail, /damaged-2/);
    });
  });
});

describe('a damaged message', () => {
  it('hides no other in lists, and cannot be read', async () => {
    await withStore(async (store) => {
      for (const key of [1, 2, 3]) {
        const reversePath = { localPart: `sender-${key}`, domain: 'a.test' };
        await store.commit(sampleAccept(key, undefined, { reversePath }));
      }
    });
    await flip(options.path, '{"reversePath":{"localPart":"sender-2');
    await withStore(async (store) => {
      const rows = await store.listQueue({ limit: 10 });
      assert.equal(rows.length, 3);
      assert.match(rows[1]!.delivery.lastOutcome!.reason, /message 2 cannot be read/);
      await assert.rejects(store.readMessage(2), isDamaged(/message 2 cannot be read/));
      assert.notEqual(await store.readMessage(3), null);
    });
  });

  it('is not handed out with another content than was stored', async () => {
    await withStore(async (store) => {
      const bytes = Buffer.from('Subject: x\r\n\r\nThe amount is 1000 euros.\r\n');
      await store.commit(sampleAccept(1, undefined, { content: { kind: 'memory', bytes } }));
    });
    await flip(options.path, '1000 euros');
    await withStore((store) =>
      assert.rejects(store.readMessage(1), isDamaged(/the content of message 1 is not what was/)),
    );
  });

  it('is one whose spool file is gone, cut, or no spool file', async () => {
    const files: string[] = [];
    await withStore(async (store) => {
      for (const key of [1, 2, 3, 4]) {
        const writer = await openSpool(options.spoolFolder, 'contoso');
        await writer.write(Buffer.from(`content ${key}`));
        const content = await writer.finish();
        assert.ok(content.kind === 'spool');
        files.push(content.path);
        await store.commit(sampleAccept(key, undefined, { content }));
      }
    });
    await rm(files[0]!);
    await writeFile(files[1]!, (await readFile(files[1]!)).subarray(0, -1));
    await flip(files[2]!, 'PSTN');
    await withStore(async (store) => {
      await assert.rejects(store.readMessage(1), isDamaged(/is gone/));
      await assert.rejects(store.readMessage(2), isDamaged(/has 24 bytes, not 25/));
      await assert.rejects(store.readMessage(3), isDamaged(/does not begin like a spool file/));
      assert.notEqual(await store.readMessage(4), null);
    });
  });
});
