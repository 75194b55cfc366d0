/**
 * A real Exim on loopback for interop tests, from Debian's exim4-daemon-light (GnuTLS).
 *
 * As packages Postfix and Exim exclude each other, so the binary may lie anywhere:
 * POSTERN_TEST_EXIM names it. Needs root and the user Debian-exim.
 */
import { execFile, spawn } from 'node:child_process';
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
import { freePort, waitForPort } from './ports.ts';

const run = promisify(execFile);
const binary = process.env['POSTERN_TEST_EXIM'] ?? '/usr/sbin/exim4';

export interface Exim {
  readonly port: number;
  log(): Promise<string>;
  messages(): Promise<readonly string[]>;
  /** Tries everything queued now. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/** Null where this machine can run the tests; else why not, and what to install. */
export async function whyNoExim(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'Exim interop needs root';
  try {
    await access(binary);
    await run(binary, ['-bV']).catch((error: { stdout?: string; stderr?: string }) => {
      if (`${error.stdout ?? ''}${error.stderr ?? ''}`.includes('failed to find uid')) throw error;
    });
    return null;
  } catch {
    return 'Exim is missing: apt-get install exim4-daemon-light, or name its binary in POSTERN_TEST_EXIM';
  }
}

/** `certificate` and `key` are files; `smartHost` takes all mail that is not for `domains`. */
export interface EximOptions {
  readonly domains?: readonly string[];
  readonly certificate?: string;
  readonly key?: string;
  readonly smartHost?: {
    readonly port: number;
    readonly transport: Readonly<Record<string, string>>;
  };
  /** Lines for the main section. */
  readonly main?: Readonly<Record<string, string>>;
}

export async function startExim(options: EximOptions): Promise<Exim> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-exim-'));
  await chmod(folder, 0o755);
  const mail = join(folder, 'mail');
  const user = Number((await run('id', ['-u', 'Debian-exim'])).stdout);
  for (const name of ['mail', 'spool', 'log']) {
    await mkdir(join(folder, name));
    await chown(join(folder, name), user, user);
  }
  const port = await freePort();
  const config = join(folder, 'exim.conf');
  await writeFile(config, eximConf(folder, port, options));
  const child = spawn(binary, ['-C', config, '-bdf', '-q1m'], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await waitForPort(port);
  return {
    port,
    log: () => readFile(join(folder, 'log', 'mainlog'), 'utf8').catch(() => ''),
    messages: async () => {
      const names = await readdir(join(mail, 'new')).catch(() => [] as string[]);
      return Promise.all(names.map((name) => readFile(join(mail, 'new', name), 'latin1')));
    },
    flush: async () => {
      await run(binary, ['-C', config, '-qff']).catch(() => undefined);
    },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      // Its deliveries may still write when the daemon has ended.
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

function eximConf(folder: string, port: number, options: EximOptions): string {
  const main: Record<string, string> = {
    exim_path: binary,
    spool_directory: join(folder, 'spool'),
    log_file_path: join(folder, 'log', '%slog'),
    pid_file_path: join(folder, 'exim.pid'),
    local_interfaces: '127.0.0.1',
    daemon_smtp_ports: String(port),
    primary_hostname: 'mx.partner.test',
    acl_smtp_rcpt: 'accept_all',
    acl_smtp_data: 'accept_all',
    host_lookup: '',
    rfc1413_hosts: '',
    never_users: '',
    keep_environment: '',
    log_selector: '+all',
    ...(options.certificate === undefined
      ? {}
      : {
          tls_advertise_hosts: '*',
          tls_certificate: options.certificate,
          tls_privatekey: options.key ?? options.certificate,
        }),
    ...options.main,
  };
  const lines = Object.entries(main).map(([key, value]) => `${key} = ${value}`);
  return `${lines.join('\n')}
domainlist ours = ${(options.domains ?? []).join(' : ')}
begin acl
accept_all:
  accept
begin routers
inside:
  driver = accept
  domains = +ours
  transport = maildir
${options.smartHost === undefined ? '' : outsideRouter}
begin transports
maildir:
  driver = appendfile
  directory = ${join(folder, 'mail')}
  maildir_format
  user = Debian-exim
  create_directory
${options.smartHost === undefined ? '' : outsideTransport(options.smartHost)}
begin retry
* * F,1h,5s
`;
}

const outsideRouter = `outside:
  driver = manualroute
  domains = !+ours
  route_list = * 127.0.0.1 byname
  self = send
  transport = outside`;

function outsideTransport(smartHost: NonNullable<EximOptions['smartHost']>): string {
  const lines = Object.entries(smartHost.transport).map(([key, value]) => `  ${key} = ${value}`);
  return `outside:\n  driver = smtp\n  port = ${smartHost.port}\n  allow_localhost\n${lines.join('\n')}`;
}
