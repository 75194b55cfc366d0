/**
 * Backup and restore of a really started gateway: under load, killed in the middle, on a full disk, and
 * as the way back from a newer store.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, open, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readFileVersion } from '../../src/store/read-file-version.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import { connectRaw } from '../../src/testing/raw-client.ts';
import { mainFile, prepareGateway, runProgram } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { startLoad } from '../support/load-client.ts';
import { waitFor } from '../support/ports.ts';

/** Whether the partner takes mail for wait.test yet; mail for go.test is always taken. */
const state = { mayDeliver: false };

async function startStage(t: TestContext, environment: Record<string, string> = {}) {
  state.mayDeliver = false;
  const partner = await startFakePartner({
    reply: ({ command, line }) =>
      command === 'RCPT' && !state.mayDeliver && line.includes('wait.test')
        ? '451 4.3.0 later'
        : null,
  });
  t.after(() => partner.close());
  const setup = await gatewaySetup({
    peerPorts: [partner.port],
    organization: {
      acceptedDomains: [
        { domain: 'example.test' },
        { domain: 'wait.test', type: 'InternalRelay', recipients: 'any' },
        { domain: 'go.test', type: 'InternalRelay', recipients: 'any' },
      ],
      outboundConnectors: ['wait.test', 'go.test'].map((domain) => ({
        name: domain,
        recipientDomains: domain,
        smartHosts: smartHost(partner.port),
      })),
    },
    top: { limits: { memoryContent: '4KiB', freeDisk: '1MiB' }, log: { level: 'warn' } },
  });
  const gateway = await prepareGateway({ ...setup, environment });
  t.after(() => gateway.remove());
  return { partner, gateway };
}

type Stage = Awaited<ReturnType<typeof startStage>>;

/** Sends messages of its own text, every second one into a spool file; the texts by subject. */
async function sendAll(
  gateway: RunningGateway,
  to: string,
  count: number,
): Promise<Map<string, string>> {
  const client = await connectRaw({ port: gateway.port('mx'), timeoutMs: 20_000 });
  await client.expect(220);
  await client.command('EHLO client.sender.test', 250);
  const texts = new Map<string, string>();
  for (let i = 0; i < count; i += 1) {
    const subject = `${to} ${i}`;
    const body = `${subject}\r\n`.repeat(i % 2 === 0 ? 20 : 2000);
    const text = `From: a@sender.test\r\nMessage-ID: <${i}@sender.test>\r\nSubject: ${subject}\r\n\r\n${body}`;
    for (const command of ['MAIL FROM:<a@sender.test>', `RCPT TO:<${to}>`]) {
      await client.command(command, 250);
    }
    await client.command('DATA', 354);
    await client.send(`${text}.\r\n`);
    await client.expect(250);
    texts.set(subject, text);
  }
  client.close();
  return texts;
}

/** Everything that the partner took for these subjects, byte for byte as it was sent. */
async function assertDelivered(
  { partner }: Stage,
  texts: Map<string, string>,
  from = 0,
): Promise<void> {
  const taken = (): Map<string, string[]> => {
    const found = new Map<string, string[]>();
    for (const { content } of partner.messages.slice(from)) {
      const text = content.toString('latin1');
      const subject = /^Subject: (.*)\r$/m.exec(text)?.[1] ?? '';
      found.set(subject, [...(found.get(subject) ?? []), text]);
    }
    return found;
  };
  await waitFor(
    'every queued message',
    () => [...texts.keys()].every((each) => taken().has(each)),
    40_000,
  );
  for (const [subject, text] of texts) {
    for (const copy of taken().get(subject)!)
      assert.ok(copy.endsWith(text), `${subject} was changed`);
  }
}

async function command(gateway: RunningGateway, ...words: string[]) {
  const result = await gateway.run(...words);
  return { ...result, text: `${result.stdout}${result.stderr}` };
}

const count = 60;

