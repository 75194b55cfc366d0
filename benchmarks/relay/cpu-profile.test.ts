/** Reading a CPU profile: only what ran within the span counts, and idle time does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawProfile } from './cpu-profile.ts';
import { readProfile } from './cpu-profile.ts';

const frame = (functionName: string, url = '', lineNumber = -1) => ({
  functionName,
  url,
  lineNumber,
});
const raw: RawProfile = {
  startTime: 1000,
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 3] },
    { id: 2, callFrame: frame('(idle)') },
    { id: 3, callFrame: frame('outer', 'file:///x/src/app/a.ts', 4), children: [4] },
    { id: 4, callFrame: frame('inner', 'file:///x/src/smtp/b.ts', 9) },
  ],
  samples: [3, 4, 2, 4],
  timeDeltas: [0, 100, 300, 500],
};

test('self time is the function alone, total time includes what it calls', () => {
  const profile = readProfile(raw, 0, 10_000);
  assert.equal(profile.busySeconds, 400 / 1e6);
  const [outer, inner] = ['outer', 'inner'].map((name) =>
    profile.hotspots.find((hotspot) => hotspot.name === name),
  );
  assert.deepEqual([outer?.self, outer?.total, outer?.at], [0.25, 1, 'src/app/a.ts:5']);
  assert.deepEqual([inner?.self, inner?.total, inner?.at], [0.75, 0.75, 'src/smtp/b.ts:10']);
});

test('what ran outside of the span does not count', () => {
  assert.equal(readProfile(raw, 1050, 10_000).busySeconds, 300 / 1e6);
});
