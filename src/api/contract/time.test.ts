import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditQuerySchema } from './audit.ts';
import { queueQuerySchema } from './queue-orders.ts';
import { traceQuerySchema } from './trace-search.ts';

test('a time that is asked by is read as milliseconds, however fine it is said', () => {
  for (const said of ['2026-11-28T22:48:00Z', '2026-11-28T22:48:00.0Z']) {
    const wanted = '2026-11-28T22:48:00.000Z';
    assert.equal(traceQuerySchema.parse({ since: said }).since, wanted, said);
    assert.equal(auditQuerySchema.parse({ until: said }).until, wanted, said);
    assert.equal(queueQuerySchema.parse({ receivedBefore: said }).receivedBefore, wanted, said);
  }
});

test('what is no moment in UTC is refused', () => {
  for (const said of [
    '2026-11-28',
    '2026-11-28T22:48:00',
    '2026-11-28T22:48Z',
    '2026-11-28T22:48:00+01:00',
    '1',
    '',
  ]) {
    assert.ok(!traceQuerySchema.safeParse({ since: said }).success, said);
  }
});
