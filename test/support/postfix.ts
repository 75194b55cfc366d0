/**
 * A real Postfix on loopback for interop tests: own configuration, queue and log in a temporary
 * folder, stopped and removed afterwards. Needs root and Debian's `postfix`.
 */
import { execFile } from 'node:child_process';
import {
  access,
  chmod,
  chown,
  cp,
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
import { freePort, waitForPort } from './ports.ts';

const run = promisify(execFile);

export interface Postfix {
  readonly port: number;
  /** Port with TLS from the first byte; null where none was asked for. */
  readonly implicitTlsPort: number | null;
  /** Lines of its log so far. */
  log(): Promise<string>;
  /** Messages delivered to its mailboxes, as text, in no order. */
  messages(): Promise<readonly string[]>;
  /** `mailq` as JSON lines. */
  queue(): Promise<string>;
  /** Tries everything queued now. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/** Null where this machine can run the tests; else why not, and what to install. */
export async function whyNoPostfix(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'Postfix interop needs root';
  try {
    await access('/usr/sbin/postfix');
    return null;
  } catch {
    return 'Postfix is missing: apt-get install postfix';
  }
}

/** `main` overrides main.cf; `domains` are delivered to a Maildir, all else is relayed. */
export async function startPostfix(options: {
  readonly domains?: readonly string[];
  readonly main?: Readonly<Record<string, string>>;
  readonly implicitTls?: boolean;
}): Promise<Postfix> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-postfix-'));
  await chmod(folder, 0o755);
  const [conf, queue, data, mail] = ['conf', 'queue', 'data', 'mail'].map((n) =>
    join(folder, n),
  ) as [string, string, string, string];
  for (const path of [conf, queue, data, mail]) await mkdir(path);
  const postfixUser = await idOf('postfix');
  const nobody = await idOf('nobody');
  await chown(data, postfixUser, postfixUser);
  await chown(mail, nobody, nobody);
  const port = await freePort();
  const implicitTlsPort = options.implicitTls === true ? await freePort() : null;
  const logFile = join(folder, 'postfix.log');
  await writeFile(join(conf, 'master.cf'), masterCf(port, implicitTlsPort));
  await cp('/etc/postfix/dynamicmaps.cf', join(conf, 'dynamicmaps.cf')).catch(() => undefined);
  const settings = {
    ...baseSettings({ queue, data, mail, logFile, nobody }),
    ...domainSettings(options.domains ?? []),
    ...options.main,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`);
  await writeFile(join(conf, 'main.cf'), lines.join(''));
  await run('/usr/sbin/postfix', ['-c', conf, 'start']);
  await waitForPort(port);
  return {
    port,
    implicitTlsPort,
    log: () => readFile(logFile, 'utf8').catch(() => ''),
    messages: () => readMaildir(join(mail, 'all')),
    queue: async () => (await run('/usr/sbin/postqueue', ['-c', conf, '-j'])).stdout,
    flush: async () => {
      await run('/usr/sbin/postqueue', ['-c', conf, '-f']);
    },
    stop: async () => {
      await run('/usr/sbin/postfix', ['-c', conf, 'abort']).catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function idOf(user: string): Promise<number> {
  return Number((await run('id', ['-u', user])).stdout);
}

function masterCf(port: number, implicitTlsPort: number | null): string {
  const internal = 'unix n - n';
  const lines = [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    `pickup ${internal} 60 1 pickup`,
    `cleanup unix n - n - 0 cleanup`,
    `qmgr unix n - n 300 1 qmgr`,
    `tlsmgr unix - - n 1000? 1 tlsmgr`,
    `rewrite unix - - n - - trivial-rewrite`,
    `bounce unix - - n - 0 bounce`,
    `defer unix - - n - 0 bounce`,
    `trace unix - - n - 0 bounce`,
    `verify unix - - n - 1 verify`,
    `flush unix n - n 1000? 0 flush`,
    `smtp unix - - n - - smtp`,
    `relay unix - - n - - smtp`,
    `showq unix n - n - - showq`,
    `error unix - - n - - error`,
    `retry unix - - n - - error`,
    `discard unix - - n - - discard`,
    `local unix - n n - - local`,
    `virtual unix - n n - - virtual`,
    `anvil unix - - n - 1 anvil`,
    `scache unix - - n - 1 scache`,
    `postlog unix-dgram n - n - 1 postlogd`,
  ];
  if (implicitTlsPort !== null) {
    lines.push(`127.0.0.1:${implicitTlsPort} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes`);
  }
  return `${lines.join('\n')}\n`;
}

function baseSettings(paths: {
  readonly queue: string;
  readonly data: string;
  readonly mail: string;
  readonly logFile: string;
  readonly nobody: number;
}): Record<string, string> {
  return {
    compatibility_level: '3.6',
    queue_directory: paths.queue,
    data_directory: paths.data,
    maillog_file: paths.logFile,
    maillog_file_prefixes: '/tmp, /var',
    myhostname: 'mx.partner.test',
    mydestination: '',
    local_recipient_maps: '',
    alias_maps: '',
    mynetworks: '127.0.0.0/8',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    smtp_dns_support_level: 'disabled',
    smtp_host_lookup: 'native',
    smtpd_tls_loglevel: '1',
    smtp_tls_loglevel: '1',
    minimal_backoff_time: '5s',
    queue_run_delay: '5s',
    biff: 'no',
    virtual_mailbox_base: paths.mail,
    virtual_uid_maps: `static:${paths.nobody}`,
    virtual_gid_maps: `static:${paths.nobody}`,
    message_size_limit: '104857600',
    virtual_mailbox_limit: '0',
  };
}

function domainSettings(domains: readonly string[]): Record<string, string> {
  if (domains.length === 0) return {};
  return { virtual_mailbox_domains: domains.join(', '), virtual_mailbox_maps: 'static:all/' };
}

async function readMaildir(folder: string): Promise<readonly string[]> {
  const names = await readdir(join(folder, 'new')).catch(() => [] as string[]);
  return Promise.all(names.map((name) => readFile(join(folder, 'new', name), 'latin1')));
}
