/** What the check of a shard finds, and that it finds nothing in a whole one. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, it } from 'node:test';
import { checkShard } from './check-shard.ts';
import { copyShard } from './copy-shard.ts';
import { storeVersion } from './migrations.ts';
import { sampleAccept } from './sample-batch.ts';
import { openSpool } from './spool.ts';
import { openSqliteStore } from './sqlite-store.ts';

let root: string;
let file: string;
let spoolFolder: string;
let spooled: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'postern-check-'));
  file = path.join(root, 'queue-0.db');
  spoolFolder = path.join(root, 'spool');
  const store = await openSqliteStore({ path: file, spoolFolder });
  const writer = await openSpool(spoolFolder, 'contoso');
  await writer.write(Buffer.from('Subject: large\r\n\r\n'));
  const content = await writer.finish();
  assert.ok(content.kind === 'spool');
  spooled = content.path;
  await store.commit(sampleAccept(1));
  await store.commit(sampleAccept(2, undefined, { content }));
  await store.close();
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function faults(): Promise<string[]> {
  const found: string[] = [];
  await checkShard(file, spoolFolder, ({ key, text }) => void found.push(`${key}: ${text}`));
  return found;
}

function change(sql: string): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

it('finds nothing in a whole shard, and counts it', async () => {
  const report = (): never => assert.fail('no fault is there');
  const { counts, version } = await checkShard(file, spoolFolder, report);
  assert.equal(version, storeVersion);
  assert.deepEqual(counts, { messages: 2, deliveries: 2, traces: 0, spoolFiles: 1 });
});

const damages: readonly (readonly [string, () => void | Promise<void>, RegExp])[] = [
  [
    'a content that is too short',
    () => change("UPDATE message SET body = x'00' WHERE key = 1"),
    /^1: its content has 1 bytes/,
  ],
  ['a file that is gone', () => rm(spooled), /^2: its file .* cannot be read/],
  ['a file that is cut', () => truncate(spooled, 20), /^2: its file .* has 20 bytes instead of 34/],
  [
    'a file of somebody else',
    () => writeFile(spooled, 'x'.repeat(34)),
    /^2: its file .* is no spool file of ours/,
  ],
  [
    'a message without delivery',
    () => change('DELETE FROM delivery WHERE key = 1'),
    /^1: it has no delivery/,
  ],
  [
    'a delivery without message',
    () => change('DELETE FROM message WHERE key = 1'),
    /^1: delivery 0 has no message/,
  ],
  [
    'an envelope that is none',
    () => change("UPDATE message SET detail = '{' WHERE key = 1"),
    /^1: its envelope/,
  ],
  [
    'a later version',
    () => change(`PRAGMA user_version = ${storeVersion + 1}`),
    /^null: it has version/,
  ],
  ['a file that is no store', () => writeFile(file, 'x'.repeat(8192)), /^null: /],
];

for (const [name, damage, expected] of damages) {
  it(`finds ${name}`, async () => {
    await damage();
    const found = await faults();
    assert.ok(
      found.some((text) => expected.test(text)),
      found.join('\n'),
    );
  });
}

it('a copy holds what was committed when it began, and nothing that came while it was made', async () => {
  const store = await openSqliteStore({ path: file, spoolFolder });
  const target = path.join(root, 'copy.db');
  await copyShard(file, target, {
    onSnapshot: async (lastKey) => {
      assert.equal(lastKey, 2);
      await store.commit(sampleAccept(3));
    },
    onProgress: () => undefined,
  });
  await store.close();
  const { counts } = await checkShard(target, spoolFolder, ({ text }) => assert.fail(text));
  assert.equal(counts?.messages, 2);
});
