/** The clock of a gateway that runs is set by a day, forward and back, while mail waits (libfaketime). */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startFakePartner } from '../../../src/testing/fake-partner.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { startGateway } from '../../support/gateway.ts';
import { gatewaySetup, smartHost } from '../../support/gateway-config.ts';
import { waitFor } from '../../support/ports.ts';
import { submit } from '../../support/submit.ts';

const library = ['x86_64-linux-gnu', 'aarch64-linux-gnu']
  .map((machine) => `/usr/lib/${machine}/faketime/libfaketime.so.1`)
  .find((file) => existsSync(file));
const skip = library === undefined ? 'libfaketime is not installed (Debian: faketime)' : false;

let mayDeliver = false;
const partner = await startFakePartner({
  reply: ({ command }) => (command === 'MAIL' && !mayDeliver ? '451 4.3.0 later' : null),
});
const folder = await mkdtemp(join(tmpdir(), 'postern-clock-'));
let gateway: RunningGateway | null = null;

after(async () => {
  await gateway?.remove();
  await partner.close();
  await rm(folder, { recursive: true });
});

test('a day forward and back bounces nothing and stops nothing', { skip }, async () => {
  const clock = join(folder, 'clock');
  await writeFile(clock, '+0');
  const connector = { name: 'to', recipientDomains: 'a.test', smartHosts: smartHost(partner.port) };
  const setup = await gatewaySetup({
    peerPorts: [partner.port],
    queue: { retryFirst: '2s', retryMax: '4s', expiry: '1h' },
    organization: { outboundConnectors: [connector] },
  });
  gateway = await startGateway({
    ...setup,
    environment: {
      LD_PRELOAD: library!,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  });
  const jumps = (): readonly unknown[] =>
    gateway!
      .log()
      .filter(({ msg }) => msg?.startsWith('the clock was set') === true)
      .map(({ bySeconds }) => bySeconds);
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) ids.push(await submit(gateway, { to: `x${i}@a.test` }));
  for (const id of ids) await gateway.waitForRow(id);
  await writeFile(clock, '+1d');
  await waitFor('word of it', () => jumps().length === 1, 10_000);
  const attemptsOf = async () => (await gateway!.queue()).map(({ attempts }) => attempts);
  const before = await attemptsOf();
  await waitFor('further attempts', async () =>
    (await attemptsOf()).every((attempts, i) => attempts > before[i]! + 1),
  );
  assert.equal((await gateway.queue()).length, 3, 'an hour would be over, were it the clock');
  ids.push(await submit(gateway, { to: 'late@a.test' }));
  await writeFile(clock, '+0');
  await waitFor('word of it', () => jumps().length === 2, 10_000);
  mayDeliver = true;
  for (const id of ids) await gateway.waitUntilGone(id, 20_000);
  assert.equal(partner.messages.length, 4);
  assert.deepEqual(jumps(), [86_400, -86_400]);
  assert.equal(gateway.log().filter(({ msg }) => msg === 'dsn written').length, 0);
  await gateway.stop();
});
