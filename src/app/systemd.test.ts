import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takePassedSockets } from './systemd.ts';

test('sockets come with their names, from descriptor 3 on, and are not passed on', () => {
  const env = { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'mx:submission', OTHER: 'x' };
  assert.deepEqual(takePassedSockets(env, 7), [
    { name: 'mx', fd: 3 },
    { name: 'submission', fd: 4 },
  ]);
  assert.deepEqual(env, { OTHER: 'x' });
});

test('what is meant for another process is left alone', () => {
  assert.deepEqual(takePassedSockets({ LISTEN_PID: '8', LISTEN_FDS: '2' }, 7), []);
  assert.deepEqual(takePassedSockets({}, 7), []);
  assert.deepEqual(takePassedSockets({ LISTEN_PID: '7', LISTEN_FDS: 'x' }, 7), []);
});
