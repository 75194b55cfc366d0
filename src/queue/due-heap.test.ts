import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { DueHeap } from './due-heap.ts';

it('gives wake-up times in order, and only those that are due', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 50 })),
      fc.integer({ min: 0, max: 50 }),
      (times, now) => {
        const heap = new DueHeap();
        for (const atMs of times) heap.push(atMs, `route ${atMs}`);
        assert.equal(heap.earliestMs, times.length === 0 ? null : Math.min(...times));
        const taken: string[] = [];
        for (let key = heap.take(now); key !== null; key = heap.take(now)) taken.push(key);
        const due = times.filter((atMs) => atMs <= now).sort((a, b) => a - b);
        assert.deepEqual(
          taken,
          due.map((atMs) => `route ${atMs}`),
        );
        assert.equal(heap.size, times.length - due.length);
      },
    ),
  );
});
