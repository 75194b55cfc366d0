/** The command line of the relay benchmarks: numbers, lists of numbers and names, with bounds. */
import { parseArgs } from 'node:util';

export type PeerName = 'postfix' | 'postern';

export interface ThroughputOptions {
  /** Parallel sessions, ascending: idle processes of a larger run would count as memory. */
  readonly sessions: readonly number[];
  readonly perSession: readonly number[];
  readonly sizeBytes: number;
  readonly peers: readonly PeerName[];
  readonly runs: number;
  /** About how long one run lasts; the number of messages follows from a probe. */
  readonly seconds: number;
  /** About how long each peer is under load before anything is measured. */
  readonly warmUpSeconds: number;
  /** The load acknowledges each segment at once, which hides Nagle delays of the server. */
  readonly hasQuickAck: boolean;
  /** How long all runs together wait for a quiet machine. */
  readonly patienceSeconds: number;
  /** After this the benchmark gives up, whatever it is doing. */
  readonly minutesMax: number;
  /** Where queues lie: a folder on a disk that everybody may enter. */
  readonly folder: string;
  readonly json: boolean;
}

export const usage = `usage: node benchmarks/throughput.ts [options]
  --sessions 1,20,100      parallel sessions
  --per-session 1,100      messages per session
  --size 4096              bytes of a message
  --peers postfix,postern  what is measured, in alternation
  --runs 3                 runs of each; the table shows medians
  --seconds 3              about how long a run lasts
  --warm-up 12             seconds of load on each before anything is measured
  --quickack               hide Nagle delays of the server from the load
  --patience 60            seconds that all runs together may wait for a quiet machine
  --minutes 15             give up after this
  --folder /var/tmp        where queues lie; it must be on a disk
  --json                   print everything as JSON`;

/** Throws an Error that says what is wrong with which option. */
export function parseThroughputOptions(words: readonly string[]): ThroughputOptions | 'help' {
  const { values } = parseArgs({
    args: [...words],
    options: {
      sessions: { type: 'string', default: '1,20,100' },
      'per-session': { type: 'string', default: '1,100' },
      size: { type: 'string', default: '4096' },
      peers: { type: 'string', default: 'postfix,postern' },
      runs: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '3' },
      'warm-up': { type: 'string', default: '12' },
      quickack: { type: 'boolean', default: false },
      patience: { type: 'string', default: '60' },
      minutes: { type: 'string', default: '15' },
      folder: { type: 'string', default: '/var/tmp' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    sessions: readList('sessions', values.sessions, 1000).sort((a, b) => a - b),
    perSession: readList('per-session', values['per-session'], 100_000),
    sizeBytes: readNumber('size', values.size, 512, 50_000_000),
    peers: readPeers(values.peers),
    runs: readNumber('runs', values.runs, 1, 100),
    seconds: readNumber('seconds', values.seconds, 1, 60),
    warmUpSeconds: readNumber('warm-up', values['warm-up'], 0, 600),
    hasQuickAck: values.quickack,
    patienceSeconds: readNumber('patience', values.patience, 0, 3600),
    minutesMax: readNumber('minutes', values.minutes, 1, 600),
    folder: values.folder,
    json: values.json,
  };
}

/** A whole number within bounds. Throws an Error that names the option. */
export function readNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new Error(`--${name} must be a whole number from ${min} to ${max}, not ${text}`);
}

function readList(name: string, text: string, max: number): number[] {
  return text.split(',').map((part) => readNumber(name, part, 1, max));
}

function readPeers(text: string): readonly PeerName[] {
  const names = text.split(',');
  for (const name of names) {
    if (name !== 'postfix' && name !== 'postern') {
      throw new Error(`--peers knows postfix and postern, not ${name}`);
    }
  }
  return [...new Set(names)] as PeerName[];
}
