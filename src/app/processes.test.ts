import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockFile } from '../store/file-lock.ts';
import { findLockHolder, findPortHolder } from './processes.ts';

const skip = process.platform === 'linux' ? false : 'reads /proc';

test('who listens on a port is found, by its address and behind a wildcard', { skip }, async () => {
  for (const host of ['127.0.0.1', '0.0.0.0', '::']) {
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    assert.equal((await findPortHolder('127.0.0.1', port))?.id, process.pid, host);
    assert.equal((await findPortHolder('0.0.0.0', port))?.id, process.pid, host);
    server.close();
    await once(server, 'close');
    assert.equal(await findPortHolder('127.0.0.1', port), null);
  }
});

test('who holds a lock file is found, and nobody once it is let go', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-lock-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'gateway.lock');
  const lock = lockFile(file, 0)!;
  assert.equal((await findLockHolder(file))?.id, process.pid);
  lock.release();
  assert.equal(await findLockHolder(file), null);
});
