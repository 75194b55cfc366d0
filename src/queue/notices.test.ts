/** What senders are told of mail that waits, expands or was delivered, on a virtual clock. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatAddress } from '../mail/address.ts';
import { Failure } from '../mail/failure.ts';
import { parseQueueId } from '../mail/queue-id.ts';
import type { NotifyOn, Recipient } from '../mail/recipient.ts';
import type { QueueAction, QueueStepResult } from './order.ts';
import { World } from './simulation.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

async function start(): Promise<World> {
  const world = new World({ attemptMs: () => 100 });
  await world.start();
  return world;
}

function to(localPart: string, domain: string, over: Partial<Recipient> = {}): Recipient {
  return { localPart, domain, ...over };
}

async function send(world: World, recipients: readonly Recipient[], over = {}): Promise<string> {
  const { message, done } = world.accept([], { recipients, ...over });
  await world.clock.run(50);
  await done;
  await world.clock.run(1000);
  return message.id;
}

/** When what was told of whom, in minutes since the start. */
function told(world: World, startMs: number): readonly string[] {
  return world.dsnInputs.flatMap(({ nowMs, recipients }) =>
    recipients.map(({ action, recipient }) => {
      const minutes = Math.floor((nowMs - startMs) / minuteMs);
      return `${minutes} ${action} ${formatAddress(recipient)}`;
    }),
  );
}

function order(world: World, action: QueueAction, id: string): Promise<QueueStepResult> {
  const match = { key: parseQueueId(id)!.key };
  const acceptsWeakerPolicy = true;
  return world.queue.command({ action, match, after: null, by: 'eva', acceptsWeakerPolicy });
}

describe('a delay notice', () => {
  it('leaves after five minutes where TLS is why, with the attempt that failed then', async () => {
    const world = await start();
    const startMs = world.clock.nowMs;
    const id = await send(world, [to('t', 'forced.test')]);
    await world.clock.run(6 * minuteMs);
    assert.deepEqual(told(world, startMs), ['5 delayed t@forced.test']);
    const [{ nowMs, recipients }] = world.dsnInputs as [(typeof world.dsnInputs)[0]];
    const last = world.attempts.findLast(({ delivery }) => delivery.id === id)!;
    assert.equal(last.endedAtMs, nowMs);
    assert.ok(recipients[0]!.nextAttemptAtMs! > nowMs);
    assert.ok(recipients[0]!.nextAttemptAtMs! <= startMs + 16 * minuteMs);
    assert.equal(recipients[0]!.clauses.length, 1);
    await world.clock.run(20 * hourMs);
    assert.equal(world.dsnInputs.length, 1);
  });

  it('is neither lost nor doubled by a crash before or after its commit', async () => {
    for (const isBefore of [true, false]) {
      const world = await start();
      await send(world, [to('t', 'forced.test')]);
      world.crashAt(1, isBefore);
      await world.clock.run(6 * minuteMs);
      assert.ok(!world.isAlive);
      await world.restart();
      await world.clock.run(3 * hourMs);
      const ids = [...world.told.values()].flatMap((set) => [...set]);
      assert.equal(ids.length, 1, `${isBefore}`);
    }
  });

  it('of another cause leaves after four hours', async () => {
    const world = await start();
    const startMs = world.clock.nowMs;
    await send(world, [to('t', 'a.test')]);
    await world.clock.run(23 * hourMs);
    assert.deepEqual(told(world, startMs), ['240 delayed t@a.test']);
  });

  it('is not written where the sender did not want it, nor to the null reverse-path', async () => {
    const world = await start();
    for (const notify of [[], ['failure'], ['success']] as const) {
      await send(world, [to('t', 'forced.test', { notify })]);
    }
    await send(world, [to('t', 'forced.test')], { reversePath: null });
    await world.clock.run(23 * hourMs);
    assert.deepEqual(world.dsnInputs, []);
    const early = world.attempts.filter(({ delivery }) => delivery.attempts === 1);
    for (const { delivery, endedAtMs } of early) {
      assert.ok(endedAtMs - delivery.receivedAtMs > 11 * minuteMs, 'an attempt for no notice');
    }
  });

  it('tells of mail that is held because policy was weakened, once, across a restart', async () => {
    const world = await start();
    const startMs = world.clock.nowMs;
    const id = await send(world, [to('h', 'a.test')]);
    await world.clock.run(3 * hourMs);
    await world.restart();
    await world.clock.run(2 * hourMs);
    await world.restart();
    await world.clock.run(30 * hourMs);
    const [line, ...others] = told(world, startMs);
    assert.match(line!, /^2[45]\d delayed h@a\.test$/);
    assert.deepEqual(others, []);
    assert.equal(world.dsnInputs[0]!.recipients[0]!.nextAttemptAtMs, null);
    assert.equal(world.queue.counts().held, 1);
    assert.equal((await order(world, 'release', id)).changed, 1);
  });

  it('does not tell of mail that an administrator holds', async () => {
    const world = await start();
    const id = await send(world, [to('t', 'a.test')]);
    await order(world, 'hold', id);
    await world.clock.run(30 * hourMs);
    assert.deepEqual(world.dsnInputs, []);
  });
});

