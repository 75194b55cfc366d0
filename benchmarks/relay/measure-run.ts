/** One run: load → mail server → sink, with everything that is measured about it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { readMachineTime } from './machine.ts';
import type { Peer } from './peer.ts';
import { waitForGreeting } from './peer.ts';
import { cpuSecondsOf, memoryMbOf } from './process-tree.ts';
import type { Workshop } from './workshop.ts';

export interface RunSettings {
  readonly sessions: number;
  readonly perSession: number;
  readonly sizeBytes: number;
  readonly messages: number;
  /** Check each body at the sink; costs the sink time that a measured run should not see. */
  readonly isVerified: boolean;
  readonly hasQuickAck: boolean;
}

/** Rates are per second, latencies in milliseconds. */
export interface RunFigures {
  readonly messages: number;
  readonly seconds: number;
  readonly acceptedRate: number;
  readonly deliveredRate: number;
  /** CPU seconds of all processes of the mail server for 1,000 messages. */
  readonly cpuPer1000: number;
  /** From the start of a transaction to the final reply. */
  readonly replyP50: number;
  readonly replyP99: number;
  /** From the start of a transaction until the sink has the message. */
  readonly deliveredP50: number;
  readonly deliveredP99: number;
  readonly memoryMb: number;
  readonly sinkSessions: number;
  /** CPUs that anything else used, tools and the benchmark itself left out. */
  readonly others: number;
  /** CPUs that the host took for other guests. */
  readonly steal: number;
  readonly missing: number;
  readonly duplicates: number;
  /** In words; empty where all is well. */
  readonly problems: readonly string[];
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** What `smtpload` prints, as far as it is used. */
export interface LoadReport {
  readonly accepted: number;
  readonly rejected_4xx: number;
  readonly rejected_5xx: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly msgs_per_s: number;
  readonly seconds: number;
  readonly latency_ms: Percentiles;
  readonly t_start: number;
  readonly cpu_s: number;
}

/** What `smtpsink` prints, as far as it is used. */
export interface SinkReport {
  readonly messages: number;
  readonly sessions: number;
  readonly tls_handshakes: number;
  readonly missing: number;
  readonly duplicates: number;
  readonly damaged?: number;
  readonly e2e_ms: Percentiles;
  readonly t_last: number;
  readonly cpu_s: number;
}

const loadSecondsMax = 60;
/** What comes with the last message, as completions and closed sessions, still belongs to the run. */
const settleMs = 400;
const memoryEveryMs = 900;

/** Throws an Error where a tool fails; mail that is lost or doubled is among the problems. */
export async function measureRun(
  workshop: Workshop,
  peer: Peer,
  settings: RunSettings,
): Promise<RunFigures> {
  const sink = startTool(workshop.sinkProgram, sinkWords(workshop, peer, settings));
  try {
    await waitForGreeting(peer.sinkPort);
    const memory = watchMemory(peer.rootPid);
    const before = await readTimes(peer.rootPid);
    const load = startTool(workshop.loadProgram, loadWords(peer, settings));
    let loaded: LoadReport;
    try {
      loaded = (await load.report((loadSecondsMax + 30) * 1000)) as LoadReport;
    } finally {
      load.kill();
    }
    const sunk = (await sink.report(waitForSinkMs(loaded))) as SinkReport;
    await sleep(settleMs);
    const after = await readTimes(peer.rootPid);
    return figuresOf({ settings, loaded, sunk, before, after, memoryMb: memory.stop() });
  } finally {
    sink.kill();
  }
}

/** As long again as the load took, and some: a queue that has not drained by then is lost mail. */
function waitForSinkMs(loaded: LoadReport): number {
  return Math.min(60_000, 20_000 + 3000 * loaded.seconds);
}

function sinkWords(workshop: Workshop, peer: Peer, settings: RunSettings): string[] {
  return wordsOf({
    port: peer.sinkPort,
    starttls: true,
    'require-tls': true,
    cert: workshop.sink.certificate,
    key: workshop.sink.key,
    expect: settings.messages,
    track: settings.messages,
    verify: settings.isVerified,
    'max-time': 180,
  });
}

function loadWords(peer: Peer, settings: RunSettings): string[] {
  return wordsOf({
    port: peer.port,
    starttls: true,
    pipelining: true,
    quickack: settings.hasQuickAck,
    sessions: settings.sessions,
    'per-session': settings.perSession,
    messages: settings.messages,
    size: settings.sizeBytes,
    'max-time': loadSecondsMax,
    'max-errors': 100,
  });
}

/** As words of a command line; `true` stands alone, `false` is left out. */
function wordsOf(options: Readonly<Record<string, string | number | boolean>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (typeof value === 'boolean') return value ? [`--${name}`] : [];
    return [`--${name}`, String(value)];
  });
}

