import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reply } from '../mail/reply.ts';
import type { RefusalRecord } from '../receiving/services.ts';
import { clearTextEvidence } from '../receiving/evidence-text.ts';
import { formatQueueId } from '../mail/queue-id.ts';
import { silentLog } from '../report/log.ts';
import { createRefusalRecorder } from './refusal-recorder.ts';

let keys = 0;

function refusal(clientAddress: string, atMs: number): RefusalRecord {
  keys += 1;
  return {
    id: formatQueueId({ key: keys, shard: 0 }),
    atMs,
    reply: reply(550, '5.1.1', 'no such mailbox'),
    decision: null,
    evidence: clearTextEvidence('in-1', { address: clientAddress, port: 1000 }, atMs),
    reversePath: null,
    recipient: null,
    clientAddress,
  };
}

/** How many of `count` refusals are kept; time passes in between. */
async function keptOf(
  count: number,
  clientOf: (i: number) => string,
  everyMs: number,
): Promise<number> {
  let kept = 0;
  const store = { commit: () => Promise.resolve(void (kept += 1)) };
  const record = createRefusalRecorder(store, silentLog);
  for (let i = 0; i < count; i++) {
    record(refusal(clientOf(i), i * everyMs));
    await Promise.resolve();
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return kept;
}

test('one client cannot fill the trace', async () => {
  assert.equal(await keptOf(2000, () => '192.0.2.1', 0), 200);
});

test('many clients together cannot either', async () => {
  assert.equal(await keptOf(8000, (i) => `198.51.100.${i % 250}`, 0), 5000);
});

test('refusals that come slowly are all kept', async () => {
  assert.equal(await keptOf(2000, () => '192.0.2.1', 1000), 2000);
});

test('a clock that was set back neither adds nor stops anything', async () => {
  let kept = 0;
  const store = { commit: () => Promise.resolve(void (kept += 1)) };
  const record = createRefusalRecorder(store, silentLog);
  for (let i = 0; i < 300; i++) record(refusal('192.0.2.1', 1_000_000));
  record(refusal('192.0.2.1', 0));
  record(refusal('192.0.2.1', 2000));
  assert.equal(kept, 201);
});