describe('success', () => {
  const notify: readonly NotifyOn[] = ['success'];

  it('is confirmed by one DSN for recipients that end together', async () => {
    const world = await start();
    const startMs = world.clock.nowMs;
    const id = await send(world, [
      to('d1', 'a.test', { notify }),
      to('d2', 'a.test', { notify }),
      to('d3', 'a.test'),
      to('b', 'a.test'),
    ]);
    assert.equal(world.dsnInputs.length, 1);
    assert.deepEqual(told(world, startMs), [
      '0 relayed d1@a.test',
      '0 relayed d2@a.test',
      '0 failed b@a.test',
    ]);
    const { records } = await world.stored.readTrace(parseQueueId(id)!.key);
    const record = JSON.parse(records.find(({ kind }) => kind === 'dsn')!.json) as object;
    assert.deepEqual('action' in record && record.action, 'failed');
    assert.equal(world.counted.get('dsnsWritten failed'), 1);
    const line = world.logLines.find(({ text }) => text === 'dsn written')!;
    assert.deepEqual(line.fields, { ...line.fields, about: id, action: 'failed', recipients: 3 });
  });

  it('of an alias with several recipients is told as expanded with the acceptance', async () => {
    const world = await start();
    const startMs = world.clock.nowMs;
    await send(world, [to('b', 'alias.test', { notify: ['success', 'failure'] })]);
    assert.deepEqual(told(world, startMs).toSorted(), [
      '0 expanded b@alias.test',
      '0 failed b@a.test',
      '0 failed b@mailbox.test',
    ]);
    assert.equal(world.counted.get('dsnsWritten expanded'), 1);
  });

  it('stores neither message nor DSN where the store refuses', async () => {
    const world = await start();
    const recipients = [to('d', 'alias.test', { notify })];
    world.commitFailures = 1;
    const { done } = world.accept([], { recipients });
    await assert.rejects(done);
    world.commitFailures = 0;
    await world.clock.run(hourMs);
    assert.deepEqual(world.attempts, []);
    assert.equal(world.queue.counts().queued, 0);
  });
});

describe('the meter', () => {
  it('counts outcomes by cause', async () => {
    const world = await start();
    await send(world, [to('d', 'a.test'), to('b', 'b.test'), to('t', 'forced.test')]);
    assert.equal(world.counted.get('outcomes bounced peer-reply'), 1);
    assert.equal(world.counted.get('outcomes deferred tls-not-offered'), 1);
    await world.clock.run(25 * hourMs);
    assert.equal(world.counted.get('outcomes expired tls-not-offered'), 1);
  });
});

describe('a message that is damaged in the store', () => {
  it('is held with its reason, logged once, and tried again only when released', async () => {
    const world = await start();
    const id = await send(world, [to('td', 'a.test')]);
    const readMessage = world.stored.readMessage.bind(world.stored);
    world.stored.readMessage = () => Promise.reject(new Failure('store-damaged', 'malformed'));
    await world.clock.run(10 * hourMs);
    const rows = await world.stored.listQueue({ limit: 10 });
    assert.equal(rows[0]!.delivery.state, 'held');
    assert.match(rows[0]!.delivery.lastOutcome!.reason, /damaged: malformed/);
    assert.equal(world.logLines.filter(({ level }) => level === 'error').length, 1);
    assert.deepEqual([world.queue.counts().queued, world.queue.counts().held], [0, 1]);
    assert.deepEqual(world.dsnInputs, []);
    world.stored.readMessage = readMessage;
    await order(world, 'release', id);
    await world.clock.run(1000);
    assert.equal(world.delivered.size, 1);
  });
});
