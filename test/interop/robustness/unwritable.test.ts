/**
 * A data folder that cannot be written any more while the gateway runs (immutable files stand for a
 * file system that went read-only, which none does while files are open), and rights that vanish:
 * new mail is put off, nothing is lost, it goes on by itself, and the log says it once each way.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startFakePartner } from '../../../src/testing/fake-partner.ts';
import { connectRaw } from '../../../src/testing/raw-client.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { prepareGateway } from '../../support/gateway.ts';
import { gatewaySetup, smartHost } from '../../support/gateway-config.ts';
import { waitFor } from '../../support/ports.ts';

let mayDeliver = false;
const partner = await startFakePartner({
  reply: ({ command }) => (command === 'MAIL' && !mayDeliver ? '451 4.3.0 later' : null),
});
const gateways: RunningGateway[] = [];
const immutable: string[] = [];

function setImmutable(files: readonly string[], isImmutable: boolean): void {
  execFileSync('chattr', [isImmutable ? '+i' : '-i', ...files], { stdio: 'pipe' });
}

after(async () => {
  if (immutable.length > 0) setImmutable(immutable, false);
  for (const gateway of gateways) await gateway.remove();
  await partner.close();
});

async function whyNoImmutable(): Promise<string | false> {
  if (process.getuid?.() !== 0) return 'files can be made immutable by root only';
  const folder = await mkdtemp(join(tmpdir(), 'postern-immutable-'));
  const file = join(folder, 'file');
  await writeFile(file, '');
  try {
    setImmutable([file], true);
    setImmutable([file], false);
    return false;
  } catch {
    return `the file system of ${tmpdir()} knows no immutable files`;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function start(user?: string): Promise<RunningGateway> {
  const inside = {
    name: 'inside',
    recipientDomains: 'in.test',
    smartHosts: smartHost(partner.port),
  };
  const setup = await gatewaySetup({
    peerPorts: [partner.port],
    organization: {
      acceptedDomains: [
        { domain: 'example.test' },
        { domain: 'in.test', type: 'InternalRelay', recipients: 'any' },
      ],
      outboundConnectors: [inside],
    },
    ...(user === undefined ? {} : { top: { user } }),
  });
  const gateway = await prepareGateway(setup);
  gateways.push(gateway);
  await chmod(gateway.folder, 0o755);
  await gateway.start();
  return gateway;
}

/** The last reply of an attempt to send: to the content, or to MAIL. */
async function send(gateway: RunningGateway, subject: string, lines = 10, to = 'a@in.test') {
  const client = await connectRaw({ port: gateway.port('mx'), timeoutMs: 10_000 });
  try {
    await client.expect(220);
    await client.command('EHLO client.test', 250);
    const mail = await client.command('MAIL FROM:<a@sender.test>');
    if (mail.code !== 250) return mail;
    await client.command(`RCPT TO:<${to}>`, 250);
    await client.command('DATA', 354);
    const body = `${'x'.repeat(76)}\r\n`.repeat(lines);
    await client.send(`From: a@sender.test\r\nSubject: ${subject}\r\n\r\n${body}.\r\n`);
    return await client.reply();
  } finally {
    client.close();
  }
}

function subjects(name: string): string[] {
  return partner.messages
    .map(({ content }) => /^Subject: (\S+)/m.exec(content.toString('latin1', 0, 4000))![1]!)
    .filter((subject) => subject.startsWith(name))
    .sort();
}

function countLines(gateway: RunningGateway, pattern: RegExp): number {
  return gateway.log().filter(({ msg }) => pattern.test(msg ?? '')).length;
}

async function checkSaidOnce(gateway: RunningGateway): Promise<void> {
  await waitFor('word of the end', () => countLines(gateway, /can be written again/) > 0);
  assert.equal(countLines(gateway, /data folder cannot be written/), 1);
  assert.equal(countLines(gateway, /data folder can be written again/), 1);
  assert.equal(countLines(gateway, /message not taken|could not be stored/), 0);
}

const skipImmutable = await whyNoImmutable();

test('a store that went read-only defers mail and goes on', { skip: skipImmutable }, async () => {
  mayDeliver = false;
  const gateway = await start();
  const kept: string[] = [];
  for (let i = 0; i < 6; i++) {
    const subject = `kept-${i}`;
    assert.equal((await send(gateway, subject, i === 0 ? 8000 : 10)).code, 250);
    kept.push(subject);
  }
  const data = gateway.dataFolder;
  const names = await readdir(data);
  // Not the -shm: memory that is mapped from an immutable file kills whoever writes to it.
  immutable.push(
    ...names.filter((name) => /^queue-0\.db(?:-wal)?$/.test(name)).map((n) => join(data, n)),
  );
  immutable.push(data, join(data, 'spool', '0', 'example'));
  setImmutable(immutable, true);
  for (let i = 0; i < 6; i++) {
    const reply = await send(gateway, `refused-${i}`, i % 2 === 0 ? 8000 : 10);
    assert.match(reply.text, /^45[12] 4\.3\.[01] /);
    // Beyond the second for which MAIL is put off after a failure.
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
  // Results of attempts that end now cannot be stored, and are kept until they can.
  mayDeliver = true;
  await new Promise((resolve) => setTimeout(resolve, 3000));
  setImmutable(immutable, false);
  immutable.length = 0;
  await waitFor('an empty queue', async () => (await gateway.queue()).length === 0, 40_000);
  assert.deepEqual(subjects('kept'), kept);
  assert.deepEqual(subjects('refused'), []);
  await checkSaidOnce(gateway);
  assert.equal((await send(gateway, 'after')).code, 250);
  await gateway.stop();
});

const skipRights = process.getuid?.() === 0 ? false : 'giving up root needs root';

test(
  'rights on spool and mailboxes that vanish defer mail, and it goes on',
  { skip: skipRights },
  async () => {
    mayDeliver = true;
    const gateway = await start('nobody');
    assert.equal((await send(gateway, 'first', 8000)).code, 250);
    const folders = [
      join(gateway.dataFolder, 'spool', '0', 'example'),
      join(gateway.dataFolder, 'mail'),
    ];
    for (const folder of folders) await chmod(folder, 0o000);
    for (let i = 0; i < 4; i++) {
      assert.match((await send(gateway, 'spooled', 8000)).text, /^45[12] 4\.3\.[01] /);
    }
    await waitFor(
      'an open door',
      async () => (await send(gateway, 'local', 10, 'user@example.test')).code === 250,
    );
    const row = await waitFor(
      'a failed attempt',
      async () => (await gateway.queue()).find(({ lastOutcome }) => lastOutcome !== null) ?? null,
    );
    assert.deepEqual([row.state, row.lastOutcome!.kind], ['queued', 'deferred']);
    for (const folder of folders) await chmod(folder, 0o700);
    await gateway.waitForMail('user');
    await checkSaidOnce(gateway);
    assert.equal((await send(gateway, 'spooled', 8000)).code, 250);
    await gateway.stop();
  },
);
