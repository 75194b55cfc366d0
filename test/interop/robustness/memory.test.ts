/**
 * Memory of a lane under large messages at once and under a long queue, smaller than what
 * `benchmarks/memory.ts` measures; its README has those figures.
 */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { measureLarge, measureLongQueue } from '../../../benchmarks/memory.ts';
import { openWorkshop } from '../../../benchmarks/relay/workshop.ts';

test('large messages at once are never in memory as a whole', async () => {
  const workshop = await openWorkshop(tmpdir());
  try {
    const { damagedOrLost, idleRss, peakRss } = await measureLarge(workshop, 16, 20);
    assert.equal(damagedOrLost, 0);
    // 320 MB went through; the bounds on contents in memory alone would allow more than this.
    assert.ok(peakRss - idleRss < 160, `from ${idleRss} to ${peakRss} MiB`);
  } finally {
    await workshop.remove();
  }
});

test('a long queue costs no long start, no slow answers and little memory', async () => {
  const workshop = await openWorkshop(tmpdir());
  try {
    const result = await measureLongQueue(workshop, 20_000, 10);
    const told = JSON.stringify(result);
    // CPU time: others may use the machine. An empty queue needs 3 s of it on the machines we know.
    assert.ok(result.startCpuMs < 8000, told);
    assert.ok(result.statusMs < 5000 && result.listMs < 5000 && result.traceMs < 5000, told);
    assert.ok(result.laneRssPeak < 450, told);
  } finally {
    await workshop.remove();
  }
});