test('a backup under load, restored elsewhere, delivers all that was queued, unchanged', async (t) => {
  const stage = await startStage(t);
  const { gateway, partner } = stage;
  await gateway.start();
  const texts = await sendAll(gateway, 'x@wait.test', count);
  await sendAll(gateway, 'user@example.test', 4);
  await gateway.waitForMail('user', 4);
  // Large messages come and go all the time: their files vanish while the backup copies.
  const load = startLoad({
    port: gateway.port('mx'),
    clients: 4,
    to: 'x@go.test',
    name: 'l',
    largeBytes: 40_000,
  });
  await waitFor('the first of the load', () => load.accepted.size > 20);
  const target = join(gateway.folder, 'backups', 'one');
  const before = load.accepted.size;
  const taken = await command(gateway, 'backup', target, '--json');
  t.diagnostic(`${load.accepted.size - before} messages were accepted during the backup`);
  assert.equal(taken.code, 0, taken.text);
  const second = await command(gateway, 'backup', join(gateway.folder, 'backups', 'two'));
  assert.equal(second.code, 0, second.text);
  assert.ok(load.accepted.size > before);
  await load.stop();
  const manifest = JSON.parse(taken.stdout) as {
    policyRevision: string;
    damaged: unknown[];
    shards: { messages: number; spoolFiles: number }[];
  };
  assert.equal(manifest.policyRevision, (await gateway.status()).policyRevision);
  assert.deepEqual(manifest.damaged, []);
  assert.ok(manifest.shards.reduce((sum, { messages }) => sum + messages, 0) >= count);
  assert.ok(manifest.shards.reduce((sum, { spoolFiles }) => sum + spoolFiles, 0) >= count / 2);
  const verified = await command(gateway, 'verify', target);
  assert.equal(verified.code, 0, verified.text);
  const running = await command(gateway, 'verify', '--data', gateway.dataFolder);
  assert.equal(running.code, 0, running.text);
  // Nothing of a hold is left, and what it kept goes.
  const left = await readdir(gateway.dataFolder);
  assert.deepEqual(
    left.filter((name) => name.endsWith('.hold')),
    [],
  );

  const inUse = await command(
    gateway,
    'restore',
    target,
    '--to',
    gateway.dataFolder,
    '--replace',
    '--yes',
  );
  assert.equal(inUse.code, 75, inUse.text);
  await gateway.stop();
  const unasked = await command(
    gateway,
    'restore',
    target,
    '--to',
    gateway.dataFolder,
    '--replace',
  );
  assert.notEqual(unasked.code, 0);
  assert.match(unasked.stderr, /lost to the restored gateway/);
  const restored = await command(
    gateway,
    'restore',
    target,
    '--to',
    gateway.dataFolder,
    '--replace',
    '--yes',
  );
  assert.equal(restored.code, 0, restored.text);
  assert.ok((await readdir(gateway.folder)).some((name) => name.startsWith('data.replaced-')));
  const from = partner.messages.length;
  state.mayDeliver = true;
  await gateway.start();
  await assertDelivered(stage, texts, from);
  assert.equal((await gateway.mailbox('user')).length, 4);
  await gateway.stop();
});

/** Kills the program the moment `when` holds; true where it was still running then. */
async function killWhen(
  words: readonly string[],
  cwd: string,
  when: () => boolean,
): Promise<boolean> {
  const child = spawn(process.execPath, [mainFile, ...words], { cwd, stdio: 'ignore' });
  const ended = new Promise<NodeJS.Signals | null>((done) =>
    child.once('exit', (_, signal) => done(signal)),
  );
  while (child.exitCode === null && !when()) await sleep(1);
  child.kill('SIGKILL');
  return (await ended) === 'SIGKILL';
}

test('a backup and a restore that are killed leave nothing that looks whole, and can be repeated', async (t) => {
  const stage = await startStage(t);
  const { gateway } = stage;
  await gateway.start();
  const texts = await sendAll(gateway, 'x@wait.test', count);
  const target = join(gateway.folder, 'backup');
  const unfinished = join(gateway.folder, '.backup.unfinished');
  const moments = [
    () => existsSync(unfinished),
    () => existsSync(join(unfinished, 'data', 'queue-0.db')),
    () => existsSync(join(unfinished, 'data', 'spool')),
  ];
  for (const moment of moments) {
    assert.ok(await killWhen(['backup', target], gateway.folder, moment));
    assert.ok(!existsSync(target));
    const asBackup = await command(gateway, 'verify', unfinished);
    assert.equal(asBackup.code, 66, asBackup.text);
  }
  const taken = await command(gateway, 'backup', target);
  assert.equal(taken.code, 0, taken.text);
  assert.ok(!existsSync(unfinished));
  await gateway.stop();

  const draft = join(gateway.folder, '.data.restoring');
  const words = ['restore', target, '--to', gateway.dataFolder, '--replace', '--yes'];
  for (const moment of [() => existsSync(draft), () => existsSync(join(draft, 'spool'))]) {
    assert.ok(await killWhen(words, gateway.folder, moment));
    const old = await command(gateway, 'verify', '--data', gateway.dataFolder);
    assert.equal(old.code, 0, old.text);
  }
  const restored = await command(gateway, ...words);
  assert.equal(restored.code, 0, restored.text);
  assert.ok(!existsSync(draft));
  state.mayDeliver = true;
  await gateway.start();
  await assertDelivered(stage, texts);
  await gateway.stop();
});