interface Times {
  readonly peerCpu: number;
  readonly ownCpu: number;
  readonly busy: number;
  readonly steal: number;
  readonly atMs: number;
}

async function readTimes(rootPid: number): Promise<Times> {
  const { user, system } = process.cpuUsage();
  return {
    ...(await readMachineTime()),
    peerCpu: cpuSecondsOf(rootPid),
    ownCpu: (user + system) / 1e6,
  };
}

function figuresOf(parts: {
  readonly settings: RunSettings;
  readonly loaded: LoadReport;
  readonly sunk: SinkReport;
  readonly before: Times;
  readonly after: Times;
  readonly memoryMb: number;
}): RunFigures {
  const { loaded, sunk, before, after } = parts;
  const seconds = sunk.messages > 0 ? sunk.t_last - loaded.t_start : 0;
  const wallSeconds = (after.atMs - before.atMs) / 1000;
  const peerCpu = after.peerCpu - before.peerCpu;
  const known = peerCpu + (after.ownCpu - before.ownCpu) + loaded.cpu_s + sunk.cpu_s;
  return {
    messages: parts.settings.messages,
    seconds,
    acceptedRate: loaded.msgs_per_s,
    deliveredRate: seconds > 0 ? sunk.messages / seconds : 0,
    cpuPer1000: (peerCpu * 1000) / Math.max(1, sunk.messages),
    replyP50: loaded.latency_ms.p50,
    replyP99: loaded.latency_ms.p99,
    deliveredP50: sunk.e2e_ms.p50,
    deliveredP99: sunk.e2e_ms.p99,
    memoryMb: parts.memoryMb,
    sinkSessions: sunk.tls_handshakes,
    others: Math.max(0, after.busy - before.busy - known) / wallSeconds,
    steal: (after.steal - before.steal) / wallSeconds,
    missing: sunk.missing,
    duplicates: sunk.duplicates,
    problems: findProblems(parts.settings, loaded, sunk),
  };
}

/** What must not happen, in words; empty where all messages arrived once and whole. */
export function findProblems(
  settings: RunSettings,
  loaded: LoadReport,
  sunk: SinkReport,
): string[] {
  const errors = Object.entries(loaded.errors).map(([kind, n]) => [`${kind} errors`, n] as const);
  const counts: readonly (readonly [string, number])[] = [
    ['not accepted', settings.messages - loaded.accepted],
    ['refused with 4xx', loaded.rejected_4xx],
    ['refused with 5xx', loaded.rejected_5xx],
    ...errors,
    ['MISSING', sunk.missing],
    ['DUPLICATES', sunk.duplicates],
    ['DAMAGED', sunk.damaged ?? 0],
  ];
  return counts.filter(([, count]) => count > 0).map(([what, count]) => `${count} ${what}`);
}

/** The largest of some samples while the run lasts. */
function watchMemory(rootPid: number): { stop(): number } {
  let peak = memoryMbOf(rootPid);
  const timer = setInterval(() => (peak = Math.max(peak, memoryMbOf(rootPid))), memoryEveryMs);
  return {
    stop: () => {
      clearInterval(timer);
      return peak;
    },
  };
}

interface Tool {
  /** Its JSON once it has ended; it is asked to end when the time is over. */
  report(timeoutMs: number): Promise<unknown>;
  /** For the end, where it still runs. */
  kill(): void;
}

function startTool(program: string, words: readonly string[]): Tool {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const ended = once(child, 'close');
  ended.catch(() => undefined);
  const kill = (): void => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  };
  // Also where the benchmark is interrupted.
  process.once('exit', kill);
  child.once('close', () => process.off('exit', kill));
  return {
    report: async (timeoutMs) => {
      const timers = [
        setTimeout(() => child.kill('SIGTERM'), timeoutMs),
        setTimeout(() => child.kill('SIGKILL'), timeoutMs + 5000),
      ];
      await ended;
      timers.forEach(clearTimeout);
      if (output === '') throw new Error(`${program} ended without a report`);
      return JSON.parse(output);
    },
    kill,
  };
}
