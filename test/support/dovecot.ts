/**
 * A real Dovecot that keeps mailboxes, spoken to by LMTP on a Unix socket and on TCP with STARTTLS: own
 * configuration, mail and log in a temporary folder, stopped and removed afterwards. Needs root and
 * Debian's `dovecot-lmtpd`.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  access,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, waitFor, waitForPort } from './ports.ts';

const run = promisify(execFile);

export interface Dovecot {
  /** Path of its Unix socket. */
  readonly path: string;
  readonly port: number;
  log(): Promise<string>;
  /** What is in a user's Maildir, in no order. */
  mailbox(user: string): Promise<readonly Buffer[]>;
  stop(): Promise<void>;
}

/** Null where this machine can run it; else why not, and what to install. */
export async function whyNoDovecot(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'Dovecot interop needs root';
  try {
    await access('/usr/lib/dovecot/lmtp');
    return null;
  } catch {
    return 'Dovecot is missing: apt-get install dovecot-core dovecot-lmtpd';
  }
}

export interface DovecotOptions {
  /** Local-parts; the domain is not looked at. */
  readonly users: readonly string[];
  /** Whose Maildir cannot be written to. */
  readonly broken?: readonly string[];
  readonly certificateFile: string;
  readonly keyFile: string;
}

export async function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  // Short, since a Unix socket's path has 107 octets.
  const folder = await mkdtemp(join(tmpdir(), 'dove-'));
  await chmod(folder, 0o755);
  const mail = join(folder, 'mail');
  await mkdir(mail);
  const nobody = Number((await run('id', ['-u', 'nobody'])).stdout);
  await chown(mail, nobody, nobody);
  for (const user of options.broken ?? []) await mkdir(join(mail, user), { mode: 0o700 });
  const port = await freePort();
  const users = options.users.map(
    (user) => `${user}:{PLAIN}secret:${nobody}:${nobody}::${mail}/${user}\n`,
  );
  await writeFile(join(folder, 'users'), users.join(''));
  const conf = join(folder, 'dovecot.conf');
  await writeFile(conf, dovecotConf(folder, port, options));
  const server = spawn('/usr/sbin/dovecot', ['-F', '-c', conf], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  const path = join(folder, 'lmtp.sock');
  await waitForPort(port);
  await waitFor('its socket', () =>
    access(path).then(
      () => true,
      () => null,
    ),
  );
  return {
    path,
    port,
    log: () => readFile(join(folder, 'log'), 'utf8').catch(() => ''),
    mailbox: (user) => readNew(join(mail, user, 'Maildir', 'new')),
    stop: async () => {
      server.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function dovecotConf(folder: string, port: number, { certificateFile, keyFile }: DovecotOptions) {
  const users = `username_format=%n ${folder}/users`;
  return `
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
protocols = lmtp
mail_location = maildir:~/Maildir
first_valid_uid = 1
auth_username_format = %n
ssl = yes
ssl_cert = <${certificateFile}
ssl_key = <${keyFile}
ssl_min_protocol = TLSv1.2
passdb {
  driver = passwd-file
  args = ${users}
}
userdb {
  driver = passwd-file
  args = ${users}
}
service lmtp {
  unix_listener ${folder}/lmtp.sock {
    mode = 0666
  }
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${port}
    ssl = no
  }
}
`;
}

async function readNew(folder: string): Promise<readonly Buffer[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  return Promise.all(names.map((name) => readFile(join(folder, name))));
}
