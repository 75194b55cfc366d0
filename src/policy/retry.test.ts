/** The retry schedule, by examples and as properties. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { defaultRetrySchedule, isExpired, nextAttemptAt } from './retry.ts';

const minute = 60_000;
const late = (): number => 0;

const schedules = fc.record({
  firstRetryMs: fc.integer({ min: 1000, max: 15 * minute }),
  maxRetryMs: fc.integer({ min: 15 * minute, max: 60 * minute }),
  expiryMs: fc.integer({ min: 60 * minute, max: 7 * 24 * 60 * minute }),
});
const states = fc.record({
  fromMs: fc.integer({ min: 0, max: 2 ** 41 }),
  attempts: fc.integer({ min: 1, max: 5000 }),
  ageMs: fc.integer({ min: 0, max: 8 * 24 * 60 * minute }),
});
const chances = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

describe('nextAttemptAt', () => {
  it('waits 15 minutes, half an hour, then an hour each', () => {
    const waits = [1, 2, 3, 4, 40].map((attempts) =>
      nextAttemptAt(defaultRetrySchedule, { fromMs: 0, attempts, nowMs: 0 }, late),
    );
    assert.deepEqual(
      waits,
      [15, 30, 60, 60, 60].map((n) => n * minute),
    );
  });

  it('makes the last attempt when the expiry falls due', () => {
    const nowMs = 24 * 60 * minute - 5 * minute;
    const next = nextAttemptAt(defaultRetrySchedule, { fromMs: 0, attempts: 9, nowMs }, late);
    assert.equal(next, 24 * 60 * minute);
    assert.ok(isExpired(defaultRetrySchedule, { fromMs: 0, nowMs: next }));
    assert.ok(!isExpired(defaultRetrySchedule, { fromMs: 0, nowMs }));
  });

  it('is always later than now, never later than the maximum or the expiry', () => {
    fc.assert(
      fc.property(schedules, states, chances, (schedule, { fromMs, attempts, ageMs }, chance) => {
        const nowMs = fromMs + ageMs;
        const next = nextAttemptAt(schedule, { fromMs, attempts, nowMs }, () => chance);
        assert.ok(next > nowMs);
        assert.ok(next <= nowMs + Math.max(1, schedule.maxRetryMs));
        if (!isExpired(schedule, { fromMs, nowMs })) {
          assert.ok(next <= fromMs + schedule.expiryMs);
          assert.ok(next >= Math.min(fromMs + schedule.expiryMs, nowMs + 0.79 * 1000));
        }
        if (attempts === 1) assert.ok(next <= nowMs + schedule.firstRetryMs);
      }),
    );
  });

  it('never waits shorter after more attempts', () => {
    fc.assert(
      fc.property(schedules, states, (schedule, { fromMs, attempts }) => {
        const wait = (n: number): number =>
          nextAttemptAt(schedule, { fromMs, attempts: n, nowMs: fromMs }, late);
        assert.ok(wait(attempts + 1) >= wait(attempts));
      }),
    );
  });

  it('ends: repeated attempts reach the expiry', () => {
    fc.assert(
      fc.property(schedules, chances, (schedule, chance) => {
        let nowMs = 0;
        let attempts = 0;
        while (!isExpired(schedule, { fromMs: 0, nowMs })) {
          attempts += 1;
          assert.ok(attempts < 2000);
          nowMs = nextAttemptAt(schedule, { fromMs: 0, attempts, nowMs }, () => chance);
        }
        assert.equal(nowMs, schedule.expiryMs);
      }),
    );
  });
});