test('one changed byte is found, and a damaged backup is not restored', async (t) => {
  const { gateway } = await startStage(t);
  await gateway.start();
  await sendAll(gateway, 'x@wait.test', 4);
  const target = join(gateway.folder, 'backup');
  assert.equal((await command(gateway, 'backup', target)).code, 0);
  await gateway.stop();
  const spool = join('data', 'spool', '0', 'example');
  const [content = ''] = await readdir(join(target, spool));
  const files = [
    join('data', 'queue-0.db'),
    join(spool, content),
    join('configuration', 'tls', 'server.key'),
    'files.jsonl',
  ];
  for (const file of files) {
    const changed = join(gateway.folder, 'changed');
    await cp(target, changed, { recursive: true });
    await flipByte(join(changed, file));
    const verified = await command(gateway, 'verify', changed);
    assert.equal(verified.code, 65, `${file}: ${verified.text}`);
    assert.ok(verified.text.includes(file), verified.text);
    const to = join(gateway.folder, 'new');
    const restored = await command(gateway, 'restore', changed, '--to', to, '--yes');
    assert.equal(restored.code, 65, restored.text);
    assert.ok(!existsSync(to));
    await rm(changed, { recursive: true });
  }
  await rm(join(gateway.dataFolder, 'spool', '0', 'example', content));
  const data = await command(gateway, 'verify', '--data', gateway.dataFolder);
  assert.equal(data.code, 65, data.text);
  assert.ok(data.text.includes(content), data.text);
  // A store with a damaged message still gets its backup, which says so.
  const again = await command(gateway, 'backup', join(gateway.folder, 'again'));
  assert.equal(again.code, 65, again.text);
  assert.equal((await command(gateway, 'verify', join(gateway.folder, 'again'))).code, 65);
});

async function flipByte(file: string): Promise<void> {
  await using handle = await open(file, 'r+');
  const { size } = await handle.stat();
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, size - 5);
  byte[0]! ^= 1;
  await handle.write(byte, 0, 1, size - 5);
}

function mayMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

