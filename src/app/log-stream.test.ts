import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogTarget } from './log-stream.ts';
import { LogStream } from './log-stream.ts';

/** A descriptor whose writes end when the test says so. */
class FakeTarget implements LogTarget {
  text = '';
  failure: string | null = null;
  writes = 0;
  acceptedMax = Infinity;

  write(bytes: Buffer, done: (error: NodeJS.ErrnoException | null, written: number) => void): void {
    this.writes += 1;
    setImmediate(() => {
      try {
        done(null, this.writeNow(bytes));
      } catch (error) {
        done(error as NodeJS.ErrnoException, 0);
      }
    });
  }

  writeNow(bytes: Buffer): number {
    if (this.failure !== null) throw Object.assign(new Error('no'), { code: this.failure });
    const taken = bytes.subarray(0, this.acceptedMax);
    this.text += taken.toString();
    return taken.length;
  }
}

const limits = { waitingMax: 100, gatherMin: 10, gatherMs: 5 };

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 2000;
  while (!holds()) {
    assert(Date.now() < end, 'waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test('lines arrive whole and in order, however little each write takes', async () => {
  const target = new FakeTarget();
  target.acceptedMax = 3;
  const stream = new LogStream(target, limits);
  for (let i = 0; i < 8; i++) stream.write(`line ${i}\n`);
  const whole = Array.from({ length: 8 }, (_, i) => `line ${i}\n`).join('');
  await until(() => target.text.length >= whole.length);
  assert.equal(target.text, whole);
});

test('a full disk drops lines beyond the bound, says how many, and never throws', async () => {
  const target = new FakeTarget();
  target.failure = 'ENOSPC';
  const stream = new LogStream(target, limits);
  for (let i = 0; i < 30; i++) stream.write('123456789\n');
  await until(() => target.writes > 2);
  stream.flush();
  target.failure = null;
  await until(() => target.text.length >= 100);
  stream.write('afterwards\n');
  await until(() => target.text.includes('afterwards'));
  assert.equal(target.text.split('123456789\n').length - 1, 10);
  assert.match(target.text, /"20 log lines were lost: nobody took them"/);
});

test('a reader that went away ends the log, not the process', async () => {
  const target = new FakeTarget();
  target.failure = 'EPIPE';
  const stream = new LogStream(target, limits);
  stream.write('a line of the log\n');
  await until(() => target.writes === 1);
  await new Promise((resolve) => setTimeout(resolve, 10));
  stream.write('another line of the log\n');
  stream.flush();
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(target.writes, 1);
});

test('what waits is written at the end', () => {
  const target = new FakeTarget();
  const stream = new LogStream(target, limits);
  stream.write('last\n');
  stream.flush();
  assert.equal(target.text, 'last\n');
});
