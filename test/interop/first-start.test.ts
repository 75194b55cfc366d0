/** The first start of a new user: no configuration, an empty folder, and the commands that it prints. */
import assert from 'node:assert/strict';
import { chmod, readdir, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { mainFile, prepareGateway, runProgram, startGateway } from '../support/gateway.ts';
import type { CommandResult, RunningGateway } from '../support/gateway.ts';
import { gatewaySetup } from '../support/gateway-config.ts';
import { connectRaw } from '../../src/testing/raw-client.ts';
import { queueIdIn } from '../support/submit.ts';
import { whyNoSwaks } from '../support/swaks.ts';

const noSwaks = await whyNoSwaks();
const defaultPorts = [2525, 2587, 2465];
const freePorts = new URL('../support/free-ports.mjs', import.meta.url).pathname;

/** Of the start: nothing where the default's ports are free, else free ones in their place. */
async function environmentOf(): Promise<Record<string, string>> {
  const taken = await Promise.all(defaultPorts.map(isTaken));
  return taken.includes(true) ? { NODE_OPTIONS: `--import=${freePorts}` } : {};
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** The printed command that begins so, with its continuation lines, as a user would paste it. */
function printedCommand(gateway: RunningGateway, name: string): string {
  const lines = gateway.stderr.split('\n');
  const start = lines.findLastIndex((line) => line.trimStart().startsWith(name));
  assert.notEqual(start, -1, `no ${name} in:\n${gateway.stderr}`);
  let end = start;
  while (lines[end]!.endsWith('\\')) end += 1;
  return lines
    .slice(start, end + 1)
    .join('\n')
    .trim();
}

/** Runs it by a shell in which `postern` is this checkout's program. */
function runPrinted(gateway: RunningGateway, command: string): Promise<CommandResult> {
  const program = `postern() { '${process.execPath}' '${mainFile}' "$@"; }`;
  return runProgram(['sh', '-c', `${program}\n${command}`], { cwd: gateway.folder });
}

let environment: Record<string, string>;
let gateway: RunningGateway;

before(async () => {
  environment = await environmentOf();
  gateway = await startGateway({ config: null, environment });
});
after(() => gateway?.remove());

test('it prints its listeners, its data folder and the first commands', () => {
  const { stderr } = gateway;
  for (const listener of ['mx', 'submission', 'submissions']) {
    assert.match(
      stderr,
      new RegExp(`^ +${listener} +127\\.0\\.0\\.1:${gateway.port(listener)} `, 'm'),
    );
  }
  assert.match(stderr, /^ +data +.*\/data$/m);
  for (const command of ['postern send', 'swaks', 'postern trace'])
    printedCommand(gateway, command);
  assert.match(stderr, /password of user@example\.test, shown this once: \S{12,}/);
});

test('nothing in the data folder can be read by others', async () => {
  const names = await readdir(gateway.dataFolder, { recursive: true });
  const open: string[] = [];
  for (const name of ['', ...names]) {
    const path = join(gateway.dataFolder, name);
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) open.push(`${relative(gateway.folder, path)} ${mode.toString(8)}`);
  }
  assert.ok(names.includes('postern.yaml') && names.includes('tls/server.key'), names.join());
  assert.deepEqual(open, []);
});

test('the printed postern send delivers a first message', async () => {
  const count = (await gateway.mailbox('user@example.test')).length;
  const command = printedCommand(gateway, 'postern send');
  assert.match(command, /--wait/);
  const sent = await runPrinted(gateway, command);
  assert.equal(sent.code, 0, sent.stdout + sent.stderr);
  const messages = await gateway.mailbox('user@example.test');
  assert.equal(messages.length, count + 1);
  assert.match(messages.join(), /^Subject: First message\r?$/m);
});

test(
  'the printed swaks command delivers a message, and trace tells of it',
  { skip: noSwaks ?? false },
  async () => {
    const count = (await gateway.mailbox('user@example.test')).length;
    const sent = await runPrinted(gateway, printedCommand(gateway, 'swaks'));
    assert.equal(sent.code, 0, sent.stdout + sent.stderr);
    const id = queueIdIn(sent.stdout);
    await gateway.waitForMail('user@example.test', count + 1);
    const trace = await runPrinted(gateway, `postern trace ${id}`);
    assert.equal(trace.code, 0, trace.stderr);
    assert.match(trace.stdout, /submitted by account user@example\.test/);
    assert.match(trace.stdout, /TLSv1\.3/);
    assert.match(trace.stdout, /delivered/);
  },
);

test('the printed ls shows the Maildir', async () => {
  const line = printedCommand(gateway, 'ls ');
  const listed = await runPrinted(gateway, line);
  assert.equal(listed.code, 0, listed.stderr);
  assert.ok(listed.stdout.trim().split('\n').length >= 1);
});

test('a second gateway on the same data folder is refused in clear words', async () => {
  const second = await runProgram([process.execPath, mainFile, 'serve'], {
    cwd: gateway.folder,
    environment,
  });
  assert.notEqual(second.code, 0);
  assert.match(second.stderr, /another gateway runs on the data folder/);
  assert.doesNotMatch(second.stderr, /\n +at /);
  assert.equal((await gateway.status()).processId, gateway.processId);
});

test('SIGTERM ends it with 0 while a session is open', async () => {
  const client = await connectRaw({ port: gateway.port('mx') });
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  const stopped = gateway.stop();
  const last = await client.expect(421);
  assert.match(last.text, /4\.3\.2/);
  await client.ended();
  client.close();
  await stopped;
});

test('a second start prints no password', async () => {
  const said = gateway.stderr.length;
  await gateway.start();
  const text = gateway.stderr.slice(said);
  assert.match(text, /Postern is ready/);
  assert.doesNotMatch(text, /shown this once/);
  await gateway.stop();
});

test('with --data the printed commands find the gateway too', async (t) => {
  const elsewhere = await startGateway({
    config: null,
    arguments: ['--data', 'elsewhere'],
    environment: { NODE_OPTIONS: `--import=${freePorts}` },
  });
  t.after(() => elsewhere.remove());
  const sent = await runPrinted(elsewhere, printedCommand(elsewhere, 'postern send'));
  assert.equal(sent.code, 0, sent.stdout + sent.stderr);
  await elsewhere.stop();
});

test('an unknown key is refused with its place and the nearest right key', async (t) => {
  const setup = await gatewaySetup();
  const refused = await prepareGateway({
    ...setup,
    config: 'hostName: gateway.example.test\nlisteners: []\ndataFoldr: ./data\n',
  });
  t.after(() => refused.remove());
  const result = await refused.run('serve', '--config', 'postern.yaml');
  assert.equal(result.code, 78, result.stderr);
  assert.match(result.stderr, /postern\.yaml:3:1\b.*dataFoldr.*dataFolder/);
});

test('a private key that others may read is refused or warned of', async (t) => {
  const prepared = await prepareGateway(await gatewaySetup());
  t.after(() => prepared.remove());
  await chmod(join(prepared.folder, 'tls/server.key'), 0o644);
  const result = await prepared.run('config', 'check', 'postern.yaml');
  assert.match(result.stdout + result.stderr, /server\.key/);
});

test('a port that another program holds is named', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  t.after(() => server.close());
  const setup = await gatewaySetup({
    listeners: [{ name: 'mx', host: '127.0.0.1', port, kind: 'mx' }],
  });
  const prepared = await prepareGateway(setup);
  t.after(() => prepared.remove());
  await writeFile(prepared.configFile, JSON.stringify(setup.config));
  const result = await prepared.run('serve', '--config', 'postern.yaml');
  assert.equal(result.code, 69, result.stderr);
  assert.match(result.stderr, new RegExp(`\\b${port}\\b`));
});
