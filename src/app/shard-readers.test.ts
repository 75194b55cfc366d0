import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseQueueId } from '../mail/queue-id.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { StoredDelivery, StoredMessage } from '../store/store.ts';
import { emptyBatch } from '../store/store.ts';
import { foldersOf } from './data-folder.ts';
import { openShardReaders } from './shard-readers.ts';

function make(key: number, deliveries: number) {
  const message: StoredMessage = {
    key,
    organization: 'example',
    reversePath: null,
    bodyType: '7bit',
    source: { kind: 'submission', account: 'anna' },
    receivedAtMs: 1,
    content: { kind: 'memory', bytes: Buffer.from('Subject: x\r\n\r\n') },
  };
  const delivery = (ordinal: number): StoredDelivery => ({
    key,
    ordinal,
    recipients: [{ localPart: 'a', domain: 'b.test' }],
    routeKey: 'mx',
    floor: [],
    attempts: 0,
    failedTlsAtMs: [],
    retriesFromMs: 1,
    dueAtMs: 1,
    state: 'queued',
    lastOutcome: null,
  });
  return { message, deliveries: Array.from({ length: deliveries }, (_, i) => delivery(i)) };
}

test('pages of the queue over several shards leave nothing out and show nothing twice', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-shards-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'spool'), { recursive: true });
  // Equal keys in both, and messages of several deliveries that a page may end in.
  const keys = [
    [4096, 8192, 12_288],
    [4096, 6000, 12_288, 20_000],
  ];
  for (const [shard, own] of keys.entries()) {
    const path = foldersOf(folder).shard(shard);
    const store = await openSqliteStore({ path, spoolFolder: join(folder, 'spool', `${shard}`) });
    await store.commit({ ...emptyBatch, accepted: own.map((key) => make(key, 3)) });
    await store.close();
  }
  const readers = openShardReaders(folder, [0, 1]);
  t.after(() => readers.close());
  const nameOf = ({ id, delivery }: { id: string; delivery: { ordinal: number } }): string =>
    `${id}.${delivery.ordinal}`;
  const whole = (await readers.listQueue({ limit: 100 })).map(nameOf);
  assert.equal(whole.length, 21);
  assert.deepEqual(whole, [...whole].sort());
  for (const limit of [1, 2, 4, 20]) {
    const paged: string[] = [];
    let page = await readers.listQueue({ limit });
    while (page.length > 0) {
      paged.push(...page.map(nameOf));
      const last = page.at(-1)!;
      const after = { ...parseQueueId(last.id)!, ordinal: last.delivery.ordinal };
      page = await readers.listQueue({ limit, after });
    }
    assert.deepEqual(paged, whole, `pages of ${limit}`);
  }
});
