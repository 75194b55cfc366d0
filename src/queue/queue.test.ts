/** The queue by facts, on a virtual clock over the memory store. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatAddress } from '../mail/address.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import { Failure } from '../mail/failure.ts';
import { parseQueueId } from '../mail/queue-id.ts';
import type { Delivery } from '../policy/delivery.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import { isFailure } from '../store/conformance.ts';
import type { WorldOptions } from './simulation.ts';
import { nameOf, startMs, World } from './simulation.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const encrypted: Clause = { kind: 'encrypted', origin: { kind: 'connector', name: 'partner' } };

async function start(options: WorldOptions = {}): Promise<World> {
  const world = new World({ attemptMs: () => 100, ...options });
  await world.start();
  return world;
}

/** Accepts and lets it be tried once. */
async function send(world: World, recipients: readonly string[], over = {}): Promise<string> {
  const { message, done } = world.accept(recipients, over);
  await world.clock.run(50);
  await done;
  await world.clock.run(1000);
  return message.id;
}

const routeOf = ({ recipients }: Delivery): string => recipients[0]!.domain;
const tries = (world: World, id: string): readonly Delivery[] =>
  world.attempts.map(({ delivery }) => delivery).filter((delivery) => delivery.id === id);

async function traceOf(world: World, id: string): Promise<string[]> {
  const { records } = await world.stored.readTrace(parseQueueId(id)!.key);
  return records.map(({ kind }) => kind);
}

describe('accept', () => {
  it('stores before it resolves, then delivers from memory in one attempt per route', async () => {
    const world = await start();
    world.stored.readMessage = () => assert.fail('read from the store');
    const id = await send(world, ['d1@a.test', 'd2@a.test', 'd3@b.test']);
    assert.deepEqual(
      tries(world, id).map(({ ordinal, recipients }) => [ordinal, recipients.map(formatAddress)]),
      [
        [0, ['d1@a.test', 'd2@a.test']],
        [1, ['d3@b.test']],
      ],
    );
    assert.deepEqual(await world.stored.summarize(), { queued: 0, held: 0, routes: [] });
    assert.deepEqual(await traceOf(world, id), ['received', 'attempt', 'attempt']);
  });

  it('passes a refusal of the store on, and forgets the message', async () => {
    const world = await start({ commitFailures: 1 });
    const { done } = world.accept(['d@a.test']);
    await assert.rejects(done, isFailure('store-full'));
    await world.clock.run(hourMs);
    assert.deepEqual(world.attempts, []);
    assert.deepEqual(world.queue.counts().routes, 0);
  });

  it('answers 452 while the store fails, and when too much waits', async () => {
    const world = await start({ limits: { waitingMax: 2 } });
    assert.equal(world.queue.admit(), null);
    world.commitFailures = 1;
    await assert.rejects(world.accept(['d@a.test']).done);
    assert.equal(world.queue.admit()!.code, 452);
    world.commitFailures = 0;
    await world.clock.run(2000);
    assert.equal(world.queue.admit(), null);
    await send(world, ['h@a.test', 't@b.test']);
    assert.equal(world.queue.admit()!.code, 452);
    assert.equal(formatEnhancedStatus(world.queue.admit()!.status!), '4.3.1');
  });

  it('gives ids that rise, above the last one of an earlier life and a clock set back', async () => {
    const world = await start();
    const first = await send(world, ['d@a.test']);
    world.clock.nowMs -= hourMs;
    await world.restart();
    const next = world.queue.newId();
    assert.ok(next > first && world.queue.newId() > next);
    assert.equal(parseQueueId(next)!.shard, 3);
  });
});

describe('the log', () => {
  it('tells each attempt by queue id: who, what, why, and when again', async () => {
    const world = await start();
    const id = await send(world, ['d1@a.test', 'd2@a.test', 'tb@a.test']);
    const [delivered, deferred] = world.logLines;
    assert.deepEqual(delivered, {
      level: 'info',
      fields: {
        queueId: id,
        ordinal: 0,
        attempt: 1,
        connector: undefined,
        recipients: ['d1@a.test', 'd2@a.test'],
        recipientCount: 2,
        remote: null,
        tls: null,
        status: '2.0.0',
        reason: 'simulated: delivered',
      },
      text: 'delivered',
    });
    assert.equal(deferred!.level, 'warn');
    assert.equal(deferred!.text, 'deferred');
    assert.ok('nextAttemptAt' in deferred!.fields);
    await world.clock.run(16 * minuteMs);
    assert.deepEqual(
      world.logLines.slice(2, 4).map(({ text }) => text),
      ['bounced', 'dsn written'],
    );
  });
});

