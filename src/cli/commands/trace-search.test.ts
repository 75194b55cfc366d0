import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TraceQuery } from '../../api/contract/trace-search.ts';
import { nowMs, run, startFakeGateway } from '../../../test/support/command-line.ts';

const state = {
  recipient: 'doctor@contoso.com',
  aliasedFrom: 'Surgery@example.test',
  state: 'bounced',
  status: '5.1.1',
  reason: 'no such \u001b[31mmailbox',
  at: '2026-11-22T10:00:00.000Z',
} as const;
const row = {
  id: '06X9T5K1G000',
  at: '2026-11-22T10:00:00.000Z',
  from: '',
  recipientCount: 1,
  recipients: [state],
};

test('filters go to the gateway, pages are joined, a table tells id, time, who and what became', async (t) => {
  const queries: TraceQuery[] = [];
  const { socketPath } = await startFakeGateway(t, {
    searchTraces: async (query) => {
      queries.push(query);
      return queries.length === 1
        ? { rows: [], next: '06X9T5K1G00Z' }
        : { rows: [row], next: null };
    },
  });
  const filters = ['--to', 'contoso.com', '--from', '<>', '--status', 'bounced', '--since', '2h'];
  const result = await run(['trace', ...filters, '--socket', socketPath]);
  assert.equal(result.code, 0);
  assert.match(
    result.stdout,
    /06X9T5K1G000 +2026-11-22T10:00:00Z +<> +doctor@contoso\.com \(by Surgery@example\.test\) +bounced\n +5\.1\.1 no such \?\[31mmailbox\n/,
  );
  const since = new Date(nowMs - 2 * 3_600_000).toISOString();
  const asked = { to: 'contoso.com', from: '<>', status: 'bounced', since, limit: 50 };
  assert.deepEqual(queries, [asked, { ...asked, before: '06X9T5K1G00Z' }]);
  const json = await run(['trace', '--json', '--socket', socketPath]);
  assert.deepEqual(JSON.parse(json.stdout), { formatVersion: 1, rows: [row], next: null });
});

test('an id goes with no filter, and a time must be one', async (t) => {
  const { socketPath } = await startFakeGateway(t);
  for (const argv of [
    ['trace', '06X9T5K1G000', '--to', 'a.test'],
    ['trace', '--since', 'yesterday'],
    ['trace', '--to', '@'],
  ]) {
    assert.equal((await run([...argv, '--socket', socketPath])).code, 64);
  }
  const none = await run(['trace', '--socket', socketPath]);
  assert.equal(none.stdout, 'nothing is found\n');
});
