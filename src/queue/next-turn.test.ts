/** Retries and delay notices: the notice comes with a failed attempt, once, and the schedule stays. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { StoredDelivery } from '../store/store.ts';
import { sampleDelivery } from '../store/sample-batch.ts';
import type { DelayCause, TurnBy } from './next-turn.ts';
import { planTurn } from './next-turn.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const fromMs = 1_800_000_000_000;
const schedule = { firstRetryMs: 15 * minuteMs, maxRetryMs: hourMs, expiryMs: 24 * hourMs };
const notices = { tlsMs: 5 * minuteMs, ordinaryMs: 4 * hourMs };
const fresh = sampleDelivery(1, 0, { retriesFromMs: fromMs, dueAtMs: fromMs });

function fail(
  delivery: StoredDelivery,
  cause: DelayCause,
  atMs: number,
  over: Partial<TurnBy> = {},
): ReturnType<typeof planTurn> {
  const by = { schedule, notices, nowMs: fromMs + atMs, random: () => 0, ...over };
  return planTurn(delivery, cause, by);
}

/** Fails at each time that it is due until the end; what was told when, and all attempts. */
function failUntilExpiry(cause: (attempt: number) => DelayCause, over: Partial<TurnBy> = {}) {
  const told: number[] = [];
  const attempts: number[] = [];
  const { expiryMs } = over.schedule ?? schedule;
  let delivery = fresh;
  for (let atMs = 0; atMs < expiryMs; atMs = delivery.dueAtMs - fromMs) {
    attempts.push(atMs);
    const turn = fail(delivery, cause(attempts.length), atMs, over);
    if (turn.isTold) told.push(atMs);
    delivery = turn.delivery;
    assert.equal(delivery.attempts, attempts.length);
    assert.ok(attempts.length < 200);
  }
  return { told, attempts };
}

describe('planTurn', () => {
  it('makes an attempt when the notice about TLS is due, which tells it', () => {
    const { told, attempts } = failUntilExpiry(() => 'tls');
    assert.deepEqual(told, [5 * minuteMs]);
    assert.deepEqual(
      attempts.slice(0, 4),
      [0, 5, 15, 45].map((minutes) => minutes * minuteMs),
    );
  });

  it('leaves the schedule as it is but for that attempt', () => {
    const without = failUntilExpiry(() => 'tls', { notices: null }).attempts;
    const { attempts } = failUntilExpiry(() => 'tls');
    assert.deepEqual(
      attempts.filter((atMs) => atMs !== 5 * minuteMs),
      without,
    );
  });

  it('tells of other delays once, after four hours', () => {
    const { told } = failUntilExpiry(() => 'ordinary');
    assert.deepEqual(told, [4 * hourMs]);
  });

  it('tells that TLS is why also after a notice of another cause, but not the other way round', () => {
    const later = failUntilExpiry((attempt) => (attempt < 12 ? 'ordinary' : 'tls'));
    assert.equal(later.told.length, 2);
    assert.equal(later.told[0], 4 * hourMs);
    const earlier = failUntilExpiry((attempt) => (attempt < 12 ? 'tls' : 'ordinary'));
    assert.deepEqual(earlier.told, [5 * minuteMs]);
  });

  it('tells nothing where nobody is to be told, or the time is 0', () => {
    for (const none of [null, { tlsMs: 0, ordinaryMs: 0 }]) {
      for (const cause of ['tls', 'ordinary'] as const) {
        assert.deepEqual(failUntilExpiry(() => cause, { notices: none }).told, []);
      }
    }
  });

  it('tells nothing that the bounce tells soon', () => {
    for (const expiryMs of [5 * minuteMs, 9 * minuteMs]) {
      const short = { schedule: { ...schedule, expiryMs } };
      const { told, attempts } = failUntilExpiry(() => 'tls', short);
      assert.deepEqual([told, attempts], [[], [0]]);
    }
    const late = fail(fresh, 'tls', 23 * hourMs + 56 * minuteMs);
    assert.equal(late.isTold, false);
  });

  it('counts an attempt that somebody asked for in between as one besides the schedule', () => {
    const first = fail(fresh, 'tls', 0).delivery;
    assert.equal(first.dueAtMs, fromMs + 5 * minuteMs);
    const asked = fail({ ...first, dueAtMs: fromMs + minuteMs }, 'tls', minuteMs).delivery;
    assert.equal(asked.dueAtMs, fromMs + 5 * minuteMs);
    const told = fail(asked, 'tls', 5 * minuteMs);
    assert.ok(told.isTold);
    assert.equal(told.delivery.dueAtMs, fromMs + 15 * minuteMs);
    assert.equal(told.delivery.attempts, 3);
    assert.ok(!('regularDueAtMs' in told.delivery));
  });

  it('is never later than the schedule, nor than the notice, whatever the times', () => {
    const cause = fc.constantFrom<DelayCause>('tls', 'ordinary');
    const ms = fc.integer({ min: 0, max: 30 * hourMs });
    fc.assert(
      fc.property(fc.array(cause, { minLength: 1 }), ms, ms, (causes, tlsMs, ordinaryMs) => {
        const over = { notices: { tlsMs, ordinaryMs } };
        const { told, attempts } = failUntilExpiry((n) => causes[n % causes.length]!, over);
        assert.ok(told.length <= 2);
        for (const [i, atMs] of attempts.entries()) {
          assert.ok(i === 0 || atMs - attempts[i - 1]! <= hourMs);
        }
      }),
    );
  });
});
