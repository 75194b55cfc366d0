import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchClock } from './watched-clock.ts';

const dayMs = 24 * 3600_000;

function start() {
  const at = { wallMs: 1_000_000, steadyMs: 5 };
  const jumps: number[] = [];
  const clock = watchClock((byMs) => jumps.push(byMs), {
    wall: () => at.wallMs,
    steady: () => at.steadyMs,
  });
  clock.close();
  const pass = (ms: number, steadyMs = ms): void => {
    at.wallMs += ms;
    at.steadyMs += steadyMs;
  };
  return { clock, jumps, pass };
}

test('a step is told once, by how much, before the time is used', () => {
  const { clock, jumps, pass } = start();
  pass(dayMs + 1000, 1000);
  assert.equal(clock.now(), 1_000_000 + dayMs + 1000);
  assert.deepEqual(jumps, [dayMs]);
  pass(5000);
  clock.now();
  pass(-dayMs + 1000, 1000);
  clock.now();
  assert.deepEqual(jumps, [dayMs, -dayMs]);
});

test('time that passes, long pauses and slewing are no steps', () => {
  const { clock, jumps, pass } = start();
  pass(dayMs);
  clock.now();
  for (let i = 0; i < 1000; i++) {
    pass(5000, 4500);
    clock.now();
  }
  assert.deepEqual(jumps, []);
});
