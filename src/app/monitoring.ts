/** What monitoring asks, from the lanes and from the control process itself. */
import { statfs } from 'node:fs/promises';
import type { GaugeReading } from '../report/meter.ts';
import { createPrometheusMeter, formatMetrics } from '../report/prometheus.ts';
import { certificateEnds } from './expiry.ts';
import type { LaneProcess } from './lane-process.ts';
import type { LaneMetrics } from './messages.ts';
import type { MonitoringSources, Readiness } from './metrics-server.ts';
import type { Reloader } from './reloader.ts';
import type { ShardReaders } from './shard-readers.ts';
import { version } from './version.ts';

export interface MonitoredParts {
  readonly lanes: readonly LaneProcess[];
  readonly readers: Pick<ShardReaders, 'listQueue'>;
  readonly reloader: Pick<Reloader, 'inForce' | 'lastRefused'>;
}

/** A lane that does not answer within this time does not work. */
const laneAnswerMs = 2000;

export function monitoringSources(parts: MonitoredParts): MonitoringSources {
  const own = createPrometheusMeter();
  return {
    metrics: async () => {
      const answers = await askLanes(parts.lanes);
      const running = answers.flatMap((answer) => answer ?? []);
      const readings = await readOwn(parts, running.length);
      const counted = running.map((lane) => lane.counted);
      return formatMetrics([...counted, await own.collect(readings)]);
    },
    readiness: () => readReadiness(parts.lanes),
  };
}

/** Null for a lane that did not answer. */
function askLanes(lanes: readonly LaneProcess[]): Promise<readonly (LaneMetrics | null)[]> {
  return Promise.all(
    lanes.map(async (lane) => {
      const late = Promise.withResolvers<null>();
      const timer = setTimeout(() => late.resolve(null), laneAnswerMs);
      // Down, or not answering: both are what is told here.
      const answer = lane.ask('metrics', null).catch(() => null);
      const first = await Promise.race([answer, late.promise]);
      clearTimeout(timer);
      return first;
    }),
  );
}

async function readReadiness(lanes: readonly LaneProcess[]): Promise<Readiness> {
  const answers = await askLanes(lanes);
  const problems = answers.flatMap((answer, place) => {
    const { shard } = lanes[place]!;
    if (answer === null) return [`lane ${shard} does not answer`];
    return answer.refusing === null ? [] : [`lane ${shard} puts new mail off: ${answer.refusing}`];
  });
  return { problems };
}

async function readOwn(parts: MonitoredParts, lanesRunning: number): Promise<GaugeReading[]> {
  const { inForce, lastRefused } = parts.reloader;
  const [[oldest], freeBytes] = await Promise.all([
    parts.readers.listQueue({ limit: 1 }),
    readFreeBytes(inForce.config.dataFolder),
  ]);
  const oldestAtMs = oldest?.message.receivedAtMs ?? Date.now();
  return [
    {
      name: 'queueOldestSeconds',
      labels: [],
      value: Math.max(0, (Date.now() - oldestAtMs) / 1000),
    },
    ...(freeBytes === null
      ? []
      : [{ name: 'diskFreeBytes', labels: [], value: freeBytes } as const]),
    { name: 'lanesRunning', labels: [], value: lanesRunning },
    { name: 'lanesConfigured', labels: [], value: parts.lanes.length },
    { name: 'configReloadSucceeded', labels: [], value: lastRefused === null ? 1 : 0 },
    { name: 'buildInfo', labels: [version, inForce.policy.revision], value: 1 },
    ...certificateEnds(inForce).map(({ key, notAfterMs }): GaugeReading => ({
      name: 'certificateExpiry',
      labels: [key],
      value: notAfterMs / 1000,
    })),
  ];
}

/** Null where the file system does not tell. */
async function readFreeBytes(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    // Then the lanes cannot store either, and say so.
    return null;
  }
}
