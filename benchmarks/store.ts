/**
 * How many durable messages per second one shard takes: accept, then complete, through the client.
 *
 *     node benchmarks/store.ts [sessions=200] [messages=40000] [bytes=4096] [trace bytes=400]
 *
 * Each session waits for its commit before it sends the next message; completions ride along as the
 * queue's do. Nothing else may run on the machine. The figure includes the last completion.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openSqliteStore } from '../src/store/sqlite-store.ts';
import type { Batch, StoredDelivery, StoredMessage } from '../src/store/store.ts';
import { emptyBatch } from '../src/store/store.ts';

const [sessions = 200, messages = 40_000, bytes = 4096, traceBytes = 400] = process.argv
  .slice(2)
  .map(Number);
const folder = mkdtempSync(path.join(process.env['BENCH_FOLDER'] ?? tmpdir(), 'postern-store-'));
const store = await openSqliteStore({
  path: path.join(folder, 'queue-0.db'),
  spoolFolder: path.join(folder, 'spool-0'),
});

const body = Buffer.alloc(bytes, 'a');
const json = 'x'.repeat(traceBytes);

function accept(key: number): Batch {
  const receivedAtMs = Date.now();
  const message: StoredMessage = {
    key,
    organization: 'example',
    reversePath: { localPart: 'anna', domain: 'example.test' },
    bodyType: '8bitmime',
    source: { kind: 'submission', account: 'anna' },
    receivedAtMs,
    content: { kind: 'memory', bytes: body },
  };
  const delivery: StoredDelivery = {
    key,
    ordinal: 0,
    recipients: [{ localPart: 'bob', domain: 'contoso.com' }],
    routeKey: 'mx example contoso.com',
    floor: [],
    attempts: 0,
    failedTlsAtMs: [],
    retriesFromMs: receivedAtMs,
    dueAtMs: receivedAtMs,
    state: 'queued',
    lastOutcome: null,
  };
  const index = { sender: 'anna@contoso.com', recipients: ['bob@fabrikam.com'] };
  const traces = [{ key, atMs: receivedAtMs, kind: 'received', json, index }] as const;
  return { ...emptyBatch, accepted: [{ message, deliveries: [delivery] }], traces };
}

function complete(key: number): Batch {
  const traces = [{ key, atMs: Date.now(), kind: 'attempt', json }] as const;
  return { ...emptyBatch, completed: [{ key, ordinal: 0 }], traces };
}

let lastKey = 0;
const completions: Promise<void>[] = [];
async function session(): Promise<void> {
  while (lastKey < messages) {
    const key = ++lastKey;
    await store.commit(accept(key));
    completions.push(store.commit(complete(key), 20));
  }
}

const startedAt = performance.now();
const cpu = process.cpuUsage();
await Promise.all(Array.from({ length: sessions }, session));
await Promise.all(completions);
const seconds = (performance.now() - startedAt) / 1000;
const { user, system } = process.cpuUsage(cpu);
const { commits } = store.counts();
await store.close();
rmSync(folder, { recursive: true });
console.log(
  `${Math.round(messages / seconds)} messages/s: ${sessions} sessions, ${bytes} bytes, ` +
    `${commits} commits, ${((user + system) / messages).toFixed(1)} µs CPU per message`,
);
