/**
 * Postern and Debian's Postfix as relays, in alternation on one machine: load → mail server → sink
 * on loopback, TLS on both legs, the next hop's certificate verified, each message durable before it
 * is accepted. What the figures mean stands in `README.md`.
 *
 *     node benchmarks/throughput.ts [--help]
 */
import type { Cell } from './relay/compare.ts';
import { createWaitForQuiet, measureCell } from './relay/compare.ts';
import type { Closers } from './relay/closers.ts';
import { createClosers } from './relay/closers.ts';
import { describeMachine } from './relay/machine.ts';
import type { ThroughputOptions } from './relay/options.ts';
import { parseThroughputOptions, usage } from './relay/options.ts';
import type { Peer } from './relay/peer.ts';
import { startPostern } from './relay/postern.ts';
import { startPostfix } from './relay/postfix.ts';
import type { Result } from './relay/table.ts';
import { formatResult } from './relay/table.ts';
import type { Workshop } from './relay/workshop.ts';
import { warmUp } from './relay/warm-up.ts';
import { openWorkshop } from './relay/workshop.ts';

const starters = { postfix: startPostfix, postern: startPostern };

async function main(options: ThroughputOptions): Promise<number> {
  const closers = createClosers(options.minutesMax);
  try {
    const workshop = await openWorkshop(options.folder);
    closers.add(workshop.remove);
    const result = await measure(workshop, options, closers);
    const text = options.json ? JSON.stringify(result, null, 2) : formatResult(result);
    process.stdout.write(`${text}\n`);
    return result.problems.length === 0 ? 0 : 1;
  } finally {
    await closers.closeAll();
  }
}

async function measure(
  workshop: Workshop,
  options: ThroughputOptions,
  closers: Closers,
): Promise<Result> {
  const at = new Date().toISOString();
  const machine = describeMachine(workshop.folder);
  if (machine.filesystem === 'tmpfs') {
    throw new Error(`${options.folder} is in memory: name a folder on a disk with --folder`);
  }
  const peers: Peer[] = [];
  for (const name of options.peers) {
    peers.push(await startPeer(starters[name](workshop), closers));
  }
  for (const peer of peers) await warmUp(workshop, peer, options.warmUpSeconds);
  const waitForQuiet = createWaitForQuiet(options.patienceSeconds);
  const { sizeBytes, hasQuickAck, runs, seconds } = options;
  const cells: Cell[] = [];
  for (const perSession of options.perSession) {
    for (const sessions of options.sessions) {
      const settings = { sessions, perSession, sizeBytes, hasQuickAck, runs, seconds };
      const cell = await measureCell(workshop, peers, settings, waitForQuiet);
      cells.push(cell);
      console.error(`${sessions} × ${perSession}: ${progressOf(cell)}`);
    }
  }
  return {
    formatVersion: 1,
    at,
    command: `node benchmarks/throughput.ts ${process.argv.slice(2).join(' ')}`.trim(),
    machine,
    titles: Object.fromEntries(peers.map(({ name, title }) => [name, title])),
    cells,
    problems: cells.flatMap((cell) => cell.problems),
  };
}

/** Ended also where the benchmark is interrupted while it starts. */
function startPeer(starting: Promise<Peer>, closers: Closers): Promise<Peer> {
  closers.add(async () => {
    const peer = await starting.catch(() => null);
    await peer?.stop();
  });
  return starting;
}

function progressOf(cell: Cell): string {
  const rates = Object.entries(cell.peers).map(
    ([name, { runs }]) =>
      `${name} ${runs.map((run) => run.deliveredRate.toFixed(0)).join(' ')} delivered/s`,
  );
  return [...rates, ...cell.problems].join('; ');
}

try {
  const options = parseThroughputOptions(process.argv.slice(2));
  if (options === 'help') console.log(usage);
  else process.exitCode = await main(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
