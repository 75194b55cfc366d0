/** One cell of the table: the peers in alternation, the same load, medians and ratios of the runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { readMachineTime } from './machine.ts';
import type { RunFigures, RunSettings } from './measure-run.ts';
import { measureRun } from './measure-run.ts';
import type { PeerName } from './options.ts';
import type { Peer } from './peer.ts';
import type { Workshop } from './workshop.ts';

export interface CellSettings {
  readonly sessions: number;
  readonly perSession: number;
  readonly sizeBytes: number;
  readonly hasQuickAck: boolean;
  readonly runs: number;
  readonly seconds: number;
}

export interface CellOfPeer {
  readonly runs: readonly RunFigures[];
  readonly median: RunFigures;
}

export interface Cell {
  readonly sessions: number;
  readonly perSession: number;
  readonly sizeBytes: number;
  readonly peers: Readonly<Partial<Record<PeerName, CellOfPeer>>>;
  /** Postern to Postfix, each pair of neighbouring runs; null where not both were measured. */
  readonly ratios: Ratios | null;
  readonly problems: readonly string[];
}

/** Medians of the pairs, then all of them. */
export interface Ratios {
  readonly accepted: number;
  readonly delivered: number;
  readonly cpu: number;
  readonly deliveredOfPairs: readonly number[];
}

/** Waits for a quiet machine as long as some patience is left; shared by all cells. */
export type WaitForQuiet = () => Promise<void>;

const probeMessages = 200;
const probeSecondsMin = 0.7;
const probesMax = 4;
const messagesMax = 80_000;
/** A run in which each session sends its full number of messages may take this long. */
const fullSessionsSecondsMax = 30;

/** Throws an Error where a tool fails or nothing at all is delivered. */
export async function measureCell(
  workshop: Workshop,
  peers: readonly Peer[],
  settings: CellSettings,
  waitForQuiet: WaitForQuiet,
): Promise<Cell> {
  const { sessions, perSession, sizeBytes, hasQuickAck } = settings;
  const found: { peer: Peer; messages: number; runs: RunFigures[] }[] = [];
  const problems: string[] = [];
  const note = (peer: Peer, figures: RunFigures): void => {
    const what = `${peer.title}, ${sessions} × ${perSession}`;
    problems.push(...figures.problems.map((problem) => `${what}: ${problem}`));
  };
  for (const peer of peers) {
    const rate = await probeRate(workshop, peer, settings, (figures) => note(peer, figures));
    found.push({ peer, messages: messagesFor(settings, rate), runs: [] });
  }
  for (let round = 0; round < settings.runs; round += 1) {
    const order = round % 2 === 0 ? found : found.toReversed();
    for (const { peer, messages, runs } of order) {
      await waitForQuiet();
      const load = { sessions, perSession, sizeBytes, hasQuickAck, messages, isVerified: false };
      const figures = await measureRun(workshop, peer, load);
      note(peer, figures);
      runs.push(figures);
    }
  }
  const ofPeers = found.map(({ peer, runs }) => [peer.name, { runs, median: medianOf(runs) }]);
  const byName = Object.fromEntries(ofPeers) as Cell['peers'];
  return { sessions, perSession, sizeBytes, peers: byName, ratios: ratiosOf(byName), problems };
}

/** Messages per second, by ever longer probes that also warm up caches and compilers. */
async function probeRate(
  workshop: Workshop,
  peer: Peer,
  settings: CellSettings,
  onFigures: (figures: RunFigures) => void,
): Promise<number> {
  const { sessions, perSession, sizeBytes, hasQuickAck } = settings;
  let messages = Math.max(probeMessages, 2 * sessions);
  for (let probe = 1; ; probe += 1) {
    const shape = { sessions, perSession, sizeBytes, hasQuickAck };
    const load: RunSettings = { ...shape, messages, isVerified: true };
    const figures = await measureRun(workshop, peer, load);
    onFigures(figures);
    if (figures.deliveredRate === 0) {
      throw new Error(`${peer.title} delivered nothing: ${figures.problems.join(', ')}`);
    }
    if (figures.seconds >= probeSecondsMin || probe === probesMax) return figures.deliveredRate;
    messages = Math.min(messagesMax, Math.ceil(figures.deliveredRate * probeSecondsMin * 1.2));
  }
}

function messagesFor(settings: CellSettings, rate: number): number {
  const { sessions, perSession, seconds } = settings;
  const full = Math.min(sessions * perSession, rate * fullSessionsSecondsMax);
  return Math.min(messagesMax, Math.ceil(Math.max(rate * seconds, full, 2 * sessions)));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] ?? 0;
  return ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Each figure's own median, but the worst of what must be 0 and of the machine's other load. */
function medianOf(runs: readonly RunFigures[]): RunFigures {
  const of = (read: (run: RunFigures) => number): number => median(runs.map(read));
  const worst = (read: (run: RunFigures) => number): number => Math.max(...runs.map(read));
  return {
    messages: of((run) => run.messages),
    seconds: of((run) => run.seconds),
    acceptedRate: of((run) => run.acceptedRate),
    deliveredRate: of((run) => run.deliveredRate),
    cpuPer1000: of((run) => run.cpuPer1000),
    replyP50: of((run) => run.replyP50),
    replyP99: of((run) => run.replyP99),
    deliveredP50: of((run) => run.deliveredP50),
    deliveredP99: of((run) => run.deliveredP99),
    memoryMb: of((run) => run.memoryMb),
    sinkSessions: of((run) => run.sinkSessions),
    others: worst((run) => run.others),
    steal: worst((run) => run.steal),
    missing: worst((run) => run.missing),
    duplicates: worst((run) => run.duplicates),
    problems: runs.flatMap((run) => run.problems),
  };
}

function ratiosOf(peers: Cell['peers']): Ratios | null {
  const [postern, postfix] = [peers.postern?.runs, peers.postfix?.runs];
  if (postern === undefined || postfix === undefined) return null;
  const pairs = (read: (run: RunFigures) => number): number[] =>
    postern.map((run, index) => read(run) / Math.max(1e-9, read(postfix[index]!)));
  const deliveredOfPairs = pairs((run) => run.deliveredRate);
  return {
    accepted: median(pairs((run) => run.acceptedRate)),
    delivered: median(deliveredOfPairs),
    cpu: median(pairs((run) => run.cpuPer1000)),
    deliveredOfPairs,
  };
}

const quietCpus = 0.1;

/** `seconds` of patience for all waits together. */
export function createWaitForQuiet(seconds: number): WaitForQuiet {
  let leftMs = seconds * 1000;
  return async () => {
    while (leftMs > 0) {
      const before = await readMachineTime();
      await sleep(500);
      const after = await readMachineTime();
      leftMs -= after.atMs - before.atMs;
      const cpus = ((after.busy - before.busy) * 1000) / (after.atMs - before.atMs);
      if (cpus < quietCpus) return;
    }
  };
}
