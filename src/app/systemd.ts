/**
 * What systemd hands a service and wants to hear from it: sockets that it opened, and the state.
 *
 * @see sd_listen_fds(3), sd_notify(3)
 */
import { execFile } from 'node:child_process';
import type { Log } from '../report/log.ts';

/** A socket that listens already; `name` is its FileDescriptorName, which is the listener's name. */
export interface PassedSocket {
  readonly name: string;
  readonly fd: number;
}

type Environment = Record<string, string | undefined>;

const firstFd = 3;
const socketsMax = 64;
const notifyTimeoutMs = 10_000;

/** The sockets meant for this process, and nobody started by it: the variables are removed. */
export function takePassedSockets(env: Environment, processId: number): readonly PassedSocket[] {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = env;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name];
  const count = Number(LISTEN_FDS ?? 0);
  if (Number(LISTEN_PID) !== processId || !Number.isSafeInteger(count)) return [];
  const names = (LISTEN_FDNAMES ?? '').split(':');
  return Array.from({ length: Math.min(count, socketsMax) }, (_, place) => ({
    name: names[place] ?? '',
    fd: firstFd + place,
  }));
}

export interface ServiceManager {
  /** Resolves when the manager knows it, or cannot be told; never rejects. */
  tell(state: 'READY=1' | 'RELOADING=1' | 'STOPPING=1', status: string): Promise<void>;
}

/** Does nothing where nobody wants to hear of us. One word after the other, in their order. */
export function findServiceManager(env: Environment, log: Log): ServiceManager {
  if ((env['NOTIFY_SOCKET'] ?? '') === '') return { tell: () => Promise.resolve() };
  let last = Promise.resolve();
  const tell = (...words: readonly string[]): Promise<void> => {
    last = last.then(() => notify(words, log));
    return last;
  };
  return { tell: (state, status) => tell(state, `STATUS=${status}`) };
}

function notify(words: readonly string[], log: Log): Promise<void> {
  return new Promise((resolve) => {
    const options = { timeout: notifyTimeoutMs };
    execFile('systemd-notify', [`--pid=${process.pid}`, ...words], options, (error) => {
      if (error !== null) log.warn({ err: error }, 'systemd could not be told of our state');
      resolve();
    });
  });
}
