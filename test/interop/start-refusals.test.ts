/** A gateway that cannot start says what stands in the way, what to do, and exits by sysexits(3). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { mainFile, prepareGateway, runProgram } from '../support/gateway.ts';
import type { CommandResult, RunningGateway } from '../support/gateway.ts';
import type { GatewayParts } from '../support/gateway-config.ts';
import { gatewaySetup } from '../support/gateway-config.ts';

const gateways: RunningGateway[] = [];
after(async () => {
  for (const gateway of gateways) await gateway.remove();
});

async function prepare(parts: GatewayParts = {}): Promise<RunningGateway> {
  const gateway = await prepareGateway(await gatewaySetup(parts));
  gateways.push(gateway);
  return gateway;
}

function serve(gateway: RunningGateway, ...before: readonly string[]): Promise<CommandResult> {
  const words = [process.execPath, mainFile, 'serve', '--config', gateway.configFile];
  return runProgram([...before, ...words], { cwd: gateway.folder, timeoutMs: 30_000 });
}

test('a port that is taken: which listener, which port, by whom', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const gateway = await prepare({
    listeners: [{ name: 'mx', host: '127.0.0.1', port, kind: 'mx' }],
  });
  const { code, stderr } = await serve(gateway);
  server.close();
  assert.equal(code, 69);
  const expected = `the listener "mx" cannot be opened: port ${port} of 127.0.0.1 is taken by process ${process.pid} (`;
  assert.ok(stderr.includes(expected), stderr);
  assert.match(stderr, /Stop the process that has the port/);
});

test('an address that this machine does not have', async () => {
  const gateway = await prepare({
    listeners: [{ name: 'mx', host: '192.0.2.1', port: 0, kind: 'mx' }],
  });
  const { code, stderr } = await serve(gateway);
  assert.equal(code, 71);
  assert.match(stderr, /this machine has no address 192\.0\.2\.1/);
});

test('a certificate that stands in a file which is not read: that it is not read, and why', async () => {
  const gateway = await prepare();
  await gateway.start();
  const object = { kind: 'accepted-domain', organization: 'example', name: 'b.test' } as const;
  await gateway.api.changePolicy({ changes: [{ kind: 'put', object, value: {} }] });
  await gateway.stop();
  const config = JSON.parse(await readFile(gateway.configFile, 'utf8')) as {
    certificates: Record<string, object>;
  };
  config.certificates['late'] = config.certificates['server']!;
  const late = { ...config, serverCertificates: 'late' };
  await writeFile(gateway.configFile, JSON.stringify(late));
  const { code, stderr } = await serve(gateway);
  assert.equal(code, 78);
  assert.match(stderr, /postern\.yaml: warning: the file says something else .*, and is not read;/);
  assert.match(stderr, /names the certificate "late", which certificates does not hold/);
});

test('a data folder that another gateway has: with its process', async () => {
  const gateway = await prepare();
  await gateway.start();
  const { code, stderr } = await serve(gateway);
  assert.equal(code, 75);
  assert.ok(
    stderr.includes(`data folder ${gateway.dataFolder}: process ${gateway.processId} (`),
    stderr,
  );
  await gateway.stop();
});

test('a store that a newer program wrote: both versions, and nothing is changed', async () => {
  const gateway = await prepare();
  const file = join(gateway.folder, 'data', 'queue-0.db');
  await mkdir(join(gateway.folder, 'data'), { mode: 0o700 });
  const db = new DatabaseSync(file);
  db.exec('PRAGMA user_version = 4711');
  db.close();
  const { code, stderr } = await serve(gateway);
  assert.equal(code, 78);
  assert.match(stderr, /queue-0\.db was written by a newer Postern: its format is 4711/);
  assert.match(stderr, /this program knows up to \d+ \(this is Postern \d+\.\d+\.\d+\)/);
  assert.match(stderr, /Start the version of Postern that wrote the store/);
  const again = new DatabaseSync(file);
  assert.equal(again.prepare('PRAGMA user_version').get()?.['user_version'], 4711);
  again.close();
});

test('a data folder that cannot be made', async () => {
  const gateway = await prepare({ top: { dataFolder: 'postern.yaml/data' } });
  const { code, stderr } = await serve(gateway);
  assert.equal(code, 73);
  assert.match(stderr, /the data folder \S+ cannot be used by user \d+: ENOTDIR/);
});

const isRoot = process.getuid?.() === 0;

/** As a user without any rights; the files are made readable to it. */
async function serveAsNobody(gateway: RunningGateway): Promise<CommandResult> {
  for (const name of ['', 'tls', 'postern.yaml', 'tls/server.pem', 'tls/server.key']) {
    await chmod(join(gateway.folder, name), 0o755);
  }
  return serve(
    gateway,
    'setpriv',
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    '--inh-caps=-all',
    '--bounding-set=-all',
  );
}

test(
  'a data folder without the right to write',
  { skip: isRoot ? false : 'needs root' },
  async () => {
    const gateway = await prepare();
    await mkdir(join(gateway.folder, 'data'), { mode: 0o755 });
    const { code, stderr } = await serveAsNobody(gateway);
    assert.equal(code, 73, stderr);
    assert.match(stderr, /data cannot be used by user 65534: EACCES/);
  },
);

test('a port below 1024 without the right to open it', { skip: await skipLowPorts() }, async () => {
  const gateway = await prepare({
    listeners: [{ name: 'mx', host: '127.0.0.1', port: 26, kind: 'mx' }],
  });
  await mkdir(join(gateway.folder, 'data'), { mode: 0o777 });
  await chmod(join(gateway.folder, 'data'), 0o777);
  const { code, stderr } = await serveAsNobody(gateway);
  assert.equal(code, 77, stderr);
  assert.match(stderr, /the listener "mx" cannot be opened: port 26 of 127\.0\.0\.1 needs rights/);
  assert.match(stderr, /CAP_NET_BIND_SERVICE, or sockets of systemd/);
});

async function skipLowPorts(): Promise<string | false> {
  if (!isRoot) return 'needs root, to have something to give up';
  const { stdout } = await runProgram(['cat', '/proc/sys/net/ipv4/ip_unprivileged_port_start']);
  return Number(stdout) > 26 ? false : 'anybody may open low ports on this machine';
}
