/** `kill -9` under load: what was answered 250 arrives, and hardly anything twice. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommitPoint } from '../../src/store/sqlite-shard.ts';
import { makeCa, makeLeaf } from '../../src/testing/certificates.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import type { FakePartner } from '../../src/testing/fake-partner.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { lastLine, startLoad } from '../support/load-client.ts';
import { freePort, waitFor, waitForPort } from '../support/ports.ts';
import { connectRaw } from '../../src/testing/raw-client.ts';

const kills = 20;
/** What reached the partner this long before a kill may come again: its end was not yet on disk. */
const inFlightMs = 400;
const seed = Number(process.env['POSTERN_TEST_SEED'] ?? Date.now() % 1_000_000);

const ca = makeCa('Partner CA');
const leaf = makeLeaf(ca, ['mx.partner.test']);

/** A small generator, so that a failing run can be repeated by its seed. */
function makeRandom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The receiving side: when each Message-ID came, and whether each message was whole. */
class Sink {
  readonly partner: FakePartner;
  readonly arrivals = new Map<string, number[]>();
  readonly cut: string[] = [];
  readonly inClear: string[] = [];
  #seen = 0;

  constructor(partner: FakePartner) {
    this.partner = partner;
  }

  /** Notes what came since the last call, under the present time. */
  note(): void {
    const now = performance.now();
    for (; this.#seen < this.partner.messages.length; this.#seen += 1) {
      const { content, isTls } = this.partner.messages[this.#seen]!;
      const text = content.toString('latin1');
      const id = /^Message-ID: <([^>]+)>/m.exec(text)?.[1] ?? 'none';
      this.arrivals.set(id, [...(this.arrivals.get(id) ?? []), now]);
      if (!text.trimEnd().endsWith(lastLine)) this.cut.push(id);
      if (!isTls) this.inClear.push(id);
    }
  }
}

async function startStage(t: TestContext, environment: Record<string, string> = {}) {
  const partner = await startFakePartner({ tls: { cert: leaf.pem, key: leaf.keyPem } });
  t.after(() => partner.close());
  const sink = new Sink(partner);
  const timer = setInterval(() => sink.note(), 10);
  t.after(() => clearInterval(timer));
  const port = await freePort();
  const setup = await gatewaySetup({
    anchors: { partner: [ca] },
    peerPorts: [partner.port],
    listeners: [{ name: 'mx', host: '127.0.0.1', port, kind: 'mx' }],
    top: { limits: { memoryContent: '4KiB' }, log: { level: 'error' } },
    organization: {
      acceptedDomains: [
        { domain: 'example.test' },
        { domain: 'relay.test', type: 'InternalRelay', recipients: 'any' },
      ],
      outboundConnectors: [
        {
          name: 'to relay',
          connectorType: 'OnPremises',
          recipientDomains: 'relay.test',
          smartHosts: smartHost(partner.port),
          tlsSettings: 'DomainValidation',
          tlsDomain: 'mx.partner.test',
          anchors: 'tls/partner.pem',
        },
      ],
    },
  });
  const gateway = await startGateway({ ...setup, environment });
  t.after(() => gateway.remove());
  return { sink, port, gateway };
}

const load = { clients: 6, to: 'clerk@relay.test', largeBytes: 20_000 };

/** Resolves when the old lane is gone and the new one greets. */
async function killLane(gateway: RunningGateway): Promise<void> {
  const lanes = await gateway.lanes();
  for (const lane of lanes) process.kill(lane, 'SIGKILL');
  await waitFor('another lane', async () => {
    const now = await gateway.lanes();
    return now.length > 0 && now.every((lane) => !lanes.includes(lane));
  });
}

/** The port may still be that of the process that dies: only a greeting counts. */
async function waitForGreeting(port: number): Promise<void> {
  await waitFor('a greeting', async () => {
    await waitForPort(port);
    const client = await connectRaw({ port, timeoutMs: 20_000 }).catch(() => null);
    const greeting = (await client?.expect(220).catch(() => null)) ?? null;
    client?.close();
    return greeting !== null;
  });
}

/** All that was accepted has arrived whole and under TLS. */
function assertNothingLost(sink: Sink, accepted: ReadonlySet<string>): void {
  const lost = [...accepted].filter((id) => !sink.arrivals.has(id));
  assert.deepEqual(lost, [], `seed ${seed}: ${lost.length} of ${accepted.size} lost`);
  assert.deepEqual(sink.cut, []);
  assert.deepEqual(sink.inClear, []);
}

async function drain(gateway: RunningGateway, sink: Sink): Promise<void> {
  try {
    await waitFor(
      'an empty queue',
      async () => {
        const { queue } = await gateway.status().catch(() => ({ queue: null }));
        return queue !== null && queue.queued === 0 && queue.held === 0;
      },
      40_000,
    );
  } catch (cause) {
    const rows = (await gateway.queue()).slice(0, 3);
    const { queue } = await gateway.status();
    const text = JSON.stringify({ queue, rows, taken: sink.partner.messages.length });
    throw new Error(`${text}\n${JSON.stringify(gateway.log().slice(-5))}`, { cause });
  }
  sink.note();
}

test(`${kills} kills at random under load lose nothing`, { timeout: 180_000 }, async (t) => {
  t.diagnostic(`seed ${seed}`);
  const random = makeRandom(seed);
  const { sink, port, gateway } = await startStage(t);
  const accepted = new Set<string>();
  const killedAtMs: number[] = [];
  for (let round = 0; round < kills; round += 1) {
    await waitForGreeting(port);
    const running = startLoad({ ...load, port, name: `r${round}` });
    await waitFor('the first message', () => running.accepted.size > 0);
    await sleep(random() * 900);
    const isWhole = round % 2 === 0;
    killedAtMs.push(performance.now());
    if (isWhole) await gateway.kill('SIGKILL');
    else await killLane(gateway);
    await running.stop();
    for (const id of running.accepted) accepted.add(id);
    if (isWhole) await gateway.start();
  }
  await drain(gateway, sink);
  assertNothingLost(sink, accepted);
  const twice = [...sink.arrivals].filter(([, times]) => times.length > 1);
  t.diagnostic(`${accepted.size} accepted, ${twice.length} twice`);
  for (const [id, times] of twice) {
    for (const [index, at] of times.slice(0, -1).entries()) {
      const isInFlight = killedAtMs.some(
        (kill) => at > kill - inFlightMs && times[index + 1]! > kill,
      );
      assert.ok(
        isInFlight,
        `seed ${seed}: ${id} came at ${times.join()}; kills ${killedAtMs.join()}`,
      );
    }
  }
  await gateway.stop();
});

const points: readonly CommitPoint[] = [
  'begun',
  'directories-synced',
  'rows-written',
  'committed',
  'files-removed',
];
const preload = new URL('../support/crash-at-commit.mjs', import.meta.url).pathname;

for (const at of points) {
  test(`a kill at the point ${at} of a commit loses nothing`, { timeout: 60_000 }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-crash-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const markFile = join(folder, 'crashed');
    const { sink, port, gateway } = await startStage(t, {
      NODE_OPTIONS: `--import=${preload}`,
      POSTERN_TEST_CRASH: JSON.stringify({ at, commit: 25, markFile }),
    });
    const running = startLoad({ ...load, port, name: at });
    await waitFor('the crash', () => existsSync(markFile));
    await running.stop();
    await waitForGreeting(port);
    const after = startLoad({ ...load, clients: 2, port, name: `after-${at}` });
    await waitFor('mail after the crash', () => after.accepted.size > 10);
    await after.stop();
    await drain(gateway, sink);
    assertNothingLost(sink, new Set([...running.accepted, ...after.accepted]));
    await gateway.stop();
  });
}
