/**
 * What breaks around the commit of an acceptance: before it nothing is taken, after it the mail is,
 * and gets its turn without a restart.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAddress } from '../mail/address.ts';
import { status } from '../mail/enhanced-status.ts';
import { Failure } from '../mail/failure.ts';
import type { OutboundDecision } from '../policy/decision.ts';
import type { Delivery, IncomingMessage } from '../policy/delivery.ts';
import type { Log } from '../report/log.ts';
import { silentLog } from '../report/log.ts';
import { silentMeter } from '../report/meter.ts';
import { storeOutage } from '../report/outage.ts';
import * as recorder from '../report/trace.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { createQueue } from './queue.ts';
import type { QueueServices } from './queue-services.ts';
import { startMs, testLimits, VirtualClock } from './simulation.ts';

const broken = new Error('broken');

/** Throws the first time, and each time where it is asked to. */
function breaking<T extends unknown[], R>(action: (...args: T) => R, times = 1) {
  let left = times;
  return (...args: T): R => {
    if (left-- > 0) throw broken;
    return action(...args);
  };
}

/** A queue over a store in memory that delivers everything, but for what `part` breaks. */
function world(part: (services: QueueServices) => Partial<QueueServices> = () => ({})) {
  const clock = new VirtualClock();
  const store = new MemoryStore();
  const attempts: Delivery[] = [];
  const texts: string[] = [];
  const log: Log = { ...silentLog, error: (_fields, text) => void texts.push(text) };
  const services: QueueServices = {
    store,
    shard: 0,
    policy: () => ({ formatVersion: 1, revision: '1', hostName: 'here.test', organizations: [] }),
    attempt: async (delivery) => {
      attempts.push(delivery);
      return reportOf(delivery);
    },
    plan: (_policy, { recipients }) => [{ recipients, routeKey: 'mx', floor: [] }],
    routeKeyFor: () => 'mx',
    writeDsn: () => null,
    recorder,
    limits: testLimits,
    now: () => clock.nowMs,
    random: () => 0.5,
    log,
    meter: silentMeter,
    outage: storeOutage({ log, meter: silentMeter, now: () => clock.nowMs }),
    setTimer: clock.setTimer,
  };
  const queue = createQueue({ ...services, ...part(services) });
  return { clock, store, attempts, texts, queue };
}

function messageTo(id: string, recipient: string): IncomingMessage {
  return {
    id,
    organization: 'contoso',
    reversePath: { localPart: 'anna', domain: 'contoso.test' },
    recipients: [parseAddress(recipient)!],
    bodyType: '7bit',
    content: { kind: 'memory', bytes: Buffer.from('Subject: x\r\n\r\nhello\r\n') },
    source: { kind: 'submission', account: 'anna' },
    receivedAtMs: startMs,
    clauses: [],
    evidence: null,
    decision: null,
  };
}

function reportOf(delivery: Delivery) {
  const outcomes = delivery.recipients.map((recipient) => ({
    recipient,
    outcome: {
      kind: 'delivered' as const,
      handedTo: 'relay' as const,
      status: status('2.0.0'),
      reason: 'accepted',
      reply: null,
      remoteMta: null,
      at: new Date(startMs).toISOString(),
    },
  }));
  const decision = { formatVersion: 1, destination: { kind: 'mx' } } as OutboundDecision;
  const route = { decision, candidates: [], outcomes, clauses: [], hasFailedTlsOnly: false };
  return { startedAtMs: startMs, endedAtMs: startMs, routes: [route] };
}

