/**
 * A real OpenSMTPD on loopback for interop tests. It relays all that it takes to a partner of ours,
 * which shows what it understood.
 *
 * As packages Postfix and OpenSMTPD exclude each other, so the binary may lie anywhere:
 * POSTERN_TEST_OPENSMTPD names it. Its folders are compiled in; they are mounted for this process
 * alone, in a mount namespace of its own, so that nothing of the machine is touched. Needs root,
 * and the users opensmtpd and opensmtpq.
 */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { access, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import { freePort, waitForPort } from './ports.ts';

const run = promisify(execFile);
const binary = process.env['POSTERN_TEST_OPENSMTPD'] ?? '/usr/sbin/smtpd';

export interface OpenSmtpd {
  readonly port: number;
  log(): Promise<string>;
  /** What it relayed, as text, in no order. */
  messages(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** Null where this machine can run the tests; else why not, and what to install. */
export async function whyNoOpenSmtpd(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'OpenSMTPD interop needs root';
  try {
    await access(binary);
    for (const user of ['opensmtpd', 'opensmtpq']) await run('id', ['-u', user]);
  } catch {
    return 'OpenSMTPD is missing: apt-get install opensmtpd, or name its binary in POSTERN_TEST_OPENSMTPD and add the users opensmtpd and opensmtpq';
  }
  try {
    await run('unshare', ['-m', 'true']);
    return null;
  } catch {
    return 'OpenSMTPD interop needs a mount namespace: run it where `unshare -m` is allowed';
  }
}

export async function startOpenSmtpd(): Promise<OpenSmtpd> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-opensmtpd-'));
  const partner = await startFakePartner({ extensions: ['SIZE 104857600', '8BITMIME'] });
  const port = await freePort();
  const config = join(folder, 'smtpd.conf');
  await writeFile(config, configText(port, partner.port), { mode: 0o600 });
  const script = join(folder, 'run.sh');
  await writeFile(script, privateFolders);
  const logFile = join(folder, 'log');
  const log = await open(logFile, 'a');
  const child = spawn('unshare', ['-m', 'sh', '-e', script, binary, config], {
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
  const readLog = (): Promise<string> => readFile(logFile, 'utf8').catch(() => '');
  const stop = async (): Promise<void> => {
    await ended(child);
    await partner.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await waitForPort(port);
  } catch (cause) {
    const said = await readLog();
    await stop();
    throw new Error(`OpenSMTPD did not start:\n${said}`, { cause });
  }
  return {
    port,
    log: readLog,
    messages: () =>
      Promise.resolve(partner.messages.map(({ content }) => content.toString('latin1'))),
    stop,
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await gone;
}

/** A resolver that answers nobody at once: it looks up the names of its clients. */
const privateFolders = `mount -t tmpfs tmpfs /var/lib
mkdir -p /var/lib/opensmtpd/empty
mount -t tmpfs tmpfs /var/spool
mkdir -m 711 /var/spool/smtpd
mount -t tmpfs tmpfs /run
echo 'nameserver 127.0.0.1' > /run/resolv.conf
mount --bind /run/resolv.conf /etc/resolv.conf
exec "$1" -d -f "$2"
`;

function configText(port: number, relayPort: number): string {
  return `listen on 127.0.0.1 port ${port} hostname mx.partner.test
action "relay" relay host "smtp+notls://127.0.0.1:${relayPort}" helo mx.partner.test
match from any for any action "relay"
`;
}
