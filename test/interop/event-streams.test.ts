/** Queue and trace of a really started gateway, told as they happen. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningGateway } from '../support/gateway.ts';
import { startGateway } from '../support/gateway.ts';
import { gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { freePort } from '../support/ports.ts';

let gateway: RunningGateway;
const open: ClientRequest[] = [];

before(async () => {
  const port = await freePort();
  const away = { name: 'away', recipientDomains: 'elsewhere.test', smartHosts: smartHost(port) };
  const organization = { outboundConnectors: [away] };
  gateway = await startGateway(await gatewaySetup({ organization, peerPorts: [port] }));
});
after(async () => {
  for (const outgoing of open) outgoing.destroy();
  await gateway?.remove();
});

async function listen(path: string): Promise<(words: RegExp) => Promise<void>> {
  const socketPath = join(gateway.dataFolder, 'run', 'api.sock');
  const outgoing = request({ socketPath, path, agent: false });
  outgoing.on('error', () => undefined);
  outgoing.end();
  open.push(outgoing);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  incoming.on('error', () => undefined);
  incoming.on('data', (bytes: Buffer) => (text += bytes.toString()));
  return async (words) => {
    for (let tries = 0; !words.test(text); tries++) {
      assert.ok(tries < 200, `in vain for ${words}: ${text}`);
      await sleep(100);
    }
  };
}

test('a message that comes is told by both, and so is what becomes of it', async () => {
  const queue = await listen('/v1/queue/events');
  const traces = await listen('/v1/traces/events?to=elsewhere.test');
  await queue(/event: snapshot\ndata: \{"rows":\[\]\}/);
  const { id } = await gateway.api.submit({
    from: 'user@example.test',
    to: ['nobody@elsewhere.test'],
    content: Buffer.from('Subject: x\r\n\r\nx\r\n').toString('base64'),
  });
  await traces(new RegExp(`event: trace\\nid: ${id}\\ndata: .*"state":"deferred"`));
  await queue(new RegExp(`event: row\\ndata: \\{"id":"${id}"`));
  await gateway.api.orderQueue({ action: 'delete', match: { id } });
  await queue(new RegExp(`event: gone\\ndata: \\{"id":"${id}","ordinal":0\\}`));
});

test('a gateway that stops ends its streams and does not wait for them', async () => {
  await listen('/v1/queue/events');
  const startedAtMs = performance.now();
  await gateway.stop();
  assert.ok(performance.now() - startedAtMs < 10_000);
});
