/**
 * What one look of an event stream costs the control process: the queue (100 rows) and the trace (the
 * last minute, 200 of it).
 *
 *     node benchmarks/event-streams.ts [queued=20000] [messages a minute=6000] [looks=50]
 *
 * Looks are of the control process alone; lanes, which carry mail, do nothing for them.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchQueue } from '../src/api/queue-events.ts';
import { describeQueueRow } from '../src/api/queue-view.ts';
import { searchTraces } from '../src/api/search-traces.ts';
import { tracesPerLook, watchTraces } from '../src/api/trace-events.ts';
import { openShardReaders } from '../src/app/shard-readers.ts';
import { formatQueueId, nextQueueKey } from '../src/mail/queue-id.ts';
import { recordReceived } from '../src/report/trace.ts';
import { openSqliteStore } from '../src/store/sqlite-store.ts';
import type { StoredDelivery, StoredMessage } from '../src/store/store.ts';
import { emptyBatch } from '../src/store/store.ts';

const [queued = 20_000, perMinute = 6000, looks = 50] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(process.env['BENCH_FOLDER'] ?? tmpdir(), 'postern-events-'));
mkdirSync(folder, { recursive: true });

function make(key: number, receivedAtMs: number) {
  const recipients = [{ localPart: `user${key % 1000}`, domain: 'contoso.com' }];
  const message: StoredMessage = {
    key,
    organization: 'example',
    reversePath: { localPart: 'anna', domain: 'example.test' },
    bodyType: '8bitmime',
    source: { kind: 'submission', account: 'anna' },
    receivedAtMs,
    content: { kind: 'memory', bytes: Buffer.alloc(2000, 'a') },
  };
  const delivery: StoredDelivery = {
    key,
    ordinal: 0,
    recipients,
    routeKey: 'mx example contoso.com',
    floor: [{ kind: 'encrypted', origin: { kind: 'connector', name: 'contoso' } }],
    attempts: 1,
    failedTlsAtMs: [],
    retriesFromMs: receivedAtMs,
    dueAtMs: receivedAtMs,
    state: 'queued',
    lastOutcome: null,
  };
  return { message, delivery };
}

async function fill(): Promise<void> {
  const store = await openSqliteStore({
    path: join(folder, 'queue-0.db'),
    spoolFolder: join(folder, 'spool', '0'),
  });
  const firstMs = Date.now() - 60_000;
  let key = nextQueueKey(firstMs, 0);
  for (let from = 0; from < queued; from += 1000) {
    const made = Array.from({ length: Math.min(1000, queued - from) }, (_, i) => {
      const atMs = Math.round(firstMs + ((from + i) / queued) * 60_000);
      key = nextQueueKey(atMs, key);
      return make(key, atMs);
    });
    const parts = made.slice(0, Math.ceil((1000 * perMinute) / queued)).map(record);
    await store.commit({
      ...emptyBatch,
      accepted: made.map(({ message, delivery }) => ({ message, deliveries: [delivery] })),
      traces: parts.flatMap(({ records }) => records),
      facts: parts.flatMap(({ facts }) => facts),
    });
  }
  await store.close();
}

function record({ message, delivery }: ReturnType<typeof make>) {
  const id = formatQueueId({ key: message.key, shard: 0 });
  const incoming = { ...message, id, clauses: [], decision: null, evidence: null };
  return recordReceived(incoming as never, [delivery]);
}

async function measure(what: string, look: () => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < looks; i++) {
    const startedAtMs = performance.now();
    await look();
    times.push(performance.now() - startedAtMs);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string => times[Math.floor((times.length - 1) * share)]!.toFixed(1);
  console.log(`${what}: median ${at(0.5)} ms, 95 % ${at(0.95)} ms`);
}

await fill();
const readers = openShardReaders(folder, [0]);
const list = async () => (await readers.listQueue({ limit: 100 })).map(describeQueueRow);
await measure('queue, 100 rows', watchQueue(list));
const nowMs = Date.now();
const lastId = formatQueueId({ key: nextQueueKey(nowMs - 60_000, 0), shard: 0 });
const search = (since: string) => searchTraces({ since, limit: tracesPerLook }, readers, null);
await measure('trace, the last minute', watchTraces({ search, nowMs: () => nowMs, lastId }));
await readers.close();
rmSync(folder, { recursive: true, force: true });
