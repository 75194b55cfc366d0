/** The tests of one group of targets, the part of the fuzzer that runs with all tests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findGrowth } from './growth.ts';
import { runTarget } from './run-target.ts';
import type { FuzzTarget } from './target.ts';

const count = 5000;
const seed = 1;
const heapGrowthBytesMax = 16 * 1024 * 1024;

/** The kept corpus and 5,000 inputs of a fixed seed, and how time grows. */
export function testTargets(targets: readonly FuzzTarget[]): void {
  for (const target of targets) {
    test(`${target.name} holds for its corpus and ${count} inputs, and the heap does not grow`, async () => {
      const report = await runTarget(target, { count, seed });
      assert.equal(report.inputs, count);
      assert.ok(
        report.heapGrowthBytes < heapGrowthBytesMax,
        `grew ${report.heapGrowthBytes} bytes`,
      );
    });

    test(`${target.name} takes four times as long for four times the input`, () => {
      assert.deepEqual(findGrowth(target, false), []);
    });
  }
}