describe('retries', () => {
  it('come after 15, 30, then 60 minutes, earlier by a fifth at most', async () => {
    const world = await start();
    const id = await send(world, ['t@a.test']);
    await world.clock.run(6 * hourMs);
    const times = world.attempts.map(({ endedAtMs }) => endedAtMs);
    const waits = times.slice(1).map((time, i) => (time - times[i]! - 100) / minuteMs);
    for (const [i, longest] of [15, 30, 60, 60, 60].entries()) {
      assert.ok(waits[i]! <= longest && waits[i]! >= 0.8 * longest, `${i}: ${waits[i]}`);
    }
    assert.deepEqual(
      tries(world, id).map(({ attempts }) => attempts),
      tries(world, id).map((_, i) => i),
    );
  });

  it('end after 24 hours with one DSN, status 4.4.7', async () => {
    const world = await start();
    const id = await send(world, ['t@a.test', 'tt@a.test']);
    await world.clock.run(25 * hourMs);
    assert.deepEqual(
      world.dsnInputs.map(({ recipients }) => recipients.map(({ action }) => action)),
      [
        ['delayed', 'delayed'],
        ['failed', 'failed'],
      ],
    );
    const { about, recipients, hostName, postmaster } = world.dsnInputs[1]!;
    assert.equal(about.id, id);
    assert.equal(hostName, 'mail.example.test');
    assert.equal(formatAddress(postmaster), 'postmaster@mail.example.test');
    assert.deepEqual(
      recipients.map(({ outcome }) => [outcome.kind, formatEnhancedStatus(outcome.status)]),
      [
        ['bounced', '4.4.7'],
        ['bounced', '4.4.7'],
      ],
    );
    const last = world.attempts.findLast(({ delivery }) => delivery.id === id)!;
    assert.ok(Math.abs(last.endedAtMs - startMs - 24 * hourMs) < 10_000);
    const kinds = await traceOf(world, id);
    assert.deepEqual(kinds.slice(-3), ['attempt', 'expired', 'dsn']);
    assert.equal(world.queue.counts().queued, 0);
  });

  it('resume after a restart when they fall due', async () => {
    const world = await start();
    const id = await send(world, ['td@a.test']);
    await world.restart();
    await world.clock.run(5 * minuteMs);
    assert.equal(tries(world, id).length, 1);
    await world.clock.run(11 * minuteMs);
    assert.equal(tries(world, id).length, 2);
  });

  it('a defect in an attempt defers the mail and stops nothing', async () => {
    const world = await start();
    const id = await send(world, ['xd@a.test']);
    assert.equal(world.queue.counts().queued, 1);
    await send(world, ['d@b.test']);
    await world.clock.run(16 * minuteMs);
    assert.equal(tries(world, id).length, 1);
    assert.equal(world.queue.counts().queued, 0);
  });
});

describe('the failed DSN', () => {
  it('is about all recipients that failed in one attempt, and is delivered itself', async () => {
    const world = await start();
    const id = await send(world, ['b1@a.test', 'b2@a.test', 'd@a.test']);
    await world.clock.run(10_000);
    const names = ['b1@a.test', 'b2@a.test'].map((text) => `failed ${id} ${text}`);
    assert.deepEqual([...world.told.keys()], names);
    const [dsnId] = world.told.get(names[0]!)!;
    assert.deepEqual(world.told.get(names[1]!), new Set([dsnId]));
    const dsn = tries(world, dsnId!)[0]!;
    assert.equal(dsn.reversePath, null);
    assert.deepEqual(dsn.recipients.map(formatAddress), ['anna@contoso.com']);
    assert.deepEqual(dsn.floor, []);
    assert.deepEqual(await traceOf(world, id), ['received', 'attempt', 'dsn']);
  });

  it('is never about mail with the null reverse-path', async () => {
    const world = await start();
    const id = await send(world, ['b@a.test'], { reversePath: null });
    assert.deepEqual(world.dsnInputs, []);
    assert.equal(world.queue.counts().queued, 0);
    assert.deepEqual(await traceOf(world, id), ['received', 'attempt']);
  });

  it('about forced mail must travel encrypted, whoever wrote it', async () => {
    const world = await start({ clauses: [encrypted] });
    const id = await send(world, ['b@a.test']);
    await world.clock.run(10_000);
    const { about } = world.dsnInputs[0]!;
    assert.equal(about.isForced, true);
    assert.deepEqual(world.dsnInputs[0]!.recipients[0]!.clauses, [encrypted]);
    const [dsnId] = world.told.get(`failed ${id} b@a.test`)!;
    const ofDsn: Clause = { kind: 'encrypted', origin: { kind: 'dsn', name: id } };
    assert.deepEqual(tries(world, dsnId!)[0]!.floor, [ofDsn, encrypted]);
  });

  it('gets the header, never the body', async () => {
    const world = await start();
    const id = await send(world, ['b@a.test']);
    assert.equal(world.dsnInputs[0]!.about.header!.toString(), `Subject: ${id}\r\n\r\n`);
  });
});

