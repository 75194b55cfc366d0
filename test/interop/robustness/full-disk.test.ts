/**
 * A disk that fills up: new mail is put off, what is queued still leaves, and nothing is lost. On a
 * small file system of its own where we may mount one.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startFakePartner } from '../../../src/testing/fake-partner.ts';
import { prepareGateway } from '../../support/gateway.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { gatewaySetup, smartHost } from '../../support/gateway-config.ts';
import { waitFor } from '../../support/ports.ts';
import { connectRaw } from '../../../src/testing/raw-client.ts';

const mib = 1024 * 1024;
const line = `${'x'.repeat(76)}\r\n`;
const bodies = { small: line.repeat(300), spooled: line.repeat(8000) };
let mayDeliver = false;
const partner = await startFakePartner({
  reply: ({ command }) => (command === 'MAIL' && !mayDeliver ? '451 4.3.0 later' : null),
});
const mounted: string[] = [];
const gateways: RunningGateway[] = [];

after(async () => {
  for (const gateway of gateways) await gateway.kill();
  for (const folder of mounted) execFileSync('umount', ['-l', folder]);
  for (const gateway of gateways) await gateway.remove();
  await partner.close();
});

function mayMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

async function start(freeDisk: string): Promise<RunningGateway> {
  const setup = await gatewaySetup({
    peerPorts: [partner.port],
    organization: {
      acceptedDomains: [
        { domain: 'example.test' },
        { domain: 'in.test', type: 'InternalRelay', recipients: 'any' },
      ],
      outboundConnectors: [
        { name: 'inside', recipientDomains: 'in.test', smartHosts: smartHost(partner.port) },
      ],
    },
    top: { limits: { freeDisk } },
  });
  const gateway = await prepareGateway(setup);
  gateways.push(gateway);
  await mkdir(gateway.dataFolder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', gateway.dataFolder]);
  mounted.push(gateway.dataFolder);
  await gateway.start();
  return gateway;
}

/** Sends until one is refused; the subjects of the accepted and the refusal. */
async function fill(
  gateway: RunningGateway,
  name: string,
): Promise<{ readonly accepted: string[]; readonly refusal: string }> {
  const client = await connectRaw({ port: gateway.port('mx'), timeoutMs: 10_000 });
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  const accepted: string[] = [];
  for (;;) {
    const subject = `${name}-${accepted.length}`;
    const mail = await client.command('MAIL FROM:<a@sender.test>');
    if (mail.code !== 250) return { accepted, refusal: `MAIL ${mail.text}` };
    await client.command('RCPT TO:<a@in.test>', 250);
    await client.command('DATA', 354);
    const body = accepted.length % 3 === 0 ? bodies.spooled : bodies.small;
    await client.send(`From: a@sender.test\r\nSubject: ${subject}\r\n\r\n${body}.\r\n`);
    const end = await client.reply();
    if (end.code !== 250) return { accepted, refusal: `content ${end.text}` };
    accepted.push(subject);
  }
}

function subjects(): string[] {
  return partner.messages.map(
    ({ content }) => /^Subject: (\S+)/m.exec(content.toString('latin1', 0, 4000))![1]!,
  );
}

async function spoolFiles(gateway: RunningGateway): Promise<string[]> {
  const names = await readdir(join(gateway.dataFolder, 'spool'), { recursive: true });
  return names.filter((name) => /\.(?:msg|tmp)$/.test(name));
}

const skip = mayMount() ? false : 'file systems can be mounted by root only';

test('mail is put off while there is room left to work the queue off', { skip }, async () => {
  mayDeliver = false;
  const gateway = await start('8MiB');
  const { accepted, refusal } = await fill(gateway, 'kept');
  assert.match(refusal, /^MAIL 452 4\.3\.1 /);
  assert(accepted.length > 5, `only ${accepted.length} were accepted`);
  mayDeliver = true;
  await waitFor('an empty queue', async () => (await gateway.queue()).length === 0);
  assert.deepEqual(
    subjects()
      .filter((name) => name.startsWith('kept'))
      .sort(),
    accepted.sort(),
  );
  await waitFor('no spool file', async () => (await spoolFiles(gateway)).length === 0);
  const again = await waitFor('room', async () => {
    const { accepted } = await fill(gateway, 'again');
    return accepted.length > 0;
  });
  assert(again);
  await gateway.stop();
});

test('a disk filled by others costs nothing but time', { skip }, async () => {
  mayDeliver = false;
  const gateway = await start('0');
  await writeFile(join(gateway.dataFolder, 'others'), Buffer.alloc(12 * mib));
  const { accepted, refusal } = await fill(gateway, 'full');
  assert.match(refusal, /^(?:MAIL|content) 452 4\.3\.1 /);
  mayDeliver = true;
  await rm(join(gateway.dataFolder, 'others'));
  await waitFor('an empty queue', async () => (await gateway.queue()).length === 0, 30_000);
  const delivered = subjects().filter((name) => name.startsWith('full'));
  assert.deepEqual(delivered.sort(), accepted.sort());
  await waitFor('no spool file', async () => (await spoolFiles(gateway)).length === 0);
  await gateway.stop();
});
