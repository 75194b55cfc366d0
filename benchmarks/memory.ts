/**
 * How much memory a lane needs for many large messages at once, received and relayed under TLS; and
 * how a gateway with a long queue starts, answers and stays. Run by `npx node benchmarks/memory.ts`;
 * `--large 16x20 --queued 20000` is what the tests run.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify, parseArgs } from 'node:util';
import { createApiClient } from '../src/api/client.ts';
import type { ApiClient } from '../src/api/client.ts';
import { formatQueueId } from '../src/mail/queue-id.ts';
import type { Batch } from '../src/store/store.ts';
import { emptyBatch } from '../src/store/store.ts';
import { openSqliteStore } from '../src/store/sqlite-store.ts';
import { cpuSecondsOf } from './relay/process-tree.ts';
import { startPostern } from './relay/postern.ts';
import type { Workshop } from './relay/workshop.ts';
import { openWorkshop } from './relay/workshop.ts';

const run = promisify(execFile);
const mib = 1024 * 1024;

/** MiB of the lane: before, at the most, and 20 s after the last message left. */
export interface LargeResult {
  readonly messages: number;
  readonly mibEach: number;
  readonly seconds: number;
  readonly damagedOrLost: number;
  readonly idleRss: number;
  readonly peakRss: number;
  readonly endRss: number;
}

/** `count` sessions at once, each with a message of `mibEach`, relayed to a sink that checks them. */
export async function measureLarge(
  workshop: Workshop,
  count: number,
  mibEach: number,
): Promise<LargeResult> {
  const postern = await startPostern(workshop);
  const { sink: files } = workshop;
  const tls = ['--starttls', '--require-tls', '--cert', files.certificate, '--key', files.key];
  const checks = ['--verify', '--track', String(count), '--expect', String(count)];
  const sinkWords = ['--port', String(postern.sinkPort), '--max-time', '900', ...tls, ...checks];
  const sink = spawn(workshop.sinkProgram, sinkWords);
  try {
    const lane = await laneOf(postern.rootPid);
    await sleep(2000);
    const idleRss = await rssOf(lane, 'VmRSS');
    const [sessions, size] = [String(count), String(mibEach * 1_000_000)];
    const amount = ['--sessions', sessions, '--messages', sessions, '--size', size];
    const times = ['--timeout', '300', '--max-time', '900'];
    const loadWords = ['--port', String(postern.port), '--starttls', ...amount, ...times];
    const startedAt = performance.now();
    const sunk = once(sink, 'exit');
    const load = await run(workshop.loadProgram, loadWords).then(
      () => 0,
      (error: { readonly code?: number }) => error.code ?? 3,
    );
    if (load !== 0) throw new Error('not every message was accepted');
    const [code] = (await sunk) as [number | null];
    const seconds = (performance.now() - startedAt) / 1000;
    const peakRss = await rssOf(lane, 'VmHWM');
    await sleep(20_000);
    const endRss = await rssOf(lane, 'VmRSS');
    const result = { messages: count, mibEach, seconds, damagedOrLost: code === 0 ? 0 : 1 };
    return { ...result, idleRss, peakRss, endRss };
  } finally {
    sink.kill('SIGKILL');
    await postern.stop();
  }
}

/** Milliseconds and MiB; the longest of several answers each. */
export interface LongQueueResult {
  readonly queued: number;
  /** Until an SMTP listener greets; and the CPU time of all processes by then. */
  readonly startMs: number;
  readonly startCpuMs: number;
  readonly statusMs: number;
  readonly listMs: number;
  readonly traceMs: number;
  readonly laneRssAtStart: number;
  readonly laneRssPeak: number;
  readonly laneRssEnd: number;
  readonly controlRssEnd: number;
}