describe('a commit that fails after delivery', () => {
  it('is tried again; nothing is sent twice', async () => {
    const world = await start();
    const { message, done } = world.accept(['d@a.test']);
    await done;
    world.commitFailures = 1;
    await world.clock.run(2 * hourMs);
    assert.equal(world.delivered.get(nameOf(message.id, message.recipients[0]!)), 1);
    assert.equal(world.queue.counts().settling, 1);
    world.commitFailures = 0;
    await world.clock.run(minuteMs);
    assert.equal(world.delivered.size, 1);
    assert.equal(world.queue.counts().settling, 0);
    assert.equal(world.queue.counts().queued, 0);
  });

  it('stops further attempts when too many results wait', async () => {
    const world = await start({ limits: { settlingMax: 2, inFlightMax: 2 } });
    for (let i = 0; i < 10; i++) await world.accept([`d${i}@a${i}.test`]).done;
    world.commitFailures = 1;
    await world.clock.run(hourMs);
    assert.ok(world.attempts.length <= 4, `${world.attempts.length} attempts`);
    world.commitFailures = 0;
    await world.clock.run(hourMs);
    assert.equal(world.attempts.length, 10);
  });
});

describe('fairness and bounds', () => {
  it('a destination that never answers starves no other', async () => {
    const attemptMs = (delivery: Delivery): number =>
      routeOf(delivery) === 'slow.test' ? Infinity : 100;
    const world = await start({ attemptMs });
    for (let i = 0; i < 100; i++) await world.accept([`d${i}@slow.test`]).done;
    for (let i = 0; i < 20; i++) await world.accept([`d${i}@fast.test`]).done;
    await world.clock.run(10_000);
    assert.equal(world.delivered.size, 20);
    assert.equal(world.queue.counts().inFlight, 3);
  });

  it('many slow destinations leave room for the next one', async () => {
    const attemptMs = (delivery: Delivery): number =>
      routeOf(delivery).startsWith('slow') ? Infinity : 100;
    const limits = { inFlightMax: 60, inFlightPerRouteMax: 20, readyMax: 1000 };
    const world = await start({ attemptMs, limits });
    for (let i = 0; i < 8; i++) {
      for (let k = 0; k < 20; k++) await world.accept([`d${k}@slow${i}.test`]).done;
    }
    for (let i = 0; i < 20; i++) await world.accept([`d${i}@fast.test`]).done;
    await world.clock.run(minuteMs);
    assert.equal(world.delivered.size, 20);
  });

  it('a destination that fails gets fewer attempts at once, one that works more', async () => {
    const limits = {
      inFlightMax: 100,
      inFlightPerRouteMax: 20,
      readyMax: 1000,
      readyPerRouteMax: 500,
    };
    let atOnce = 0;
    let most = 0;
    const attemptMs = (delivery: Delivery): number => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      world.clock.setTimer(100, () => (atOnce -= 1));
      return routeOf(delivery) === 'a.test' ? 100 : 101;
    };
    const world = await start({ attemptMs, limits });
    for (let i = 0; i < 100; i++) await world.accept(['d@a.test']).done;
    await world.clock.run(101);
    assert.equal(most, 10);
    await world.clock.run(5000);
    assert.equal(most, 20);
    most = 0;
    for (let i = 0; i < 20; i++) await world.accept(['t@b.test']).done;
    assert.equal(most, 5);
    await world.clock.run(150);
    most = 0;
    await world.clock.run(500);
    assert.equal(most, 1);
  });

  it('takes turns between routes', async () => {
    const world = await start({ limits: { inFlightMax: 2 } });
    for (const domain of ['a.test', 'b.test', 'c.test']) {
      for (let i = 0; i < 4; i++) await world.accept([`d${i}@${domain}`]).done;
    }
    await world.clock.run(minuteMs);
    const order = world.attempts.map(({ delivery }) => routeOf(delivery));
    for (let i = 2; i < 11; i += 3) {
      assert.equal(new Set(order.slice(i, i + 3)).size, 3, order.join(' '));
    }
  });

  it('what does not fit into memory waits in the store and is delivered all the same', async () => {
    const limits = { readyMax: 4, readyPerRouteMax: 3, inMemoryBytesMax: 50, inFlightMax: 2 };
    const world = await start({ limits, storeMs: 5 });
    const sent = Array.from({ length: 200 }, (_, i) => world.accept([`d@r${i % 7}.test`]).done);
    await world.clock.run(10 * minuteMs);
    await Promise.all(sent);
    assert.equal(world.delivered.size, 200);
    assert.equal(world.attempts.length, 200);
    assert.equal(world.maxInFlight, 2);
    const { queued, ready, bytesInMemory, routes } = world.queue.counts();
    assert.deepEqual([queued, ready, bytesInMemory, routes], [0, 0, 0, 0]);
  });

  it('begins with the longest due after a restart', async () => {
    const attemptMs = (): number => 1000;
    const world = await start({ attemptMs, limits: { inFlightMax: 1 } });
    const ids: string[] = [];
    for (let i = 0; i < 30; i++) {
      const { message, done } = world.accept(['d@a.test']);
      ids.push(message.id);
      await world.clock.run(1);
      await done;
    }
    await world.restart();
    await world.clock.run(2 * minuteMs);
    assert.deepEqual(
      world.attempts.map(({ delivery }) => delivery.id),
      ids,
    );
  });
});

