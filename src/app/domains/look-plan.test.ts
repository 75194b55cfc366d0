import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterLook, neverLooked } from './look-plan.ts';
import type { Look } from './look-up.ts';

function minutesAfter(result: Look['result'], looks: number): number[] {
  let state = neverLooked;
  return Array.from({ length: looks }, () => {
    state = afterLook(state, { at: '', result, text: '' }, 0);
    return state.nextAtMs / 60_000;
  });
}

test('looks come ever more seldom, at least once an hour', () => {
  assert.deepEqual(minutesAfter('absent', 9), [0.5, 1, 2, 4, 8, 16, 32, 60, 60]);
  assert.equal(minutesAfter('other-token', 5_000).at(-1), 60);
});

test('without an answer of DNS at least every five minutes', () => {
  assert.deepEqual(minutesAfter('no-answer', 6), [0.5, 1, 2, 4, 5, 5]);
});