describe('what breaks after the commit keeps no accepted message from its turn', () => {
  const cases: Readonly<Record<string, (services: QueueServices) => Partial<QueueServices>>> = {
    'the end of an outage, once': ({ outage }) => {
      outage.worked = breaking(() => undefined);
      return {};
    },
    'the end of an outage, always': ({ outage }) => {
      outage.worked = breaking(() => undefined, Infinity);
      return {};
    },
    'finding room for it in memory': ({ limits }) => {
      const readyMax = breaking(() => limits.readyMax);
      return {
        limits: Object.defineProperty({ ...limits }, 'readyMax', { get: () => readyMax() }),
      };
    },
    'looking for whose turn it is': ({ limits }) => {
      // The first look is that of the start.
      let looks = 0;
      const get = (): number => {
        if (++looks === 2) throw broken;
        return limits.settlingMax;
      };
      return { limits: Object.defineProperty({ ...limits }, 'settlingMax', { get }) };
    },
    'looking for it, and the log, always': ({ limits, log }) => {
      let looks = 0;
      const get = (): number => {
        if (++looks === 2) throw broken;
        return limits.settlingMax;
      };
      log.error = breaking(() => undefined, Infinity);
      return { limits: Object.defineProperty({ ...limits }, 'settlingMax', { get }) };
    },
  };
  for (const [what, part] of Object.entries(cases)) {
    it(what, async (t) => {
      const warned = t.mock.method(process, 'emitWarning', () => undefined);
      const { clock, store, attempts, texts, queue } = world(part);
      await queue.start();
      const accepted = queue.accept(messageTo(queue.newId(), 'bob@there.test'));
      await accepted;
      assert.equal(queue.counts().queued, 1, 'it is counted');
      await clock.run(5000);
      assert.equal(attempts.length, 1, 'it is attempted');
      assert.equal(queue.counts().queued, 0);
      assert.deepEqual(await store.summarize(), { queued: 0, held: 0, routes: [] });
      assert.deepEqual(queue.underWay(), []);
      assert.ok(texts.length + warned.mock.callCount() > 0, 'it is said');
      await queue.stop(0);
    });
  }

  it('and none that came with it', async () => {
    const { clock, attempts, queue } = world(({ limits }) => {
      const readyMax = breaking(() => limits.readyMax);
      return {
        limits: Object.defineProperty({ ...limits }, 'readyMax', { get: () => readyMax() }),
      };
    });
    await queue.start();
    const ids = [queue.newId(), queue.newId(), queue.newId()];
    await queue.accept(...ids.map((id, i) => messageTo(id, `b${i}@there.test`)));
    assert.equal(queue.counts().queued, 3);
    await clock.run(5000);
    assert.deepEqual(attempts.map(({ id }) => id).sort(), ids);
    await queue.stop(0);
  });
});

describe('mail is put off after a failure of the store', () => {
  it('and not after one of the plan', async () => {
    const { queue } = world(({ plan }) => ({ plan: breaking(plan) }));
    await queue.start();
    await assert.rejects(queue.accept(messageTo(queue.newId(), 'bob@there.test')), broken);
    assert.equal(queue.admit(), null);
    assert.equal(queue.counts().queued, 0);
    await queue.stop(0);
  });

  it('and not after one of the DSN', async () => {
    const { queue } = world(() => ({
      plan: (_policy, { recipients: [named] }) => {
        const { localPart, domain } = named!;
        const recipients = [
          {
            localPart,
            domain: 'behind.test',
            aliasedFrom: { localPart, domain },
            notify: ['failure'] as const,
          },
        ];
        return [{ recipients, routeKey: 'mx', floor: [] }];
      },
      writeDsn: breaking(() => null),
    }));
    await queue.start();
    const message = messageTo(queue.newId(), 'alias@there.test');
    const recipients = [{ ...message.recipients[0]!, notify: ['success'] as const }];
    await assert.rejects(queue.accept({ ...message, recipients }), broken);
    assert.equal(queue.admit(), null);
    assert.deepEqual(queue.underWay(), []);
    await queue.stop(0);
  });

  it('and after a commit that it refused', async () => {
    const { queue } = world(({ store }) => {
      store.commit = () => Promise.reject(new Failure('store-full', 'no space left'));
      return {};
    });
    await queue.start();
    await assert.rejects(queue.accept(messageTo(queue.newId(), 'bob@there.test')), /no space left/);
    assert.equal(queue.admit()?.code, 452);
    await queue.stop(0);
  });
});
