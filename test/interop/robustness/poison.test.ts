/** A message that breaks the lane at each attempt: it waits, and all other mail goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGateway } from '../../support/gateway.ts';
import { gatewaySetup, smartHost } from '../../support/gateway-config.ts';
import { freePort, waitFor } from '../../support/ports.ts';
import { submit } from '../../support/submit.ts';

const poisonPort = await freePort();
const preload = new URL('../../support/poison-port.mjs', import.meta.url).href;

test('a message that breaks the lane is put off, and other mail passes', async () => {
  const listeners = [
    { name: 'submission', host: '127.0.0.1', port: await freePort(), kind: 'submission' },
  ];
  const setup = await gatewaySetup({
    listeners,
    peerPorts: [poisonPort],
    queue: { retryFirst: '10m', retryMax: '10m' },
    organization: {
      outboundConnectors: [
        { name: 'poison', recipientDomains: 'poison.test', smartHosts: smartHost(poisonPort) },
      ],
    },
  });
  const environment = { NODE_OPTIONS: `--import ${preload}`, POISON_PORT: String(poisonPort) };
  const gateway = await startGateway({ ...setup, environment });
  const died = () => gateway.log().filter(({ msg }) => msg?.startsWith('lane died')).length;
  try {
    const isTaken = await submit(gateway, { to: 'a@poison.test' }).then(
      () => true,
      () => false,
    );
    await waitFor('the end of the lane', () => died() === 1);
    await waitFor('the lane', () =>
      submit(gateway, { to: 'user@example.test' }).then(
        () => true,
        () => false,
      ),
    );
    await gateway.waitForMail('user');
    assert.equal(died(), 1, 'the lane broke again');
    const [row] = await gateway.queue();
    assert.equal(row?.attempts, 1);
    assert.match(row.lastOutcome?.reason ?? '', /the gateway broke down during the attempt/);
    // The reply to the dot may have been lost with the lane; the message was not.
    assert(isTaken || row !== undefined);
    await gateway.stop();
  } finally {
    await gateway.remove();
  }
});
