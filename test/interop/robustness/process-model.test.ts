/** Processes that die, hang or are told to stop: the rest goes on, and the next start takes over. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import { openDeafPort } from '../../support/deaf-port.ts';
import { startFakePartner } from '../../../src/testing/fake-partner.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { prepareGateway, startGateway } from '../../support/gateway.ts';
import { gatewaySetup, smartHost } from '../../support/gateway-config.ts';
import { freePort, waitFor } from '../../support/ports.ts';
import { connectRaw } from '../../../src/testing/raw-client.ts';
import { submit } from '../../support/submit.ts';

const mute = await startFakePartner({ greeting: 'silence' });
const good = await startFakePartner();
const deaf = await openDeafPort();
const gateways: RunningGateway[] = [];

after(async () => {
  for (const gateway of gateways) await gateway.remove();
  await Promise.all([mute.close(), good.close(), deaf.close()]);
});

/** With ports that stay the same over a restart. */
async function start(queue: object = {}): Promise<RunningGateway> {
  const listeners = [
    { name: 'mx', host: '127.0.0.1', port: await freePort(), kind: 'mx' },
    { name: 'submission', host: '127.0.0.1', port: await freePort(), kind: 'submission' },
  ];
  const peers = { mute: mute.port, good: good.port, deaf: deaf.port };
  const outboundConnectors = Object.entries(peers).map(([name, port]) => ({
    name,
    recipientDomains: `${name}.test`,
    smartHosts: smartHost(port),
  }));
  const setup = await gatewaySetup({
    listeners,
    queue,
    peerPorts: Object.values(peers),
    organization: { outboundConnectors },
  });
  const gateway = await startGateway(setup);
  gateways.push(gateway);
  return gateway;
}

/** Another gateway on the same folder. */
async function startSecond(first: RunningGateway): Promise<RunningGateway> {
  const second = await prepareGateway({ config: '{}' });
  await rm(second.folder, { recursive: true });
  await symlink(first.folder, second.folder);
  gateways.unshift(second);
  await second.start();
  return second;
}

async function greets(port: number): Promise<boolean> {
  try {
    const client = await connectRaw({ port, timeoutMs: 1000 });
    await client.expect(220);
    client.close();
    return true;
  } catch {
    return false;
  }
}

async function takePort(port: number): Promise<() => void> {
  const server = createServer();
  await waitFor('the port', async () => {
    server.listen(port, '127.0.0.1');
    return Promise.race([
      once(server, 'listening').then(() => true),
      new Promise<false>((resolve) => server.once('error', () => resolve(false))),
    ]);
  });
  return () => void server.close();
}

test('a second gateway on the data folder is refused, and the first goes on', async () => {
  const gateway = await start();
  await assert.rejects(
    startSecond(gateway),
    /another gateway runs on the data folder \S+: process \d+ \(node/,
  );
  await submit(gateway, { to: 'user@example.test' });
  await gateway.waitForMail('user');
  await gateway.stop();
});

test('a lane that dies comes back, and one that cannot start yet is tried again', async () => {
  const gateway = await start();
  const port = gateway.port('mx');
  const [first] = await gateway.lanes();
  process.kill(first!, 'SIGKILL');
  await assert.rejects(gateway.status(), { code: 'lane-unavailable' });
  await waitFor('the new lane', () => greets(port), 5000);
  const [second] = await gateway.lanes();
  process.kill(second!, 'SIGKILL');
  const free = await takePort(port);
  await waitFor('a failed start', () =>
    gateway.log().some((line) => line['code'] === 'port-taken'),
  );
  free();
  await waitFor('the third lane', () => greets(port), 10_000);
  await submit(gateway, { to: 'a@good.test', subject: 'after two deaths' });
  await good.waitUntil(({ messages }) =>
    messages.some(({ content }) => content.includes('after two deaths')),
  );
  await gateway.stop();
});

test('a lane that stands still is ended, and the next one goes on with its mail', async () => {
  const gateway = await start();
  const port = gateway.port('mx');
  const id = await submit(gateway, { to: 'a@mute.test' });
  const [lane] = await gateway.lanes();
  process.kill(lane!, 'SIGSTOP');
  const dead = await waitFor(
    'the end of the lane',
    () =>
      gateway.log().find(({ msg }) => msg?.startsWith('the lane gives no sign of life')) ?? null,
    60_000,
  );
  assert.equal(dead['silentSeconds'], 30);
  await waitFor('the new lane', () => greets(port), 10_000);
  assert.deepEqual(
    (await gateway.queue()).map((row) => row.id),
    [id],
  );
  await gateway.kill('SIGKILL');
});

test('after the death of the control process the lane ends and the next start takes over', async () => {
  const gateway = await start();
  for (const to of ['a@mute.test', 'a@deaf.test']) await submit(gateway, { to });
  await mute.waitUntil(({ connections }) => connections.length > 0);
  const [lane] = await gateway.lanes();
  process.kill(gateway.processId, 'SIGKILL');
  // Fails where the lane keeps its shard for longer than a start waits for one.
  const second = await startSecond(gateway);
  assert.throws(() => process.kill(lane!, 0), { code: 'ESRCH' });
  const said = gateway.log().map(({ msg }) => msg);
  assert(said.includes('the control process is gone; the lane stops'));
  assert.equal((await second.queue()).length, 2);
  await second.kill('SIGKILL');
});

test('Ctrl-C with a next hop that hangs ends with 0 and keeps the message', async () => {
  const gateway = await start();
  const connections = mute.connections.length;
  const id = await submit(gateway, { to: 'a@mute.test' });
  await mute.waitUntil((partner) => partner.connections.length > connections);
  process.kill(-gateway.processId, 'SIGINT');
  // SIGTERM besides: a second signal changes nothing. Throws where the exit code is not 0.
  await gateway.stop();
  await gateway.start();
  assert.deepEqual(
    (await gateway.queue()).map((row) => row.id),
    [id],
  );
  await gateway.kill('SIGKILL');
});
