import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { parseResolvConf, readSystemServers } from './system-servers.ts';

const server = (address: string) => ({ address, port: 53 });

void test('reads nameserver lines only, three at most', () => {
  const text = [
    '# nameserver 192.0.2.1',
    'search corp.example',
    'nameserver 127.0.0.53 # local',
    'nameserver\t2001:db8::53',
    ' nameserver 192.0.2.2',
    'nameserver not-an-address',
    'nameserver',
    'nameserver fe80::1%eth0',
    'nameserver 192.0.2.4',
  ].join('\n');
  assert.deepEqual(parseResolvConf(text), [
    server('127.0.0.53'),
    server('2001:db8::53'),
    server('fe80::1%eth0'),
  ]);
});

void test('without a server in the file, or without the file, it is the one on loopback', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'postern-dns-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'resolv.conf');
  assert.deepEqual(await readSystemServers(file), [server('127.0.0.1')]);
  await writeFile(file, 'options ndots:5\n');
  assert.deepEqual(await readSystemServers(file), [server('127.0.0.1')]);
  assert.deepEqual(await readSystemServers(folder), [server('127.0.0.1')]);
  await writeFile(file, 'nameserver 192.0.2.9\n');
  assert.deepEqual(await readSystemServers(file), [server('192.0.2.9')]);
});

void test('reads no more than the start of a huge file', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'postern-dns-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'resolv.conf');
  await writeFile(file, `${'#\n'.repeat(100_000)}nameserver 192.0.2.9\n`);
  assert.deepEqual(await readSystemServers(file), [server('127.0.0.1')]);
});
