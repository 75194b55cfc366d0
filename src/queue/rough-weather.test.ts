/** The queue when the clock steps back, when it is told to stop, and when very many routes hang. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { WorldOptions } from './simulation.ts';
import { World } from './simulation.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

async function start(options: WorldOptions = {}): Promise<World> {
  const world = new World({ attemptMs: () => 100, ...options });
  await world.start();
  return world;
}

describe('a clock that steps back', () => {
  it('forgets no route that waits for room', async () => {
    const one = { inFlightMax: 1, inFlightPerRouteMax: 1, readyMax: 1, readyPerRouteMax: 1 };
    const world = await start({ limits: one, attemptMs: () => 10_000 });
    for (let i = 0; i < 5; i++) await world.accept(['d@a.test']).done;
    await world.clock.run(1000);
    world.clock.nowMs -= minuteMs;
    // A look at the queue while what waits seems not to be due.
    await world.accept(['d@b.test']).done;
    await world.clock.run(hourMs);
    assert.equal(world.delivered.size, 6);
    assert.deepEqual(await world.stored.summarize(), { queued: 0, held: 0, routes: [] });
  });

  it('keeps mail out no longer than the failure of the store lasted', async () => {
    const world = await start({ commitFailures: 1 });
    await assert.rejects(world.accept(['d@a.test']).done);
    world.clock.nowMs -= hourMs;
    world.commitFailures = 0;
    await world.clock.run(2000);
    assert.equal(world.queue.admit(), null);
  });
});

describe('stopping', () => {
  it('keeps the result of a delivery that ended after the grace, while the store is open', async () => {
    const world = await start({ attemptMs: () => 5500 });
    await world.accept(['d@a.test']).done;
    const stopped = world.queue.stop(5000);
    await world.clock.run(6000);
    await stopped;
    assert.equal(world.delivered.size, 1);
    assert.equal((await world.stored.summarize()).queued, 0);
  });
});

describe('routes that hang', () => {
  it('far more of them than places delay none that has delivered before', async () => {
    const isDead = (domain: string): boolean => domain.startsWith('dead');
    const world = await start({
      limits: { inFlightMax: 200, inFlightPerRouteMax: 20 },
      attemptMs: ({ recipients }) => (isDead(recipients[0]!.domain) ? 5 * minuteMs : 100),
    });
    await world.accept(['d@good.test']).done;
    await world.clock.run(minuteMs);
    for (let i = 0; i < 1000; i++) await world.accept([`t@dead${i % 500}.test`]).done;
    await world.clock.run(minuteMs);
    const { message } = world.accept(['d@good.test']);
    const sentAtMs = world.clock.nowMs;
    const isDelivered = (): boolean =>
      [...world.delivered.keys()].some((name) => name.includes(message.id));
    while (!isDelivered() && world.clock.nowMs - sentAtMs < 2 * hourMs) {
      await world.clock.run(1000);
    }
    const waitedMs = world.clock.nowMs - sentAtMs;
    assert.ok(waitedMs <= 1000, `it waited ${waitedMs / 1000} s`);
  });
});