/** All of it is due at the start, and whoever it goes to refuses connections. */
export async function measureLongQueue(
  workshop: Workshop,
  count: number,
  seconds: number,
): Promise<LongQueueResult> {
  const data = join(workshop.folder, 'postern', 'data');
  const keys = await fillQueue(data, count);
  const startedAt = performance.now();
  const postern = await startPostern(workshop);
  const startMs = performance.now() - startedAt;
  const startCpuMs = cpuSecondsOf(postern.rootPid) * 1000;
  try {
    const lane = await laneOf(postern.rootPid);
    const laneRssAtStart = await rssOf(lane, 'VmRSS');
    const api = await waitForApi(join(data, 'run', 'api.sock'));
    const worst = { statusMs: 0, listMs: 0, traceMs: 0 };
    const until = performance.now() + seconds * 1000;
    for (let i = 0; performance.now() < until; i++) {
      const id = formatQueueId({ key: keys[(i * 7919) % keys.length]!, shard: 0 });
      await timed(worst, 'statusMs', () => api.status());
      await timed(worst, 'listMs', () => api.listQueue({ limit: 1000 }));
      await timed(worst, 'traceMs', () => api.readTrace(id).catch(() => null));
      await sleep(500);
    }
    const { queue } = await api.status();
    if (queue.queued !== count) throw new Error(`${queue.queued} of ${count} are queued`);
    return {
      queued: count,
      startMs,
      startCpuMs,
      ...worst,
      laneRssAtStart,
      laneRssPeak: await rssOf(lane, 'VmHWM'),
      laneRssEnd: await rssOf(lane, 'VmRSS'),
      controlRssEnd: await rssOf(postern.rootPid, 'VmRSS'),
    };
  } finally {
    await postern.stop();
  }
}

async function waitForApi(socketPath: string): Promise<ApiClient> {
  const api = createApiClient({ socketPath });
  for (let i = 0; ; i++) {
    try {
      await api.status();
      return api;
    } catch (error) {
      if (i > 100) throw error;
      await sleep(100);
    }
  }
}

async function timed<Name extends string>(
  worst: Record<Name, number>,
  name: Name,
  work: () => Promise<unknown>,
): Promise<void> {
  const beganAt = performance.now();
  await work();
  worst[name] = Math.max(worst[name], performance.now() - beganAt);
}

const routes = 200;

/** Through the store itself, as if the gateway had been stopped with all that waiting. */
async function fillQueue(data: string, count: number): Promise<readonly number[]> {
  await mkdir(data, { recursive: true, mode: 0o700 });
  const spoolFolder = join(data, 'spool', '0');
  const store = await openSqliteStore({ path: join(data, 'queue-0.db'), spoolFolder });
  const keys: number[] = [];
  const firstKey = (Date.now() - 3600_000 - Date.UTC(2020, 0, 1)) * 4096;
  const bytes = Buffer.from(`Subject: waits\r\n\r\n${'It waits.\r\n'.repeat(100)}`);
  for (let from = 0; from < count; from += 1000) {
    const batch: { -readonly [Part in keyof Batch]: Batch[Part][number][] } = {
      ...structuredClone(emptyBatch),
    } as never;
    for (let i = from; i < Math.min(count, from + 1000); i++) {
      const key = firstKey + i;
      keys.push(key);
      const receivedAtMs = Date.now() - 3600_000;
      const recipient = { localPart: `user${i}`, domain: 'sink.example' };
      batch.accepted.push({
        message: {
          key,
          organization: 'benchmark',
          bodyType: '7bit',
          receivedAtMs,
          reversePath: { localPart: 'sender', domain: 'load.example' },
          source: { kind: 'mx', inboundConnectors: [] },
          content: { kind: 'memory', bytes },
        },
        deliveries: [
          {
            key,
            ordinal: 0,
            attempts: 1,
            failedTlsAtMs: [],
            floor: [],
            recipients: [recipient],
            routeKey: i % 2 === 0 ? 'connector benchmark To the sink' : `mx d${i % routes}.example`,
            retriesFromMs: receivedAtMs,
            dueAtMs: Date.now(),
            state: 'queued',
            lastOutcome: null,
          },
        ],
      });
    }
    await store.commit(batch);
  }
  await store.close();
  return keys;
}

async function laneOf(control: number): Promise<number> {
  const file = `/proc/${control}/task/${control}/children`;
  return Number((await readFile(file, 'utf8')).trim().split(' ')[0]);
}

/** MiB. */
async function rssOf(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
  return Math.round((kib * 1024) / mib);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      large: { type: 'string', default: '64x50' },
      queued: { type: 'string', default: '100000' },
      seconds: { type: 'string', default: '60' },
      folder: { type: 'string', default: '/var/tmp' },
    },
  });
  const [count = 0, mibEach = 0] = values.large.split('x').map(Number);
  const queued = Number(values.queued);
  const measures = [
    ...(count === 0 ? [] : [(workshop: Workshop) => measureLarge(workshop, count, mibEach)]),
    ...(queued === 0
      ? []
      : [(workshop: Workshop) => measureLongQueue(workshop, queued, Number(values.seconds))]),
  ];
  for (const measure of measures) {
    const workshop = await openWorkshop(values.folder);
    try {
      process.stdout.write(`${JSON.stringify(await measure(workshop))}\n`);
    } finally {
      await workshop.remove();
    }
  }
}

if (import.meta.main) await main();
