/** Token buckets and whom they count: never more than the limit, and nothing lost to a clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { address, serverEvidence } from '../../test/support/policy.ts';
import type { InboundSession } from './inbound-session.ts';
import type { RateBucket } from './rate-limit.ts';
import { rateClaimsOf, refill, waitMsFor } from './rate-limit.ts';

const hourMs = 3600_000;
const limit = { amount: 60, windowMs: hourMs };

/** How many of the tries, by their times, get a token. */
function countPassed(times: readonly number[]): number {
  let bucket: RateBucket | null = null;
  let passed = 0;
  for (const nowMs of times) {
    bucket = refill(bucket, limit, nowMs);
    if (waitMsFor(bucket, limit) > 0) continue;
    bucket = { ...bucket, tokens: bucket.tokens - 1 };
    passed++;
  }
  return passed;
}

test('lets the whole amount through at once, and no more', () => {
  assert.equal(countPassed(Array<number>(500).fill(1000)), 60);
});

test('is full again after the window, and not fuller', () => {
  const first = Array<number>(100).fill(0);
  assert.equal(countPassed([...first, ...Array<number>(100).fill(hourMs)]), 120);
  assert.equal(countPassed([...first, ...Array<number>(100).fill(50 * hourMs)]), 120);
});

test('gives one token in its part of the window', () => {
  const empty = { tokens: 0, atMs: 0 };
  assert.equal(waitMsFor(empty, limit), 60_000);
  assert.ok(waitMsFor(refill(empty, limit, 59_999), limit) > 0);
  assert.equal(waitMsFor(refill(empty, limit, 60_000), limit), 0);
});

test('never lets more through than the amount and what grew, whatever the times', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 600_000 }), { maxLength: 300 });
  fc.assert(
    fc.property(steps, (gaps) => {
      let nowMs = 0;
      const times = gaps.map((gap) => (nowMs += gap));
      const span = nowMs - (times[0] ?? 0);
      const bound = limit.amount + Math.ceil((span * limit.amount) / limit.windowMs);
      assert.ok(countPassed(times) <= bound);
    }),
  );
});

test('a clock set back by a day blocks nobody and gives nothing', () => {
  const used = { tokens: 5, atMs: 100 * hourMs };
  const back = refill(used, limit, 76 * hourMs);
  assert.deepEqual(back, { tokens: 5, atMs: 76 * hourMs });
  assert.equal(refill({ ...back, tokens: 0 }, limit, 77 * hourMs).tokens, 60);
});

function session(changes: Partial<InboundSession>): InboundSession {
  return {
    listener: 'mx',
    clientAddress: '192.0.2.1',
    heloName: 'client.test',
    evidence: serverEvidence({ chain: [], paths: [] }),
    account: null,
    reversePath: address('Ann@sender.test'),
    ...changes,
  };
}

function keysOf(changes: Partial<InboundSession>, isFirst = true): string[] {
  return rateClaimsOf(session(changes), 'org', isFirst).map(({ limit, key }) => `${limit} ${key}`);
}

test('an account is counted by its name and organization, whatever sender it uses', () => {
  const account = { organization: 'org', account: 'ann' };
  assert.deepEqual(keysOf({ account }), [
    'messagesPerOrganizationPerMinute org',
    'messagesPerAccountPerHour org ann',
    'recipientsPerAccountPerHour org ann',
  ]);
  assert.deepEqual(keysOf({ account }, false), ['recipientsPerAccountPerHour org ann']);
});

test('other mail is counted by MAIL FROM without regard to case, bounces by their client', () => {
  assert.deepEqual(keysOf({}), [
    'messagesPerOrganizationPerMinute org',
    'messagesPerSenderPerHour org ann@sender.test',
    'recipientsPerSenderPerHour org ann@sender.test',
  ]);
  assert.deepEqual(keysOf({ reversePath: null }, false), [
    'recipientsPerSenderPerHour org <> 192.0.2.1',
  ]);
});

test('what a sender sends to one organization takes nothing from what it may send to another', () => {
  const limitsOf = (organization: string): string[] =>
    rateClaimsOf(session({}), organization, true).map(({ limit, key }) => `${limit} ${key}`);
  const both = new Set([...limitsOf('org'), ...limitsOf('other')]);
  assert.equal(both.size, limitsOf('org').length + limitsOf('other').length);
});

test('bounces handed over inside are counted by the organization that they come from', () => {
  const keysFrom = (fromOrganization: string): string[] =>
    keysOf(
      {
        listener: 'inside',
        clientAddress: '',
        reversePath: null,
        evidence: { ...session({}).evidence, encryption: 'internal', fromOrganization },
      },
      false,
    );
  assert.deepEqual(keysFrom('first'), ['recipientsPerSenderPerHour org <> first']);
  assert.notDeepEqual(keysFrom('first'), keysFrom('second'));
});