describe('stop', () => {
  it('waits for attempts under way and their commits, and begins none', async () => {
    const world = await start({ limits: { inFlightMax: 1 }, storeMs: 20 });
    const sent = [world.accept(['d@a.test']).done, world.accept(['d@b.test']).done];
    await world.clock.run(60);
    await Promise.all(sent);
    let isStopped = false;
    const stopped = world.queue.stop(5000).then(() => (isStopped = true));
    assert.equal(world.queue.admit()!.code, 421);
    await assert.rejects(world.accept(['d@c.test']).done, isFailure('queue-stopped'));
    await world.clock.run(500);
    assert.ok(isStopped);
    await stopped;
    assert.equal(world.attempts.length, 1);
    assert.equal((await world.stored.summarize()).queued, 1);
  });

  it('leaves what takes longer than the grace for the restart', async () => {
    const world = await start({ attemptMs: () => Infinity });
    await world.accept(['d@a.test']).done;
    let isStopped = false;
    void world.queue.stop(5000).then(() => (isStopped = true));
    await world.clock.run(4999);
    assert.ok(!isStopped);
    await world.clock.run(2);
    assert.ok(isStopped);
    assert.equal((await world.stored.summarize()).queued, 1);
  });
});

describe('a store that cannot be read', () => {
  it('delays, and loses nothing', async () => {
    const world = await start();
    const id = await send(world, ['td@a.test']);
    const listDue = world.stored.listDue.bind(world.stored);
    const readMessage = world.stored.readMessage.bind(world.stored);
    const fail = async (): Promise<never> => {
      throw new Failure('store-io', 'the disk does not answer');
    };
    world.stored.listDue = fail;
    await world.clock.run(20 * minuteMs);
    world.stored.listDue = listDue;
    world.stored.readMessage = fail;
    await world.clock.run(20 * minuteMs);
    assert.equal(tries(world, id).length, 1);
    world.stored.readMessage = readMessage;
    await world.clock.run(2 * minuteMs);
    assert.equal(tries(world, id).length, 2);
    assert.equal(world.queue.counts().queued, 0);
  });
});
