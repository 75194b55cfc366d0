/** Orders of administrators by facts, on a virtual clock over the memory store. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outboundConnector, patterns, policy } from '../../test/support/policy.ts';
import { formatAddress } from '../mail/address.ts';
import { parseQueueId } from '../mail/queue-id.ts';
import type { Delivery } from '../policy/delivery.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import { isFailure } from '../store/conformance.ts';
import type { QueueMatch } from '../store/store.ts';
import type { QueueAction, QueueStepResult } from './order.ts';
import { looksPerStep, queueActions } from './order.ts';
import type { WorldOptions } from './simulation.ts';
import { World } from './simulation.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const encrypted: Clause = { kind: 'encrypted', origin: { kind: 'connector', name: 'partner' } };

async function start(options: WorldOptions = {}): Promise<World> {
  const world = new World({ attemptMs: () => 100, ...options });
  await world.start();
  return world;
}

/** Accepts and lets it be tried once. */
async function send(world: World, recipients: readonly string[], over = {}): Promise<string> {
  const { message, done } = world.accept(recipients, over);
  await world.clock.run(50);
  await done;
  await world.clock.run(1000);
  return message.id;
}

const tries = (world: World, id: string): readonly Delivery[] =>
  world.attempts.map(({ delivery }) => delivery).filter((delivery) => delivery.id === id);

interface Ordered {
  readonly match?: QueueMatch;
  readonly acceptsWeakerPolicy?: boolean;
}

/** One step of an order about a message, or about whatever matches. */
async function order(
  world: World,
  action: QueueAction,
  id: string | null,
  { match = {}, acceptsWeakerPolicy = false }: Ordered = {},
): Promise<QueueStepResult> {
  const key = id === null ? {} : { key: parseQueueId(id)!.key };
  const whole = { ...match, ...key };
  return world.queue.command({ action, match: whole, after: null, by: 'eva', acceptsWeakerPolicy });
}

/** What a step did, without what is nothing. */
const counts = (changed: number, pending = 0, unfit = 0): QueueStepResult => ({
  changed,
  pending,
  unfit,
  withheld: [],
  next: null,
});

async function traceOf(world: World, id: string): Promise<string[]> {
  const { records } = await world.stored.readTrace(parseQueueId(id)!.key);
  return records.map(({ kind }) => kind);
}

