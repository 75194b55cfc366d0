/** The wall clock is set by a day, either way, while mail waits: the queue goes on as if it were not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fate, WorldOptions } from './simulation.ts';
import { startMs, World } from './simulation.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

async function start(options: WorldOptions = {}): Promise<World> {
  const world = new World({ attemptMs: () => 10_000, ...options });
  await world.start();
  return world;
}

/** When attempts ended, on a clock that nobody sets, in minutes from the start. */
function attemptsOf(world: World): number[] {
  return world.attempts.map(({ endedAtMs }) => (endedAtMs - startMs) / minuteMs);
}

/** The life of mail that is refused for now by everybody, with jumps after so many minutes. */
async function live(jumps: readonly (readonly [number, number])[]): Promise<World> {
  const world = await start({ seed: 7 });
  await world.accept(['t@a.test']).done;
  await world.accept(['t@b.test', 't@forced.test']).done;
  for (const [atMinute, byMs] of jumps) {
    await world.clock.runUntil(startMs + atMinute * minuteMs);
    world.jump(byMs);
  }
  await world.clock.runUntil(startMs + 26 * hourMs);
  return world;
}

/** Minutes at which: mail waits; an attempt is under way; just before and after a bounce is due. */
const moments = [7, 0.1, 60, 23 * 60, 24 * 60 - 0.1];

describe('a clock that jumps by a day while mail waits', () => {
  for (const byMs of [dayMs, -dayMs]) {
    const way = byMs > 0 ? 'forward' : 'back';
    it(`${way} changes nothing of attempts, notices and bounces`, async () => {
      const calm = await live([]);
      assert.ok(attemptsOf(calm).length > 50);
      for (const moment of moments) {
        const world = await live([[moment, byMs]]);
        assert.deepEqual(attemptsOf(world), attemptsOf(calm), `at minute ${moment}`);
        const told = (each: World) => each.dsnInputs.map(({ recipients }) => recipients[0]!.action);
        assert.deepEqual(told(world), told(calm));
        assert.deepEqual(await world.stored.summarize(), { queued: 0, held: 0, routes: [] });
      }
    });
  }

  it('there and back again is as if it had not', async () => {
    const calm = await live([]);
    const world = await live([
      [100, dayMs],
      [100.01, -dayMs],
      [200, -3 * dayMs],
      [300, 3 * dayMs],
    ]);
    assert.deepEqual(attemptsOf(world), attemptsOf(calm));
  });

  it('does not bring clear text nearer, which waits for 15 minutes between two failures', async () => {
    const world = await start();
    await world.accept(['t@a.test']).done;
    await world.clock.run(minuteMs);
    const [row] = await world.stored.listQueue({ limit: 1 });
    const failedTlsAtMs = [world.nowMs - 5000];
    await world.stored.commit({
      accepted: [],
      updated: [{ ...row!.delivery, failedTlsAtMs }],
      completed: [],
      traces: [],
      facts: [],
    });
    world.jump(dayMs);
    await world.clock.run(20 * minuteMs);
    const { delivery } = world.attempts.at(-1)!;
    assert.deepEqual(delivery.failedTlsAtMs, [failedTlsAtMs[0]! + dayMs]);
  });

  it('waits for a store that fails, and meanwhile tries nothing too early', async () => {
    const world = await start();
    await world.accept(['t@a.test']).done;
    await world.clock.run(minuteMs);
    world.commitFailures = 1;
    world.jump(dayMs);
    await world.clock.run(5 * minuteMs);
    assert.equal(world.attempts.length, 1);
    world.commitFailures = 0;
    await world.clock.run(15 * minuteMs);
    assert.equal(world.attempts.length, 2);
    const { queued } = await world.stored.summarize();
    assert.equal(queued, 1);
  });

  it('ends every recipient once, at whatever moment it comes', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const world = await start({
        seed,
        attemptMs: () => Math.floor(world.random() * 60_000),
        commitFailures: seed % 4 === 0 ? 0.2 : 0,
      });
      const done = [];
      for (let i = 0; i < 30; i++) {
        const name = ['d', 'td', 'ttd', 'tttttd', 'b', 't'][i % 6]!;
        done.push(world.accept([`${name}${i}@${'abc'[i % 3]!}.test`]).done.catch(() => undefined));
        await world.clock.run(Math.floor(world.random() * 10 * minuteMs));
        if (i % 5 === 4) world.jump((world.random() < 0.5 ? -1 : 1) * dayMs);
      }
      await Promise.all(done);
      world.commitFailures = 0;
      await world.clock.run(30 * hourMs);
      assert.deepEqual(await world.stored.summarize(), { queued: 0, held: 0, routes: [] });
      for (const [name, times] of world.delivered) assert.equal(times, 1, `seed ${seed}: ${name}`);
    }
  });
});

describe('a clock that was set back while the gateway stood still', () => {
  it('keeps no mail longer than the longest retry', async () => {
    const fateOf = (_: unknown, attempt: number): Fate =>
      attempt === 0 ? 'deferred' : 'delivered';
    const world = await start({ fateOf });
    await world.accept(['a@a.test']).done;
    await world.clock.run(minuteMs);
    world.crash();
    world.wallOffsetMs -= dayMs;
    await world.restart();
    await world.clock.run(61 * minuteMs);
    assert.equal(world.delivered.size, 1);
    assert.ok(world.logLines.some(({ text }) => text.includes('due later than any retry')));
  });
});
