import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueueFilter } from '../../store/store.ts';
import { run, startFakeGateway } from '../../../test/support/command-line.ts';

test('shows state, age, next try, recipient and the reason, without control characters', async (t) => {
  const { folder } = await startFakeGateway(t);
  const result = await run(['queue', 'list'], { io: { workingFolder: folder } });
  assert.equal(result.code, 0);
  const lines = result.stdout.split('\n');
  assert.match(lines[1] ?? '', /^06X9T5K1G000 +queued +2m +in 3m +forced +doctor@contoso\.com$/);
  assert.match(lines[3] ?? '', /^06X9T5K1H000 +held +2m +on release +forced +nurse@fabrikam\.com$/);
  assert.match(
    lines[2] ?? '',
    /try 1: 4\.4\.317 \(tls-not-offered\) STARTTLS was not offered at mx\.contoso\.com/,
  );
  assert.ok(!result.stdout.includes('\u001b'));
});

test('filters go to the gateway, JSON comes back as the API gives it', async (t) => {
  const filters: QueueFilter[] = [];
  const { folder } = await startFakeGateway(t, {
    listQueue: async (filter) => {
      filters.push(filter);
      return [];
    },
  });
  const io = { workingFolder: folder };
  const argv = ['queue', 'list', '--state', 'held', '--domain', 'Contoso.com', '--limit', '7'];
  const json = await run([...argv, '--json'], { io });
  assert.deepEqual(JSON.parse(json.stdout), { formatVersion: 1, rows: [], limit: 7, next: null });
  assert.deepEqual(filters, [{ state: 'held', recipientDomain: 'contoso.com', limit: 7 }]);
  assert.equal((await run(argv, { io })).stdout, 'nothing waits\n');
});

test('says when there may be more rows than shown', async (t) => {
  const { folder } = await startFakeGateway(t);
  const result = await run(['queue', 'list', '--limit', '2'], { io: { workingFolder: folder } });
  assert.match(result.stderr, /2 rows shown; --limit shows more/);
});
