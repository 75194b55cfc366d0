import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { migrations } from './migrations.ts';
import { openSqliteStore } from './sqlite-store.ts';

test('a store of version 1 is upgraded, and its traces can be searched', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-migration-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'queue-0.db');
  const old = new DatabaseSync(file);
  old.exec(`${migrations[0]!}; PRAGMA user_version = 1;`);
  const insert = old.prepare('INSERT INTO trace (key, at_ms, kind, json) VALUES (?, ?, ?, ?)');
  const deliveries = [{ recipients: ['Bob@b.test', 'c@c.test'] }, { recipients: ['d@d.test'] }];
  insert.run(1, 1, 'received', JSON.stringify({ reversePath: 'Anna@a.test', deliveries }));
  insert.run(1, 2, 'attempt', '{"routes":[{"outcomes":[{"kind":"bounced"}]}]}');
  insert.run(2, 3, 'refused', JSON.stringify({ reversePath: '', recipient: 'bob@b.test' }));
  insert.run(3, 4, 'refused', JSON.stringify({ recipient: null }));
  insert.run(4, 5, 'received', JSON.stringify({ reversePath: 'x@x.test', deliveries: [] }));
  insert.run(4, 6, 'attempt', '{"reason":"said \\"kind\\":\\"bounced\\""}');
  // A record that a disk has damaged stops nobody from starting.
  insert.run(5, 7, 'received', '{"reversePath":');
  insert.run(5, 8, 'attempt', 'x"kind":"bounced"');
  old.close();
  const store = await openSqliteStore({ path: file, spoolFolder: path.join(folder, 'spool-0') });
  t.after(() => store.close());
  const find = async (match: Parameters<typeof store.searchTraces>[0]) =>
    (await store.searchTraces(match, { fromKey: 99, toKey: 1, limit: 10, looks: 100 })).found;
  assert.deepEqual(await find({}), [4, 3, 2, 1]);
  assert.deepEqual(await find({ recipient: { kind: 'address', text: 'bob@b.test' } }), [2, 1]);
  assert.deepEqual(await find({ recipient: { kind: 'domain', domain: 'd.test' } }), [1]);
  assert.deepEqual(await find({ sender: { kind: 'address', text: 'anna@a.test' } }), [1]);
  assert.deepEqual(await find({ only: 'bounced' }), [1]);
  assert.deepEqual(await find({ only: 'refused' }), [3, 2]);
});
