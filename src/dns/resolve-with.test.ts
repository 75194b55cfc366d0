import assert from 'node:assert/strict';
import test from 'node:test';
import type { AnswerTo } from './question.ts';
import { joinFamilies } from './resolve-with.ts';
import { parseAddressName } from './special-names.ts';

const six: AnswerTo<'AAAA'> = {
  kind: 'found',
  records: ['2001:db8::1', '2001:db8::1'],
  isAuthentic: true,
  ttlSeconds: 50,
};
const four: AnswerTo<'A'> = {
  kind: 'found',
  records: ['192.0.2.1'],
  isAuthentic: true,
  ttlSeconds: 40,
};
const failed = { kind: 'failed', code: 'timeout', reason: 'A of x: nobody answered' } as const;
const noData = { kind: 'no-data', isAuthentic: true } as const;
const unsigned = { kind: 'no-data', isAuthentic: false } as const;
const missing = { kind: 'no-such-domain', isAuthentic: true } as const;

void test('an address counts once, and the shorter life counts', () => {
  const answer = joinFamilies(six, four);
  assert.equal(answer.kind === 'found' && answer.records.length, 2);
  assert.equal(answer.kind === 'found' && answer.ttlSeconds, 40);
});

void test('found is authentic only where every answer that came was', () => {
  const isAuthentic = (answer: ReturnType<typeof joinFamilies>): boolean =>
    answer.kind === 'found' && answer.isAuthentic;
  assert.ok(isAuthentic(joinFamilies(six, four)));
  assert.ok(isAuthentic(joinFamilies(six, noData)));
  assert.ok(isAuthentic(joinFamilies(six, failed)));
  assert.ok(!isAuthentic(joinFamilies(six, unsigned)));
  assert.ok(!isAuthentic(joinFamilies(six, { ...four, isAuthentic: false })));
});

void test('absence is certain only where no family failed, or the name does not exist', () => {
  assert.equal(joinFamilies(noData, noData).kind, 'no-data');
  assert.equal(joinFamilies(noData, failed).kind, 'failed');
  assert.equal(joinFamilies(failed, noData).kind, 'failed');
  assert.equal(joinFamilies(failed, failed).kind, 'failed');
  assert.equal(joinFamilies(missing, failed).kind, 'no-such-domain');
  assert.equal(joinFamilies(missing, missing).kind, 'no-such-domain');
  assert.equal(joinFamilies(missing, noData).kind, 'no-data');
});

void test('reads addresses and address literals, and nothing like them', () => {
  assert.deepEqual(parseAddressName('::192.0.2.1'), { address: '::c000:201', family: 6 });
  assert.deepEqual(parseAddressName('::ffff:192.0.2.1'), {
    address: '::ffff:c000:201',
    family: 6,
  });
  for (const text of ['', '[]', '[192.0.2.1', '192.0.2.1]', '0x7f.1', '127.1', 'fe80::1%eth0']) {
    assert.equal(parseAddressName(text), null, text);
  }
});
