import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outboundConnector, policy } from '../../../test/support/policy.ts';
import { validationRun } from '../../../test/support/validation-run.ts';
import { Failure } from '../../mail/failure.ts';
import type { OutboundConnector } from '../../policy/policy.ts';
import { silentLog } from '../../report/log.ts';
import type { ValidationOrder } from './order.ts';
import { ValidationSchedule } from './schedule.ts';

const dayMs = 86_400_000;

function every(name: string, part: Partial<OutboundConnector> = {}, everyMs = dayMs) {
  const validation = {
    isValidated: false,
    lastValidationTimestamp: null,
    validationRecipients: [],
    everyMs,
  };
  return outboundConnector(name, { validation, ...part });
}

function scheduleOf(...connectors: OutboundConnector[]) {
  let nowMs = Date.UTC(2026, 10, 28);
  const orders: ValidationOrder[] = [];
  const last = new Map<string, string>();
  let underWay = 0;
  let most = 0;
  const schedule = new ValidationSchedule({
    policy: () => policy({ outboundConnectors: connectors }),
    lastStartedAt: ({ connector }) => last.get(connector) ?? null,
    start: async (order) => {
      orders.push(order);
      if (order.connector === 'lost') throw new Failure('validation-busy', 'no room');
      most = Math.max(most, ++underWay);
      last.set(order.connector, new Date(nowMs).toISOString());
      const run = new Promise<ReturnType<typeof validationRun>>((resolve) =>
        setTimeout(() => {
          underWay--;
          resolve(validationRun());
        }, 1),
      );
      return { run };
    },
    onTick: () => undefined,
    log: silentLog,
    now: () => nowMs,
  });
  return {
    orders,
    last,
    most: () => most,
    /** Ticks every minute for so long. */
    pass: async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 60_000) {
        nowMs += 60_000;
        await schedule.tick();
      }
    },
  };
}

test('each is validated as often as it says, and never with a message', async () => {
  const running = scheduleOf(every('daily'), every('hourly', {}, dayMs / 24));
  await running.pass(3 * dayMs);
  const count = (name: string): number =>
    running.orders.filter(({ connector }) => connector === name).length;
  assert.equal(count('daily'), 3);
  assert.ok(count('hourly') >= 70 && count('hourly') <= 72, String(count('hourly')));
  assert.ok(
    running.orders.every(
      ({ stopBefore, trigger }) => stopBefore === 'data' && trigger === 'schedule',
    ),
  );
});

test('neither one that is off nor one that does not say how often', async () => {
  const running = scheduleOf(every('off', { enabled: false }), outboundConnector('never'));
  await running.pass(2 * dayMs);
  assert.deepEqual(running.orders, []);
});

test('after a start they come spread out over an hour, one after the other', async () => {
  const names = Array.from({ length: 20 }, (_, i) => `connector ${i}`);
  const running = scheduleOf(...names.map((name) => every(name)));
  await running.pass(1_200_000);
  const early = running.orders.length;
  assert.ok(early > 0 && early < 20, String(early));
  await running.pass(2_460_000);
  assert.equal(running.orders.length, 20);
  assert.equal(running.most(), 1);
});

test('one that cannot run keeps none of the others from it', async () => {
  const running = scheduleOf(every('lost'), every('well'));
  await running.pass(3_660_000);
  assert.ok(running.orders.some(({ connector }) => connector === 'well'));
});
