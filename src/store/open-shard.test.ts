import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { openShard } from './open-shard.ts';
import { holdFileOf } from './spool-hold.ts';
import { SpoolRemovals } from './spool-removals.ts';
import { sweepSpool } from './sweep-spool.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'postern-shard-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const file = () => ({
  path: path.join(folder, 'queue-0.db'),
  lockWaitMs: 0,
  sizeBytesMax: null,
});

it('a damaged file is named', () => {
  writeFileSync(file().path, Buffer.alloc(8192, 0xab));
  assert.throws(
    () => openShard(file()),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'store-damaged');
      return error.message.includes(file().path);
    },
  );
});

it('a new file beside an old spool leaves the contents to whoever brings the old one back', () => {
  const spool = path.join(folder, 'spool');
  const content = path.join(spool, 'example', 'a.msg');
  mkdirSync(path.dirname(content), { recursive: true });
  writeFileSync(content, 'mail');
  const { db, lock } = openShard(file());
  const removals = new SpoolRemovals(spool, holdFileOf(file().path));
  assert.equal(sweepSpool(db, spool, removals), 0);
  assert.ok(existsSync(content));
  db.exec('UPDATE last_key SET key = 1');
  assert.equal(sweepSpool(db, spool, removals), 1);
  assert.ok(!existsSync(content));
  db.close();
  lock.release();
});