test('a full disk ends the backup, with nothing left of it', { skip: !mayMount() }, async (t) => {
  const { gateway } = await startStage(t);
  await gateway.start();
  await sendAll(gateway, 'x@wait.test', count);
  const disk = await mkdtemp(join(tmpdir(), 'postern-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
  t.after(async () => {
    execFileSync('umount', ['-l', disk]);
    await rm(disk, { recursive: true, force: true });
  });
  const full = await command(gateway, 'backup', join(disk, 'backup'));
  assert.equal(full.code, 73, full.text);
  assert.match(full.stderr, /full|bytes left/);
  assert.deepEqual(await readdir(disk), []);
  await gateway.stop();
});

/** A program whose store has one more version: the same, with a migration behind the last one. */
const newer = new URL('../support/newer-store.mjs', import.meta.url).pathname;

test('a newer store comes after a verified backup, and the older program goes back to it', async (t) => {
  const stage = await startStage(t);
  const { gateway } = stage;
  await gateway.start();
  const texts = await sendAll(gateway, 'x@wait.test', 20);
  await sendAll(gateway, 'user@example.test', 3);
  await gateway.waitForMail('user', 3);
  await gateway.stop();
  const before = await snapshotOf(gateway.dataFolder);

  // Where the backup cannot be written nothing is changed, and the start is refused.
  const backups = join(gateway.dataFolder, 'backups');
  await cp(gateway.configFile, backups);
  const refused = await serveNewer(gateway);
  assert.equal(refused.code, 73, refused.stderr);
  assert.match(refused.stderr, /nothing was changed/);
  await rm(backups);
  assert.deepEqual(await snapshotOf(gateway.dataFolder), before);

  const changed = await serveNewer(gateway);
  assert.equal(changed.code, 0, changed.stderr);
  assert.match(changed.stderr, /The store was changed from version/);
  const [name = ''] = await readdir(backups);
  assert.match(name, /^before-store-v\d+-\d{8}T\d{6}Z$/);
  assert.equal((await command(gateway, 'verify', join(backups, name))).code, 0);

  const older = await runProgram(
    [process.execPath, mainFile, 'serve', '--config', gateway.configFile],
    { cwd: gateway.folder },
  );
  assert.equal(older.code, 78, older.stderr);
  assert.match(
    older.stderr,
    /was written by a newer Postern: its format is \d+, this program knows up to \d+/,
  );
  assert.match(older.stderr, /postern restore/);

  const restored = await command(
    gateway,
    'restore',
    join(backups, name),
    '--to',
    gateway.dataFolder,
    '--replace',
    '--yes',
  );
  assert.equal(restored.code, 0, restored.text);
  assert.match(restored.stdout, /those that were there are in their place again/);
  state.mayDeliver = true;
  await gateway.start();
  await assertDelivered(stage, texts);
  assert.equal((await gateway.mailbox('user')).length, 3);
  await gateway.stop();
});

/** A program whose control file has one more version, and whose store has not. */
const newerControl = new URL('../support/newer-control.mjs', import.meta.url).pathname;

test('a newer control file comes after a verified backup, and the older program goes back to it', async (t) => {
  const { gateway } = await startStage(t);
  await gateway.start();
  const made = await command(gateway, 'person', 'add', 'mia@example.test', '--role', 'auditor');
  assert.equal(made.code, 0, made.text);
  await gateway.stop();
  const version = controlVersionOf(gateway);

  const backups = join(gateway.dataFolder, 'backups');
  await cp(gateway.configFile, backups);
  const refused = await serveNewer(gateway, newerControl);
  assert.equal(refused.code, 73, refused.stderr);
  assert.match(
    refused.stderr,
    /control file is changed from version \d+ to \d+.*nothing was changed/,
  );
  await rm(backups);
  assert.equal(controlVersionOf(gateway), version);

  const changed = await serveNewer(gateway, newerControl);
  assert.equal(changed.code, 0, changed.stderr);
  assert.match(changed.stderr, /The control file was changed from version/);
  assert.doesNotMatch(changed.stderr, /The store was changed/);
  assert.equal(controlVersionOf(gateway), version + 1);
  const [name = ''] = await readdir(backups);
  assert.match(name, /^before-control-v\d+-\d{8}T\d{6}Z$/);
  const backup = join(backups, name);
  assert.equal((await command(gateway, 'verify', backup)).code, 0);

  const older = await runProgram(
    [process.execPath, mainFile, 'serve', '--config', gateway.configFile],
    { cwd: gateway.folder },
  );
  assert.equal(older.code, 78, older.stderr);
  assert.match(older.stderr, /control\.db was written by a newer Postern/);

  const to = ['--to', gateway.dataFolder, '--replace', '--yes'];
  const restored = await command(gateway, 'restore', backup, ...to);
  assert.equal(restored.code, 0, restored.text);
  assert.equal(controlVersionOf(gateway), version);
  await gateway.start();
  const people = await command(gateway, 'person', 'list');
  assert.match(people.stdout, /mia@example\.test/);
  await gateway.stop();
});

function controlVersionOf({ dataFolder }: RunningGateway): number {
  return readFileVersion(join(dataFolder, 'control.db'));
}

/** Starts the newer program and ends it when it is ready. */
async function serveNewer(
  gateway: RunningGateway,
  program = newer,
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(
    process.execPath,
    [`--import=${program}`, mainFile, 'serve', '--config', gateway.configFile],
    {
      cwd: gateway.folder,
      env: { ...process.env, NODE_OPTIONS: `--import=${program}` },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let stderr = '';
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
    if (stderr.includes('Postern is ready as')) child.kill('SIGTERM');
  });
  const code = await new Promise<number | null>((done) => child.once('exit', done));
  return { code, stderr };
}

async function snapshotOf(dataFolder: string): Promise<string> {
  return (await readFile(join(dataFolder, 'queue-0.db'))).toString('base64');
}

test('a restore takes nothing that is there away', async (t) => {
  const { gateway } = await startStage(t);
  await gateway.start();
  const target = join(gateway.folder, 'backup');
  assert.equal((await command(gateway, 'backup', target)).code, 0);
  assert.equal((await command(gateway, 'backup', target)).code, 73);
  const inside = await command(gateway, 'backup', join(gateway.dataFolder, 'inside'));
  assert.equal(inside.code, 64, inside.text);
  await gateway.stop();
  const to = join(gateway.folder, 'there');
  await mkdir(join(to, 'something'), { recursive: true });
  const refused = await command(gateway, 'restore', target, '--to', to, '--yes');
  assert.equal(refused.code, 73, refused.text);
  const replaced = await command(gateway, 'restore', target, '--to', to, '--replace', '--yes');
  assert.equal(replaced.code, 0, replaced.text);
  const aside = (await readdir(gateway.folder)).find((name) => name.startsWith('there.replaced-'));
  assert.ok(existsSync(join(gateway.folder, aside!, 'something')));
  assert.ok(existsSync(join(to, 'configuration', 'postern.yaml')));
});
