/**
 * A destination, or DNS, that is dead for an hour, and a partner that takes connections and drops
 * them: everything arrives afterwards, nothing is returned, and nobody else waits.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fate } from './simulation.ts';
import { startMs, World } from './simulation.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Mail each minute to a domain that is dead for the first hour, and to one that never is. */
async function live(isDead: (domain: string) => boolean, attemptMs: number) {
  const world: World = new World({
    seed: 3,
    limits: { inFlightMax: 20, inFlightPerRouteMax: 5, readyMax: 100, readyPerRouteMax: 50 },
    attemptMs: ({ recipients }) => (isDead(recipients[0]!.domain) ? attemptMs : 100),
    fateOf: ({ domain }): Fate =>
      isDead(domain) && world.clock.nowMs < startMs + hourMs ? 'deferred' : 'delivered',
  });
  await world.start();
  const sent: string[] = [];
  for (let minute = 0; minute < 60; minute++) {
    for (const domain of ['dead.test', 'well.test', 'also-dead.test']) {
      for (let i = 0; i < 3; i++) {
        const { message, done } = world.accept([`m${minute}x${i}@${domain}`]);
        await done;
        sent.push(`${message.id} m${minute}x${i}@${domain}`);
      }
    }
    await world.clock.run(minuteMs);
  }
  return { world, sent };
}

/** How long after acceptance the slowest delivery to the domain began, in ms. */
function slowest(world: World, domain: string): number {
  const waits = world.attempts
    .filter(({ delivery }) => delivery.recipients[0]!.domain === domain)
    .map(({ delivery, endedAtMs }) => endedAtMs - delivery.receivedAtMs);
  return Math.max(...waits);
}

describe('an hour in which nothing can be delivered', () => {
  it('such as without DNS: all of it waits, and leaves within the longest retry', async () => {
    const { world, sent } = await live(() => true, 5000);
    assert.equal(world.delivered.size, 0);
    await world.clock.run(61 * minuteMs);
    assert.deepEqual([...world.delivered.keys()].sort(), sent.sort());
    assert.ok([...world.delivered.values()].every((times) => times === 1));
    assert.equal(world.dsnInputs.length, 0, 'nobody is told, as it is no four hours');
    assert.deepEqual(await world.stored.summarize(), { queued: 0, held: 0, routes: [] });
  });

  it('ends at once for what waited, when it is ordered to be tried', async () => {
    const { world, sent } = await live(() => true, 5000);
    const match = { state: 'queued' } as const;
    const order = { action: 'retry', match, by: 'test', acceptsWeakerPolicy: false } as const;
    const first = await world.queue.command({ ...order, after: null });
    await world.queue.command({ ...order, after: first.next });
    await world.clock.run(6 * minuteMs);
    // Those that had their first attempt just then may have been under way.
    assert.ok(world.delivered.size > sent.length - 20, `${world.delivered.size} of ${sent.length}`);
  });
});

describe('a partner that takes connections and drops them for an hour', () => {
  it('loses nothing, and slows nobody else down', async () => {
    // Two minutes per attempt: as slow as a partner can be that is about to drop each connection.
    const { world, sent } = await live((domain) => domain !== 'well.test', 2 * minuteMs);
    const well = sent.filter((name) => name.endsWith('@well.test'));
    assert.equal(world.delivered.size, well.length);
    assert.ok(slowest(world, 'well.test') < 2000, `${slowest(world, 'well.test')} ms`);
    await world.clock.run(4 * hourMs);
    assert.deepEqual([...world.delivered.keys()].sort(), sent.sort());
    assert.ok([...world.delivered.values()].every((times) => times === 1));
    assert.equal(
      world.dsnInputs.filter(({ recipients }) => recipients[0]!.action === 'failed').length,
      0,
    );
  });
});
