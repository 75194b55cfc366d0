import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { lockFile } from './file-lock.ts';

it('a lock is held by one and free again when it is released', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-lock-'));
  try {
    const path = join(folder, 'x.lock');
    const first = lockFile(path, 0);
    assert.ok(first !== null);
    assert.equal(lockFile(path, 10), null);
    first.release();
    const second = lockFile(path, 0);
    assert.ok(second !== null);
    second.release();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