describe('commands', () => {
  it('hold stops a deferred message, release makes it due at once with a new clock', async () => {
    const world = await start();
    const id = await send(world, ['td@a.test']);
    const held = order(world, 'hold', id);
    await world.clock.run(10);
    assert.deepEqual(await held, counts(1));
    assert.deepEqual([world.queue.counts().queued, world.queue.counts().held], [0, 1]);
    await world.clock.run(48 * hourMs);
    assert.equal(tries(world, id).length, 1);
    assert.deepEqual(world.dsnInputs, []);
    await world.restart();
    await world.clock.run(hourMs);
    assert.equal(tries(world, id).length, 1);
    const released = order(world, 'release', id);
    await world.clock.run(1000);
    assert.deepEqual(await released, counts(1));
    assert.equal(tries(world, id).length, 2);
    assert.deepEqual(await traceOf(world, id), [
      'received',
      'attempt',
      'held',
      'released',
      'attempt',
    ]);
  });

  it('hold takes a message out of the list in which it waits', async () => {
    const world = await start({ limits: { inFlightMax: 1 } });
    await world.accept(['d@a.test']).done;
    const { message, done } = world.accept(['d@b.test']);
    await done;
    assert.equal(world.queue.counts().ready, 1);
    assert.deepEqual(await order(world, 'hold', message.id), counts(1));
    await world.clock.run(hourMs);
    assert.equal(tries(world, message.id).length, 0);
    assert.equal(world.queue.counts().held, 1);
  });

  it('hold, expire and delete wait for the end of an attempt', async () => {
    for (const command of ['hold', 'expire', 'delete'] as const) {
      const world = await start();
      const { message, done } = world.accept(['t@a.test']);
      await done;
      assert.deepEqual(await order(world, command, message.id), counts(0, 1));
      await world.clock.run(10_000);
      const { queued, held } = world.queue.counts();
      assert.deepEqual([queued, held], [0, command === 'hold' ? 1 : 0]);
      assert.equal(world.dsnInputs.length, command === 'expire' ? 1 : 0);
      await world.clock.run(hourMs);
      assert.equal(tries(world, message.id).length, 1);
    }
  });

  it('mail held for weakened policy goes out only if that is accepted, and says what it loses', async () => {
    const own: Clause = { kind: 'encrypted', origin: { kind: 'dsn', name: 'x' } };
    const tls13: Clause = { kind: 'min-version', version: 'TLSv1.3', origin: encrypted.origin };
    const world = await start({
      clauses: [tls13],
      fateOf: (_, n) => (n === 0 ? 'held' : 'deferred'),
    });
    const id = await send(world, ['h@a.test'], { clauses: [own] });
    assert.deepEqual(tries(world, id)[0]!.floor, [own, tls13]);
    assert.equal(world.queue.counts().held, 1);
    const { key } = parseQueueId(id)!;
    const { withheld, ...done } = await order(world, 'release', id);
    assert.deepEqual({ ...done, withheld: [] }, counts(0));
    const weaker = { lost: [tls13], today: [own], connector: null };
    const recipients = [{ localPart: 'h', domain: 'a.test' }];
    assert.deepEqual(withheld, [{ key, ordinal: 0, recipients, weaker }]);
    await world.clock.run(hourMs);
    assert.equal(tries(world, id).length, 1);
    const accepted = await order(world, 'release', id, { acceptsWeakerPolicy: true });
    assert.deepEqual(accepted, counts(1));
    await world.clock.run(1000);
    assert.deepEqual(tries(world, id)[1]!.floor, [own]);
    const { records } = await world.stored.readTrace(key);
    const released = records.find(({ kind }) => kind === 'released');
    assert.deepEqual(JSON.parse(released!.json).lost, ['TLS 1.3 or newer']);
  });

  it('release keeps of the floor whatever today demands as well', async () => {
    const connector = outboundConnector('partner', {
      recipientDomains: patterns('a.test'),
      tlsSettings: 'EncryptionOnly',
    });
    const today = policy({ id: 'contoso', outboundConnectors: [connector] });
    const named: Clause = {
      kind: 'name',
      references: patterns('a.test'),
      origin: encrypted.origin,
    };
    const world = await start({ clauses: [encrypted, named], policy: () => today });
    const id = await send(world, ['t@a.test']);
    await order(world, 'hold', id);
    assert.equal((await order(world, 'release', id)).withheld.length, 1);
    await order(world, 'release', id, { acceptsWeakerPolicy: true });
    await world.clock.run(1000);
    assert.deepEqual(tries(world, id)[1]!.floor, [encrypted]);
  });

  it('release of mail that an administrator held, under the same policy, needs no word more', async () => {
    const connector = outboundConnector('partner', {
      recipientDomains: patterns('a.test'),
      tlsSettings: 'EncryptionOnly',
    });
    const today = policy({ id: 'contoso', outboundConnectors: [connector] });
    const world = await start({ clauses: [encrypted], policy: () => today });
    const id = await send(world, ['t@a.test']);
    await order(world, 'hold', id);
    assert.deepEqual(await order(world, 'release', id), counts(1));
    await world.clock.run(1000);
    assert.deepEqual(tries(world, id)[1]!.floor, [encrypted]);
  });

  it('expire gives up with a DSN, delete without one', async () => {
    const world = await start();
    const [one, two] = [await send(world, ['t@a.test']), await send(world, ['h@a.test'])];
    assert.deepEqual(await order(world, 'expire', one), counts(1));
    assert.deepEqual(await order(world, 'delete', two), counts(1));
    assert.deepEqual(
      world.dsnInputs.map(({ about }) => about.id),
      [one],
    );
    await world.clock.run(minuteMs);
    assert.deepEqual(await world.stored.summarize(), { queued: 0, held: 0, routes: [] });
    assert.deepEqual([world.queue.counts().queued, world.queue.counts().held], [0, 0]);
  });

  it('retry makes deferred mail due at once, of one recipient domain if asked, and says who', async () => {
    const world = await start();
    const one = await send(world, ['td@a.test']);
    const two = await send(world, ['td@b.test']);
    const match = { recipientDomain: 'a.test' };
    assert.deepEqual(await order(world, 'retry', null, { match }), counts(1));
    await world.clock.run(1000);
    assert.deepEqual([tries(world, one).length, tries(world, two).length], [2, 1]);
    assert.deepEqual(await traceOf(world, one), ['received', 'attempt', 'retried', 'attempt']);
  });

  it('what an action does nothing to is counted apart', async () => {
    const world = await start();
    const id = await send(world, ['t@a.test']);
    assert.deepEqual(await order(world, 'release', id), counts(0, 0, 1));
    await order(world, 'hold', id);
    assert.deepEqual(await order(world, 'hold', id), counts(0, 0, 1));
    assert.deepEqual(await order(world, 'retry', id), counts(0, 0, 1));
    assert.equal(world.queue.counts().held, 1);
  });

  it('what was asked during an attempt is not done to what matches no more', async () => {
    const world = await start({
      fateOf: ({ domain }) => (domain === 'a.test' ? 'held' : 'bounced'),
    });
    const { message, done } = world.accept(['h@a.test', 'b@b.test']);
    await done;
    const match = { state: 'queued' } as const;
    assert.deepEqual(await order(world, 'delete', message.id, { match }), counts(0, 2));
    await world.clock.run(10_000);
    assert.deepEqual([world.queue.counts().queued, world.queue.counts().held], [0, 1]);
  });

  it('an order about one domain leaves the other deliveries of a message alone', async () => {
    const world = await start();
    const { message, done } = world.accept(['t@a.test', 't@b.test']);
    await done;
    const match = { recipientDomain: 'b.test' };
    assert.deepEqual(await order(world, 'delete', message.id, { match }), counts(0, 1));
    await world.clock.run(10_000);
    const rows = await world.stored.listQueue({ limit: 10 });
    assert.deepEqual(
      rows.flatMap(({ delivery }) => delivery.recipients.map(formatAddress)),
      ['t@a.test'],
    );
  });

  it('goes through a long queue in steps', async () => {
    const world = await start({
      limits: { readyMax: 2000, readyPerRouteMax: 2000, inFlightMax: 1 },
    });
    for (let i = 0; i < looksPerStep + 10; i++) await world.accept(['d@a.test']).done;
    const first = await order(world, 'hold', null);
    assert.equal(first.changed + first.pending, looksPerStep);
    const rest = await world.queue.command({
      action: 'hold',
      match: {},
      after: first.next,
      by: 'eva',
      acceptsWeakerPolicy: false,
    });
    assert.deepEqual([rest.changed, rest.next], [10, null]);
  });

  it('an order given while another one is carried out comes after it', async () => {
    const world = await start();
    const id = await send(world, ['t@a.test']);
    const both = [order(world, 'hold', id), order(world, 'delete', id)];
    assert.deepEqual(await Promise.all(both), [counts(1), counts(0, 1)]);
    await world.clock.run(1000);
    assert.deepEqual(await world.stored.listQueue({ limit: 10 }), []);
    assert.deepEqual(world.queue.counts().held, 0);
  });

  it('an unknown id changes nothing', async () => {
    const world = await start();
    await send(world, ['t@a.test']);
    for (const action of queueActions) {
      assert.deepEqual(await order(world, action, world.queue.newId()), counts(0));
    }
    assert.equal(world.queue.counts().queued, 1);
  });

  it('a failing store changes nothing', async () => {
    const world = await start();
    const id = await send(world, ['td@a.test']);
    world.commitFailures = 1;
    await assert.rejects(order(world, 'hold', id), isFailure('store-full'));
    world.commitFailures = 0;
    assert.equal(world.queue.counts().queued, 1);
    await world.clock.run(20 * minuteMs);
    assert.equal(tries(world, id).length, 2);
  });
});
