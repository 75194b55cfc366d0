/** A run in which mail was lost, doubled or refused is an error. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoadReport, SinkReport } from './measure-run.ts';
import { findProblems } from './measure-run.ts';

const settings = {
  sessions: 1,
  perSession: 1,
  sizeBytes: 4096,
  messages: 10,
  isVerified: true,
  hasQuickAck: false,
};
const loaded: LoadReport = {
  accepted: 10,
  rejected_4xx: 0,
  rejected_5xx: 0,
  errors: { connect: 0, timeout: 0 },
  msgs_per_s: 10,
  seconds: 1,
  latency_ms: { p50: 1, p99: 1 },
  t_start: 0,
  cpu_s: 0,
};
const sunk: SinkReport = {
  messages: 10,
  sessions: 1,
  tls_handshakes: 1,
  missing: 0,
  duplicates: 0,
  damaged: 0,
  e2e_ms: { p50: 1, p99: 1 },
  t_last: 1,
  cpu_s: 0,
};

test('a run in which all messages arrived once and whole has no problems', () => {
  assert.deepEqual(findProblems(settings, loaded, sunk), []);
});

for (const [name, load, sink] of [
  ['a missing message', {}, { missing: 1 }],
  ['a duplicate', {}, { duplicates: 2 }],
  ['a damaged body', {}, { damaged: 1 }],
  ['a refusal', { rejected_4xx: 1 }, {}],
  ['a message that was not accepted', { accepted: 9 }, {}],
  ['a failed connection', { errors: { connect: 1 } }, {}],
] as const) {
  test(`${name} is a problem`, () => {
    const problems = findProblems(settings, { ...loaded, ...load }, { ...sunk, ...sink });
    assert.equal(problems.length, 1);
  });
}
