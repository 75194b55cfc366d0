/** Checks of the machine: clock, disk, data folder, file limits, Node. */
import { execFile } from 'node:child_process';
import { access, open, readFile, stat, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Finding } from '../../cli/offline-doctor.ts';
import type { Config } from '../../config/config.ts';
import { findUserIds } from '../privileges.ts';
import { tell } from './finding.ts';

const run = promisify(execFile);
const dayMs = 86_400_000;

/** Whether somebody keeps the clock right; what the kernel's time service says, and no more. */
export async function checkClock(nowMs: number, releasedAtMs: number): Promise<Finding[]> {
  const say = tell('clock', 'clock');
  const shown = new Date(nowMs).toISOString();
  if (nowMs < releasedAtMs) {
    const text = `it is ${shown} here, before this program was installed`;
    return [say.fail(text, 'set the clock: certificates are judged by it')];
  }
  const isSynchronized = await readSynchronized();
  if (isSynchronized === null) {
    return [say.unknown(`it is ${shown}; whether a time service keeps it right is not known here`)];
  }
  return [
    isSynchronized
      ? say.ok(`it is ${shown}, kept right by a time service`)
      : say.warn(
          `it is ${shown}, and no time service keeps it right`,
          'run one, as systemd-timesyncd or chrony',
        ),
  ];
}

async function readSynchronized(): Promise<boolean | null> {
  const isMarked = await exists('/run/systemd/timesync/synchronized');
  if (isMarked) return true;
  const words = ['show', '--property=NTPSynchronized', '--value'];
  const asked = await run('timedatectl', words, { timeout: 3000 }).catch(() => null);
  const answer = asked?.stdout.trim();
  return answer === 'yes' ? true : answer === 'no' ? false : null;
}

/** Free space against the bound at which new mail is put off. */
export async function checkDisk({ dataFolder, limits }: Config): Promise<Finding[]> {
  const say = tell('disk', dataFolder);
  const { bavail, bsize, files, ffree } = await statfs(dataFolder);
  const free = bavail * bsize;
  const shown = `${megabytes(free)} free, new mail is put off below ${megabytes(limits.freeDiskBytes)}`;
  const mend = 'free space on the disk of the data folder';
  const findings: Finding[] = [];
  if (free < limits.freeDiskBytes) findings.push(say.fail(shown, mend));
  else if (free < 4 * limits.freeDiskBytes) findings.push(say.warn(shown, mend));
  else findings.push(say.ok(shown));
  if (files > 0 && ffree < 10_000) findings.push(say.warn(`only ${ffree} inodes are free`, mend));
  return [...findings, await checkSync(dataFolder)];
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024)} MiB`;
}

const syncSlowMs = 50;
const syncTooSlowMs = 1000;
const syncs = 5;

/** Each message waits for the disk: the middle of five small writes that were made sure. */
async function checkSync(dataFolder: string): Promise<Finding> {
  const say = tell('disk', 'fsync');
  const file = join(dataFolder, `.doctor-${process.pid}`);
  const times: number[] = [];
  try {
    await using handle = await open(file, 'wx', 0o600);
    for (let n = 0; n < syncs; n++) {
      const begin = performance.now();
      await handle.write(Buffer.alloc(4096, n));
      await handle.sync();
      times.push(performance.now() - begin);
    }
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    return say.unknown(`the data folder cannot be written by this user (${code})`);
  } finally {
    await unlink(file).catch(() => undefined);
  }
  const middle = times.sort((a, b) => a - b)[Math.floor(syncs / 2)]!;
  const shown = `a write is safe on the disk after ${middle.toFixed(1)} ms`;
  const mend = 'put the data folder on a faster disk; each message waits for it';
  if (middle > syncTooSlowMs) return say.fail(shown, mend);
  return middle > syncSlowMs ? say.warn(shown, mend) : say.ok(shown);
}

/** Private to the user that the gateway runs as. */
export async function checkDataFolder({ dataFolder, user }: Config): Promise<Finding[]> {
  const say = tell('data-folder', dataFolder);
  const stats = await stat(dataFolder).catch(() => null);
  if (stats === null) {
    return [
      say.warn('it does not exist, or may not be seen by this user', 'start the gateway once'),
    ];
  }
  const findings: Finding[] = [];
  const mode = stats.mode & 0o777;
  if ((mode & 0o077) !== 0) {
    const text = `mode ${mode.toString(8)}: other users may look into mail and keys`;
    findings.push(say.fail(text, `chmod 700 ${dataFolder}`));
  }
  const owner = user === null ? null : findUserIds(user);
  if (owner !== null && owner.uid !== stats.uid) {
    const text = `it belongs to user ${stats.uid}, and the gateway runs as ${user} (${owner.uid})`;
    findings.push(say.fail(text, `chown -R ${user} ${dataFolder}`));
  }
  return findings.length > 0 ? findings : [say.ok('private to its user')];
}

/** Files besides sockets: shards, spool, log, certificates. */
const otherFiles = 256;

/** Open files that the bounds may need against what the process may have. */
export async function checkFiles({ limits }: Config, processId: number | null): Promise<Finding[]> {
  const say = tell('files', 'open files');
  const source = processId === null ? 'self' : String(processId);
  const text = await readFile(`/proc/${source}/limits`, 'utf8').catch(() => null);
  const [, soft] = /^Max open files\s+(\S+)/m.exec(text ?? '') ?? [];
  if (soft === undefined) return [say.unknown('the limit of open files cannot be read')];
  const needed = limits.sessionsMax + limits.connectionsMax + otherFiles;
  const whose = processId === null ? 'a process of this user' : 'the gateway';
  const shown = `${whose} may open ${soft} files, ${needed} may be needed`;
  if (soft === 'unlimited' || Number(soft) >= needed) return [say.ok(shown)];
  return [say.fail(shown, 'raise it (LimitNOFILE= in the unit), or lower limits.sessionsMax')];
}

/**
 * The day on which each release line ends.
 * @see https://github.com/nodejs/release#release-schedule
 */
const endOfNode: Readonly<Record<string, string>> = {
  '24': '2028-04-30',
  '25': '2026-06-01',
  '26': '2029-04-30',
};

/** Security fixes end with the release line. */
export function checkNode(version: string, nowMs: number): Finding[] {
  const say = tell('node', `Node.js ${version}`);
  const line = version.split('.')[0]!;
  const end = endOfNode[line];
  if (end === undefined) return [say.unknown(`when Node.js ${line} ends is not known here`)];
  const days = Math.floor((Date.parse(end) - nowMs) / dayMs);
  const mend = 'install a newer release line of Node.js';
  if (days < 0)
    return [say.fail(`Node.js ${line} has ended on ${end}: no fixes come any more`, mend)];
  const text = `Node.js ${line} gets fixes until ${end}`;
  return [days < 90 ? say.warn(text, mend) : say.ok(text)];
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
