import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { administrator, ask, doorCa, doorName, openDoor } from '../../test/support/api-door.ts';
import type { ApiDoor } from '../../test/support/api-door.ts';
import { sampleRows } from '../../test/support/api-services.ts';
import type { Actor } from '../identity/actor.ts';
import type { EventBounds } from './serve/event-streams.ts';
import type { IdentifiedQueueRow } from './services.ts';
import { watchTraces } from './trace-events.ts';
import { formatQueueId, nextQueueKey } from '../mail/queue-id.ts';
import type { TracedView } from './contract/trace-search.ts';

const quick: EventBounds = {
  streamsMax: 3,
  streamsPerPersonMax: 2,
  heartbeatMs: 10_000,
  lifetimeMs: 60_000,
  pollMs: 20,
};

interface Stream {
  /** What came so far. */
  text(): string;
  readonly ended: Promise<unknown>;
  waitFor(words: RegExp): Promise<void>;
  close(): void;
}

async function open(t: TestContext, door: ApiDoor, path: string, isRead = true): Promise<Stream> {
  const outgoing = request({
    host: '127.0.0.1',
    port: door.port,
    servername: doorName,
    ca: doorCa.pem,
    agent: false,
    path,
    headers: { host: door.host, authorization: 'Bearer right' },
  });
  outgoing.on('error', () => undefined);
  outgoing.end();
  t.after(() => outgoing.destroy());
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  assert.equal(incoming.headers['content-type'], 'text/event-stream');
  let text = '';
  incoming.on('error', () => undefined);
  if (isRead) incoming.on('data', (bytes: Buffer) => (text += bytes.toString()));
  return {
    text: () => text,
    ended: new Promise((resolve) => incoming.once('close', resolve)),
    async waitFor(words) {
      for (let tries = 0; !words.test(text); tries++) {
        assert.ok(tries < 3000, `in vain for ${words}: ${text}`);
        await sleep(10);
      }
    },
    close: () => void outgoing.destroy(),
  };
}

