/**
 * Debian's Postfix as its package sets it up, relaying all mail to the sink with TLS forced and
 * verified. Own configuration, queue and data folders; the system's Postfix is not touched.
 */
import { execFile } from 'node:child_process';
import { access, chown, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../test/support/ports.ts';
import type { Peer } from './peer.ts';
import { endTree, waitForGreeting } from './peer.ts';
import type { Workshop } from './workshop.ts';

const run = promisify(execFile);
const timeout = 30_000;

/** Throws an Error where Postfix is missing or the user is not root. */
export async function startPostfix(workshop: Workshop): Promise<Peer> {
  if (process.getuid?.() !== 0) throw new Error('measuring Postfix needs root');
  await access('/etc/postfix/master.cf.proto').catch(() => {
    throw new Error('Postfix is missing: apt-get install postfix');
  });
  const folder = join(workshop.folder, 'postfix');
  const [conf, queue, data] = ['conf', 'queue', 'data'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [conf, queue, data]) await mkdir(path, { recursive: true });
  const user = Number((await run('id', ['-u', 'postfix'])).stdout);
  await chown(data, user, user);
  const [port, sinkPort] = [await freePort(), await freePort()];
  await writeFile(join(conf, 'master.cf'), await masterCf(port));
  await cp('/etc/postfix/dynamicmaps.cf', join(conf, 'dynamicmaps.cf')).catch(() => undefined);
  const lines = Object.entries(mainCf({ queue, data, sinkPort, workshop }));
  await writeFile(
    join(conf, 'main.cf'),
    lines.map(([key, value]) => `${key} = ${value}\n`).join(''),
  );
  await run('/usr/sbin/postfix', ['-c', conf, 'start'], { timeout });
  const rootPid = Number((await readFile(join(queue, 'pid/master.pid'), 'utf8')).trim());
  const stop = () => endTree(rootPid, 10_000);
  try {
    await waitForGreeting(port);
  } catch (error) {
    await stop();
    throw error;
  }
  const version = (await run('/usr/sbin/postconf', ['-dh', 'mail_version'])).stdout.trim();
  return { name: 'postfix', title: `Postfix ${version}`, port, sinkPort, rootPid, stop };
}

/** Debian's services as they are, but for the port, and without chroot, whose files are not here. */
async function masterCf(port: number): Promise<string> {
  const text = await readFile('/etc/postfix/master.cf.proto', 'utf8');
  return text
    .replace(/^smtp +inet .*$/m, `127.0.0.1:${port} inet n - n - - smtpd`)
    .replace(/^([a-z]+ +(?:unix|inet) +[-yn]+ +[-yn]+ +)y/gm, '$1n');
}

function mainCf(parts: {
  readonly queue: string;
  readonly data: string;
  readonly sinkPort: number;
  readonly workshop: Workshop;
}): Readonly<Record<string, string>> {
  const { workshop } = parts;
  return {
    compatibility_level: '3.6',
    queue_directory: parts.queue,
    data_directory: parts.data,
    myhostname: 'mta.example',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    mydestination: '',
    local_recipient_maps: '',
    alias_maps: '',
    biff: 'no',
    mynetworks: '127.0.0.0/8',
    relay_domains: 'sink.example',
    relayhost: `[127.0.0.1]:${parts.sinkPort}`,
    smtp_dns_support_level: 'disabled',
    smtp_host_lookup: 'native',
    message_size_limit: '104857600',
    smtpd_tls_security_level: 'encrypt',
    smtpd_tls_chain_files: workshop.mta.both,
    smtp_tls_security_level: 'secure',
    smtp_tls_CAfile: workshop.caFile,
    smtp_tls_secure_cert_match: 'sink.example',
  };
}
