import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../report/log.ts';
import { silentMeter } from '../report/meter.ts';
import { watchDisk } from './disk-room.ts';

const services = { log: silentLog, meter: silentMeter };

async function admitsWith(freeBytes: () => Promise<number>): Promise<number | null> {
  const room = await watchDisk('/', 1000, services, freeBytes);
  room.close();
  return room.admit()?.code ?? null;
}

test('new mail is put off below what is kept, and taken from there on', async () => {
  assert.equal(await admitsWith(() => Promise.resolve(999)), 452);
  assert.equal(await admitsWith(() => Promise.resolve(1000)), null);
});

test('what was stored since the last look counts', async () => {
  const room = await watchDisk('/', 1000, services, () => Promise.resolve(1_000_000));
  room.close();
  room.took(400_000);
  assert.equal(room.admit(), null);
  room.took(100_000);
  assert.equal(room.admit()?.code, 452);
});

test('a disk whose room cannot be read is left to the store to judge', async () => {
  assert.equal(await admitsWith(() => Promise.reject(new Error('no such folder'))), null);
});

test('the real disk is asked where nobody says otherwise', async () => {
  const room = await watchDisk('/', Number.MAX_SAFE_INTEGER, services);
  room.close();
  assert.equal(room.admit()?.code, 452);
});
