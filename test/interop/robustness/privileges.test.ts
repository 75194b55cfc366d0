/** A gateway that gave up root: it runs as its user, and what only root could read is not lost with it. */
import assert from 'node:assert/strict';
import { chmod, readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import type { RunningGateway } from '../../support/gateway.ts';
import { prepareGateway } from '../../support/gateway.ts';
import { gatewayCa, gatewaySetup, listeners } from '../../support/gateway-config.ts';
import { reload, reloadRefused } from '../../support/gateway-reload.ts';
import { freePort, waitFor } from '../../support/ports.ts';
import { connectRaw } from '../../../src/testing/raw-client.ts';

const skip = process.getuid?.() === 0 ? false : 'giving up root needs root';
let gateway: RunningGateway | null = null;
after(() => gateway?.remove());

async function startAsNobody() {
  const port = await freePort();
  const mx = { ...listeners[0], port };
  const setup = await gatewaySetup({ top: { user: 'nobody' }, listeners: [mx] });
  gateway = await prepareGateway(setup);
  await chmod(gateway.folder, 0o755);
  await chmod(gateway.configFile, 0o644);
  await gateway.start();
  return { gateway, port, config: setup.config };
}

async function handshakes(port: number): Promise<boolean> {
  const client = await connectRaw({ port });
  await client.expect(220);
  await client.command('EHLO client.sender.test', 250);
  await client.startTlsByCommand({
    ca: gatewayCa.pem,
    rejectUnauthorized: true,
    servername: 'gateway.example.test',
  });
  client.close();
  return true;
}

test('a lane that starts again has our keys, and a reload keeps them', { skip }, async () => {
  const { gateway, port, config } = await startAsNobody();
  const [lane] = await gateway.lanes();
  const uid = /^Uid:\s+(\d+)/m.exec(await readFile(`/proc/${lane}/status`, 'utf8'))?.[1];
  assert.notEqual(uid, '0');
  process.kill(lane!, 'SIGKILL');
  await waitFor('the new lane', () => handshakes(port).catch(() => false));
  await reload(gateway, { ...config, hostName: 'again.example.test' });
  assert.equal((await gateway.status()).hostName, 'again.example.test');
  assert.ok(await handshakes(port));
  const lost = { certificate: 'tls/server.pem', key: '/etc/shadow' };
  const certificates = { ...(config as { certificates: object }).certificates, lost };
  const [problem] = await reloadRefused(gateway, { ...config, certificates });
  assert.match(problem!.text, /cannot be read: permission denied/);
  await gateway.stop();
});
