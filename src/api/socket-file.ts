/**
 * The Unix socket's place on disk: a 0700 folder of the gateway's own user, since opening the socket
 * is being the gateway's administrator.
 */
import type { Stats } from 'node:fs';
import { lstat, mkdir, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { Failure } from '../mail/failure.ts';

/** Bytes of a socket's path that the kernel takes (sockaddr_un, without the final NUL). */
export const socketPathBytesMax = 107;

const probeTimeoutMs = 2000;

/**
 * Makes the folder if it is missing, refuses one that others may enter or own, and removes a socket
 * file on which nobody answers. Throws a Failure (`api-socket-…`).
 */
export async function prepareSocketFile(socketPath: string): Promise<void> {
  if (Buffer.byteLength(socketPath) > socketPathBytesMax) {
    const message = `the socket's path has more than ${socketPathBytesMax} bytes: ${socketPath}`;
    throw new Failure('api-socket-path-too-long', message);
  }
  const folder = dirname(socketPath);
  await attempt(`cannot make the folder ${folder}`, () =>
    mkdir(folder, { recursive: true, mode: 0o700 }),
  );
  const stats = await attempt(`cannot look at the folder ${folder}`, () => lstat(folder));
  const problem = judgeSocketFolder(stats, process.geteuid?.() ?? 0);
  if (problem !== null) {
    throw new Failure('api-socket-folder-unsafe', `the socket's folder ${folder} ${problem}`);
  }
  await removeStaleSocket(socketPath);
}

/** Why a folder may not hold the socket, as the end of a sentence; null where it may. */
export function judgeSocketFolder(
  stats: Pick<Stats, 'isDirectory' | 'uid' | 'mode'>,
  ownUserId: number,
): string | null {
  if (!stats.isDirectory()) return 'is no folder (a link to one is not accepted)';
  if (stats.uid !== ownUserId) {
    return `belongs to user ${stats.uid}, not to the gateway's user ${ownUserId}`;
  }
  const mode = stats.mode & 0o777;
  if ((mode & 0o077) === 0) return null;
  return `may be entered by others (mode ${mode.toString(8).padStart(4, '0')}, not 0700)`;
}

async function removeStaleSocket(socketPath: string): Promise<void> {
  const stats = await attempt(`cannot look at ${socketPath}`, () => lstatOrNull(socketPath));
  if (stats === null) return;
  if (!stats.isSocket()) {
    const message = `${socketPath} exists and is no socket`;
    throw new Failure('api-socket-not-a-socket', message);
  }
  if (await isAnswered(socketPath)) {
    throw new Failure('api-socket-in-use', `a gateway already answers on ${socketPath}`);
  }
  await attempt(`cannot remove the stale socket ${socketPath}`, () => unlinkIfThere(socketPath));
}

/** Only a refused connection proves that nobody listens; a full backlog or silence does not. */
function isAnswered(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path: socketPath });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(probeTimeoutMs, () => finish(true));
    socket.once('connect', () => finish(true));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      finish(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}

async function lstatOrNull(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function attempt<Result>(what: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure('api-socket-failed', `${what}: ${reason}`, { cause: error });
  }
}
