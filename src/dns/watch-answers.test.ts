import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DnsAnswer, DnsFailureCode } from './resolver.ts';
import { watchAnswers } from './watch-answers.ts';

const found: DnsAnswer<unknown> = { kind: 'no-such-domain', isAuthentic: false };
const failed = (code: DnsFailureCode): DnsAnswer<unknown> => ({
  kind: 'failed',
  code,
  reason: code,
});

function start(probed: DnsAnswer<unknown>) {
  const said: string[] = [];
  const dns = { answer: probed, asked: 0 };
  const watch = watchAnswers(
    async () => {
      dns.asked += 1;
      return dns.answer;
    },
    { began: ({ code }) => said.push(`began ${code}`), ended: () => said.push('ended') },
    5,
  );
  return { said, dns, watch };
}

test('servers that answer nothing are an outage, said once, until they answer', async () => {
  const { said, dns, watch } = start(failed('timeout'));
  for (let i = 0; i < 100; i++) watch.observe(failed('timeout'));
  await sleep(30);
  assert.deepEqual(said, ['began timeout']);
  assert.ok(dns.asked > 1);
  dns.answer = found;
  await sleep(30);
  assert.deepEqual(said, ['began timeout', 'ended']);
  const { asked } = dns;
  await sleep(20);
  assert.equal(dns.asked, asked);
});

test('a domain of which nothing can be learnt is none', async () => {
  const { said, dns, watch } = start(found);
  for (let i = 0; i < 10; i++) watch.observe(failed('servfail'));
  await sleep(20);
  assert.deepEqual(said, []);
  assert.equal(dns.asked, 1);
});

test('a failure between answers, and questions that we could not ask, are none', async () => {
  const { said, dns, watch } = start(failed('timeout'));
  for (let i = 0; i < 10; i++) {
    watch.observe(failed('timeout'));
    watch.observe(failed('timeout'));
    watch.observe(found);
    watch.observe(failed('busy'));
    watch.observe(failed('bad-name'));
  }
  await sleep(20);
  assert.deepEqual([said, dns.asked], [[], 0]);
});
