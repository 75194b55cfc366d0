import assert from 'node:assert/strict';
import test from 'node:test';
import { ClientTable } from './client-table.ts';

const rates = { sessionsPerMinuteMax: 3, handshakesPerMinuteMax: 2, authFailuresPerHourMax: 2 };

function fixture() {
  const clock = { nowMs: 5000 };
  return { clock, table: new ClientTable(rates, () => clock.nowMs) };
}

void test('lets an address open so many sessions in a minute, and others theirs', () => {
  const { table, clock } = fixture();
  const open = (): boolean => table.mayOpenSession('a');
  assert.deepEqual([open(), open(), open(), open()], [true, true, true, false]);
  assert.equal(table.mayOpenSession('b'), true);
  clock.nowMs += 20_000;
  assert.deepEqual([open(), open()], [true, false]);
  clock.nowMs += 600_000;
  assert.deepEqual([open(), open(), open(), open()], [true, true, true, false]);
});

void test('asking too often does not lengthen the wait', () => {
  const { table, clock } = fixture();
  for (let i = 0; i < 100; i++) table.mayOpenSession('a');
  clock.nowMs += 20_000;
  assert.equal(table.mayOpenSession('a'), true);
});

void test('counts handshakes on their own', () => {
  const { table } = fixture();
  const shake = (): boolean => table.mayHandshake('a');
  assert.deepEqual([shake(), shake(), shake()], [true, true, false]);
  assert.equal(table.mayOpenSession('a'), true);
});

void test('lets an address fail to sign in so often in an hour', () => {
  const { table, clock } = fixture();
  assert.equal(table.mayAuthenticate('a'), true);
  table.recordAuthFailure('a');
  table.recordAuthFailure('a');
  assert.equal(table.mayAuthenticate('a'), false);
  assert.equal(table.mayAuthenticate('b'), true);
  clock.nowMs += 1_800_000;
  assert.equal(table.mayAuthenticate('a'), true);
});

void test('knows an address for a day after an accepted message', () => {
  const { table, clock } = fixture();
  assert.equal(table.isKnown('a'), false);
  table.recordAccepted('a');
  assert.equal(table.isKnown('a'), true);
  clock.nowMs += 24 * 3_600_000;
  assert.equal(table.isKnown('a'), false);
});

void test('remembers ten thousand addresses and no more, those seen last', () => {
  const { table } = fixture();
  for (let i = 0; i < 3; i++) table.mayOpenSession('old');
  for (let i = 0; i < 3; i++) table.mayOpenSession('used');
  table.recordAccepted('old');
  for (let i = 0; i < 10_000; i++) {
    table.mayOpenSession(`n${i}`);
    table.recordAccepted(`n${i}`);
    if (i === 5000) table.mayOpenSession('used');
  }
  assert.equal(table.mayOpenSession('old'), true);
  assert.equal(table.mayOpenSession('used'), false);
  assert.equal(table.isKnown('old'), false);
});
