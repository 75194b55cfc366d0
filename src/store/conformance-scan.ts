/** The part of the conformance suite about scans of whole traces. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sampleFact } from './sample-batch.ts';
import type { Store } from './store.ts';
import { emptyBatch } from './store.ts';

type Get = () => { readonly store: Store; reopen(): Promise<void> };

/** Called inside the suite of a store. */
export function testScan(get: Get): void {
  const whole = { fromKey: 1000, toKey: 1, limit: 100, lengthMax: 100_000 };
  const [one, two] = [sampleFact('one'), sampleFact('two')];
  const record = (key: number, atMs: number, json: string) =>
    ({ key, atMs, kind: atMs === 1 ? 'received' : 'attempt', json }) as const;

  async function fill(): Promise<void> {
    const traces = [
      record(1, 1, JSON.stringify([one.hash])),
      record(2, 1, '{ damaged'),
      record(3, 1, JSON.stringify([one.hash])),
      record(1, 3, JSON.stringify([two.hash])),
      record(1, 2, '{}'),
    ];
    await get().store.commit({ ...emptyBatch, traces, facts: [one, two] });
    await get().reopen();
  }

  it('scans whole traces, newest first, records in order of time, each fact once', async () => {
    await fill();
    const { traces, facts, nextKey } = await get().store.scanTraces(whole);
    assert.deepEqual(
      traces.map(({ key, records }) => [key, records.map(({ atMs }) => atMs)]),
      [
        [3, [1]],
        [2, [1]],
        [1, [1, 2, 3]],
      ],
    );
    assert.equal(traces[1]!.records[0]!.json, '{ damaged');
    assert.deepEqual(facts, [one, two]);
    assert.equal(nextKey, null);
  });

  it('scans in steps bounded by number and by length, and within the keys that are asked', async () => {
    await fill();
    const scan = async (step: Partial<typeof whole>) => {
      const { traces, nextKey } = await get().store.scanTraces({ ...whole, ...step });
      return [traces.map(({ key }) => key), nextKey];
    };
    assert.deepEqual(await scan({ limit: 2 }), [[3, 2], 1]);
    assert.deepEqual(await scan({ limit: 3 }), [[3, 2, 1], null]);
    assert.deepEqual(await scan({ lengthMax: 1 }), [[3], 2]);
    assert.deepEqual(await scan({ fromKey: 2, toKey: 2 }), [[2], null]);
    assert.deepEqual(await scan({ fromKey: 9, toKey: 4 }), [[], null]);
  });
}