test('the queue is shown whole, then what changes in it', async (t) => {
  let rows: readonly IdentifiedQueueRow[] = sampleRows.slice(0, 1);
  const services = { listQueue: async () => rows };
  const door = await openDoor(t, { services, limits: { events: quick } });
  const stream = await open(t, door, '/v1/queue/events');
  await stream.waitFor(/event: snapshot\ndata: .*"06X9T5K1G000".*\n\n/);
  assert.doesNotMatch(stream.text(), /event: row/);
  rows = sampleRows;
  await stream.waitFor(/event: row\ndata: \{"id":"06X9T5K1H000".*\n\n/);
  rows = sampleRows.slice(1);
  await stream.waitFor(/event: gone\ndata: \{"id":"06X9T5K1G000","ordinal":0\}\n\n/);
  assert.equal(stream.text().match(/event: /g)?.length, 3);
});

test('a line goes out where nothing happens', async (t) => {
  const services = { listQueue: async () => [] };
  const door = await openDoor(t, { services, limits: { events: { ...quick, heartbeatMs: 30 } } });
  const stream = await open(t, door, '/v1/queue/events');
  await stream.waitFor(/(?:: nothing new\n\n){2}/);
});

test('nothing is looked at any more once the client has gone', async (t) => {
  let looks = 0;
  const listQueue = async () => {
    looks++;
    return [];
  };
  const door = await openDoor(t, { services: { listQueue }, limits: { events: quick } });
  const stream = await open(t, door, '/v1/queue/events');
  await stream.waitFor(/snapshot/);
  stream.close();
  await sleep(200);
  const after = looks;
  await sleep(200);
  assert.equal(looks, after);
});

test('nothing is looked at while a client does not read', async (t) => {
  let looks = 0;
  const listQueue = async () => {
    looks++;
    const [row] = sampleRows;
    return [
      { ...row!, delivery: { ...row!.delivery, routeKey: `${looks} ${'x'.repeat(500_000)}` } },
    ];
  };
  const events = { ...quick, pollMs: 1 };
  const door = await openDoor(t, { services: { listQueue }, limits: { events } });
  const stream = await open(t, door, '/v1/queue/events', false);
  const seen: number[] = [];
  while (seen.length < 40 && (seen.length < 2 || seen.at(-1) !== seen.at(-2))) {
    await sleep(250);
    seen.push(looks);
  }
  assert.ok(looks > 0 && seen.length < 40, `looks went on: ${seen.join(' ')}`);
  stream.close();
});

test('a stream ends when its time is over, and when the gateway stops', async (t) => {
  const services = { listQueue: async () => [] };
  const short = await openDoor(t, { services, limits: { events: { ...quick, lifetimeMs: 100 } } });
  await (
    await open(t, short, '/v1/queue/events')
  ).ended;
  const door = await openDoor(t, { services, limits: { events: quick } });
  const stream = await open(t, door, '/v1/queue/events');
  await stream.waitFor(/snapshot/);
  door.stopping.abort();
  await stream.ended;
});

test('there are so many streams of one actor, and what ended makes room', async (t) => {
  const services = { listQueue: async () => [] };
  const door = await openDoor(t, { services, limits: { events: quick } });
  const path = '/v1/queue/events';
  const [first] = [await open(t, door, path), await open(t, door, path)];
  const refused = await ask(door, { path });
  assert.equal(refused.problem?.code, 'api-busy');
  // A look without a body is no stream.
  assert.equal((await ask(door, { path, method: 'HEAD' })).status, 200);
  first.close();
  await sleep(100);
  await (await open(t, door, path)).waitFor(/snapshot/);
});

test('a stream ends when who asked is no longer known, or has other rights', async (t) => {
  const narrower: Actor = {
    ...administrator,
    grants: [{ role: 'help-desk', organization: 'contoso' }],
  };
  for (const later of [null, narrower]) {
    for (const listQueue of [async () => [], async () => [changedRow()]]) {
      let actor: Actor | null = administrator;
      const events = { ...quick, heartbeatMs: 50 };
      const door = await openDoor(t, {
        services: { listQueue },
        authenticate: () => actor,
        limits: { events },
      });
      const stream = await open(t, door, '/v1/queue/events');
      await stream.waitFor(/snapshot/);
      actor = later;
      const ended = await Promise.race([stream.ended, sleep(5000, 'never', { ref: false })]);
      assert.notEqual(ended, 'never');
    }
  }
});

test('asking again is no use of a session, and a stream that ended looks no more', async (t) => {
  const uses: unknown[] = [];
  let [looks, isKnown] = [0, true];
  const door = await openDoor(t, {
    services: {
      listQueue: async () => {
        looks++;
        return [];
      },
    },
    authenticate: (_credentials, isUse) => {
      uses.push(isUse);
      return isKnown ? administrator : null;
    },
    limits: { events: { ...quick, heartbeatMs: 30 } },
  });
  const stream = await open(t, door, '/v1/queue/events');
  await stream.waitFor(/nothing new/);
  isKnown = false;
  await stream.ended;
  assert.deepEqual([uses[0], ...new Set(uses.slice(1))], [true, false]);
  await sleep(50);
  const after = looks;
  await sleep(100);
  assert.equal(looks, after);
});

let changes = 0;

function changedRow(): IdentifiedQueueRow {
  const [row] = sampleRows;
  return { ...row!, delivery: { ...row!.delivery, attempts: ++changes } };
}

test('sessions of one person count together', async (t) => {
  let session = 0;
  const authenticate = (): Actor => ({
    ...administrator,
    kind: 'session',
    narrowing: null,
    credential: `s${++session}`,
  });
  const listQueue = async () => [];
  // Nobody is asked again: each request here is another session.
  const events = { ...quick, pollMs: 60_000 };
  const door = await openDoor(t, { services: { listQueue }, authenticate, limits: { events } });
  const path = '/v1/queue/events';
  await open(t, door, path);
  await open(t, door, path);
  assert.equal((await ask(door, { path })).problem?.code, 'api-busy');
});

test('what breaks is told as the last event, and tells nothing of itself', async (t) => {
  const listQueue = async () => {
    throw new Error('secret');
  };
  const door = await openDoor(t, { services: { listQueue }, limits: { events: quick } });
  const stream = await open(t, door, '/v1/queue/events');
  await stream.ended;
  assert.match(stream.text(), /event: problem\ndata: .*api-internal/);
  assert.doesNotMatch(stream.text(), /secret/);
});

const startMs = Date.UTC(2026, 10, 22, 10, 0, 0);

function traced(atMs: number, state: 'queued' | 'delivered' = 'queued'): TracedView {
  const at = new Date(atMs).toISOString();
  const recipient = { recipient: 'a@b.test', aliasedFrom: null, status: '', reason: '', at, state };
  const id = formatQueueId({ key: nextQueueKey(atMs, 0), shard: 0 });
  return { id, at, from: null, recipientCount: 1, recipients: [recipient] };
}

function watch(lastId: string | null) {
  const state = { nowMs: startMs, rows: [] as TracedView[], next: null as string | null };
  const sinces: string[] = [];
  const look = watchTraces({
    search: async (since) => {
      sinces.push(since);
      const rows = state.rows.filter(({ at }) => at >= since).toReversed();
      return { rows, next: state.next };
    },
    nowMs: () => state.nowMs,
    lastId,
  });
  return { state, sinces, look };
}

test('new traces are told once each, oldest first, and again when their state changes', async () => {
  const { state, look } = watch(null);
  state.rows = [traced(startMs - 1000)];
  assert.deepEqual(await look(), []);
  const [one, two] = [traced(startMs + 1000), traced(startMs + 2000)];
  state.rows.push(one, two);
  state.nowMs += 3000;
  assert.deepEqual(await look(), [
    { event: 'trace', id: one.id, data: one },
    { event: 'trace', id: two.id, data: two },
  ]);
  assert.deepEqual(await look(), []);
  const delivered = traced(startMs + 1000, 'delivered');
  state.rows = [delivered, two];
  // The id never goes back: who is cut off now has seen both.
  assert.deepEqual(await look(), [{ event: 'trace', id: two.id, data: delivered }]);
});

test('a client that was cut off is told what it missed, up to an hour', async () => {
  const missed = traced(startMs - 600_000);
  const away = traced(startMs - 900_000);
  const { state, look, sinces } = watch(away.id);
  state.rows = [away, missed];
  assert.deepEqual(
    (await look()).map(({ data }) => data),
    [away, missed],
  );
  state.nowMs += 1000;
  await look();
  assert.equal(sinces[1], new Date(startMs + 1000 - 60_000).toISOString());
  const long = watch(traced(startMs - 7200_000).id);
  await long.look();
  assert.equal(long.sinces[0], new Date(startMs - 3600_000).toISOString());
  for (const id of ['no id', traced(startMs + 1).id]) {
    const { look: lookNow, sinces: from } = watch(id);
    await lookNow();
    assert.equal(from[0], new Date(startMs).toISOString());
  }
});

test('more than a look tells is said, not passed over', async () => {
  const { state, look } = watch(null);
  state.next = 'cursor';
  state.rows = [traced(startMs + 1)];
  const [gap, trace] = await look();
  assert.equal(gap?.event, 'gap');
  assert.equal(trace?.event, 'trace');
});
