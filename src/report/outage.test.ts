import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from './log.ts';
import { Outage } from './outage.ts';

const lines: string[] = [];
const counted: string[] = [];
const text = { what: 'dns', began: 'it began', ended: 'it ended' } as const;
const log = {
  ...silentLog,
  error: (_: object, line: string) => void lines.push(line),
  info: (_: object, line: string) => void lines.push(line),
};
const meter = {
  count: (name: string, labels: object) =>
    void counted.push([name, ...Object.values(labels)].join()),
  observe: () => undefined,
};
let nowMs = 0;

beforeEach(() => {
  lines.length = 0;
  counted.length = 0;
  nowMs = 1000;
});

function create(quietMs?: number): Outage {
  return new Outage(text, { log, meter, now: () => nowMs }, quietMs);
}

test('it is said once when it begins and once when it is over, and counted', () => {
  const outage = create();
  outage.worked();
  for (let i = 0; i < 10; i++) outage.failed({});
  assert.deepEqual(lines, ['it began']);
  nowMs += 6000;
  for (let i = 0; i < 10; i++) outage.worked();
  assert.deepEqual(lines, ['it began', 'it ended']);
  assert.deepEqual(counted, ['outages,dns,began', 'outages,dns,ended']);
  outage.failed({});
  assert.equal(outage.isOn, true);
  assert.equal(lines.length, 3);
});

test('while some things work and others fail it goes on', () => {
  const outage = create();
  for (let i = 0; i < 100; i++) {
    outage.failed({});
    nowMs += 1000;
    outage.worked();
  }
  assert.deepEqual(lines, ['it began']);
});

test('one success is enough, when nothing fails behind it', async () => {
  const outage = create(20);
  outage.failed({});
  outage.worked();
  assert.equal(outage.isOn, true);
  nowMs += 20;
  await sleep(60);
  assert.equal(outage.isOn, false);
});
