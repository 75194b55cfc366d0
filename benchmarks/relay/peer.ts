/** A mail server under measurement, and how it is started, found ready and ended. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../test/support/ports.ts';
import type { PeerName } from './options.ts';
import { listTree } from './process-tree.ts';

export interface Peer {
  readonly name: PeerName;
  /** For people, with its version. */
  readonly title: string;
  /** Takes mail for `sink.example`. */
  readonly port: number;
  /** Where it relays to, on loopback. */
  readonly sinkPort: number;
  /** All its processes are this one and those below it. */
  readonly rootPid: number;
  /** Graceful within its bound, then by force; nothing is left. */
  readonly stop: () => Promise<void>;
}

/** Resolves once a server greets with 220 on loopback. */
export async function waitForGreeting(port: number, timeoutMs = 20_000): Promise<void> {
  await waitFor(`a greeting on port ${port}`, () => greets(port), timeoutMs);
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(5000, () => socket.destroy());
    socket.once('data', (bytes: Buffer) => {
      resolve(bytes.toString('latin1', 0, 3) === '220');
      socket.end('QUIT\r\n');
    });
    socket.on('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

/** SIGTERM to the root; what lives after the grace is killed, by process id. */
export async function endTree(root: number, graceMs: number): Promise<void> {
  const seen = new Set(listTree(root));
  signal(root, 'SIGTERM');
  const end = Date.now() + graceMs;
  while (Date.now() < end && [...seen].some(lives)) await sleep(50);
  for (const pid of [...seen, ...listTree(root)]) if (lives(pid)) signal(pid, 'SIGKILL');
}

function lives(pid: number): boolean {
  return signal(pid, 0);
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
