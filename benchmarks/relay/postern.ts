/**
 * Postern as an administrator of a busy relay would run it: one MX listener, an internal-relay
 * domain, and a connector that forces TLS with the sink, verified by CA and name.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../test/support/ports.ts';
import type { Peer } from './peer.ts';
import { endTree, waitForGreeting } from './peer.ts';
import type { Workshop } from './workshop.ts';

const mainFile = fileURLToPath(new URL('../../src/app/main.ts', import.meta.url));
const manifestFile = new URL('../../package.json', import.meta.url);

/** `environment` is added to the gateway's own, as for a profile. */
export async function startPostern(
  workshop: Workshop,
  environment: Readonly<Record<string, string>> = {},
): Promise<Peer> {
  const folder = join(workshop.folder, 'postern');
  await mkdir(folder, { recursive: true });
  const [port, sinkPort] = [await freePort(), await freePort()];
  const configFile = join(folder, 'postern.yaml');
  await writeFile(configFile, JSON.stringify(configOf(workshop, port, sinkPort), null, 2));
  const logFile = join(folder, 'postern.log');
  const log = await open(logFile, 'w');
  const child = spawn(process.execPath, [mainFile, 'serve', '--config', configFile], {
    cwd: folder,
    stdio: ['ignore', log.fd, log.fd],
    env: { ...process.env, ...environment },
  });
  await once(child, 'spawn');
  await log.close();
  const rootPid = child.pid!;
  const stop = () => endTree(rootPid, 30_000);
  try {
    await Promise.race([waitForGreeting(port), died(child)]);
  } catch (cause) {
    await stop();
    const said = (await readFile(logFile, 'utf8')).slice(-4000);
    throw new Error(`Postern did not start:\n${said}`, { cause });
  }
  const { version } = JSON.parse(await readFile(manifestFile, 'utf8')) as { version: string };
  return { name: 'postern', title: `Postern ${version}`, port, sinkPort, rootPid, stop };
}

async function died(child: ReturnType<typeof spawn>): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null];
  throw new Error(`it ended with ${code}`);
}

/** All other keys keep their defaults: durable queue, log level `info`, trace, client certificates. */
function configOf(workshop: Workshop, port: number, sinkPort: number): object {
  const { certificate, key } = workshop.mta;
  return {
    hostName: 'mta.example',
    dataFolder: './data',
    ...(process.getuid?.() === 0 ? { user: 'root' } : {}),
    listeners: [{ name: 'mx', host: '127.0.0.1', port, kind: 'mx' }],
    certificates: { mta: { certificate, key } },
    serverCertificates: 'mta',
    network: { allow: ['127.0.0.0/8'], allowPorts: [sinkPort] },
    limits: {
      sessionsPerAddressMax: 1000,
      sessionsPerAddressPerMinute: 10_000_000,
      handshakesPerAddressPerMinute: 10_000_000,
    },
    organizations: [
      {
        id: 'benchmark',
        acceptedDomains: [{ domain: 'sink.example', type: 'InternalRelay', recipients: 'any' }],
        outboundConnectors: [
          {
            name: 'To the sink',
            recipientDomains: ['sink.example'],
            smartHosts: [`127.0.0.1:${sinkPort}`],
            tlsSettings: 'DomainValidation',
            tlsDomain: 'sink.example',
            anchors: workshop.caFile,
          },
        ],
      },
    ],
  };
}
