/** Seeded simulations of whole queues: what must hold whatever fails, and in whatever order. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatQueueId } from '../mail/queue-id.ts';
import type { NotifyOn, Recipient } from '../mail/recipient.ts';
import { wantsNotice } from '../mail/recipient.ts';
import { parseAddress } from '../mail/address.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import type { DsnRecipient } from '../report/dsn-recipient.ts';
import { expandAlias, handedToOf, nameOf, shard, World } from './simulation.ts';

const hourMs = 60 * 60_000;
const domains = ['a.test', 'b.test', 'forced.test', 'mailbox.test', 'tells.test', 'alias.test'];
const asked: readonly (readonly NotifyOn[] | undefined)[] = [
  undefined,
  undefined,
  [],
  ['success'],
  ['failure'],
  ['delay'],
  ['success', 'failure', 'delay'],
];
const fates = ['d', 'd', 'd', 'td', 'ttd', 'tttttd', 'b', 'tb', 't', 'h', 'td'];

interface Sent {
  readonly message: IncomingMessage;
  isAcknowledged: boolean;
  isRefused: boolean;
}

/** Sends one message to random recipients; some have the null reverse-path. */
function sendOne(world: World, sent: Sent[]): void {
  const { random } = world;
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const recipients = new Set<string>();
  const count = 1 + Math.floor(random() * 4);
  for (let i = 0; i < count; i++) recipients.add(`${pick(fates)}${i}@${pick(domains)}`);
  const over = random() < 0.1 ? { reversePath: null } : {};
  const envelope = Array.from(recipients, (text): Recipient => {
    const notify = pick(asked);
    return {
      ...parseAddress(text)!,
      ...(notify === undefined ? {} : { notify }),
    };
  });
  const { message, done } = world.accept([], { ...over, recipients: envelope });
  const entry: Sent = { message, isAcknowledged: false, isRefused: false };
  sent.push(entry);
  done.then(
    () => (entry.isAcknowledged = true),
    () => (entry.isRefused = true),
  );
}

/** The last letter before the number repeats, as `fateByName` reads it. */
function fateOf({ localPart }: { readonly localPart: string }, attempt: number) {
  const letters = localPart.replace(/\d+$/, '');
  const letter = letters[Math.min(attempt, letters.length - 1)];
  if (letter === 'b') return 'bounced' as const;
  if (letter === 't') return 'deferred' as const;
  return letter === 'h' ? ('held' as const) : ('delivered' as const);
}

/** Every recipient of an acknowledged message has exactly one end. */
async function checkEnds(world: World, sent: readonly Sent[]): Promise<void> {
  const rows = await world.stored.listQueue({ limit: 10_000 });
  const held = new Set<string>();
  for (const { message, delivery } of rows) {
    assert.equal(delivery.state, 'held', `still queued: ${JSON.stringify(delivery)}`);
    const id = formatQueueId({ key: message.key, shard });
    for (const recipient of delivery.recipients) held.add(nameOf(id, recipient));
  }
  for (const { message, isAcknowledged, isRefused } of sent) {
    if (isAcknowledged) checkExpanded(world, message);
    for (const recipient of message.recipients.flatMap(expandAlias)) {
      const name = nameOf(message.id, recipient);
      const delivered = world.delivered.get(name) ?? 0;
      const failures = world.toldOf('failed', message.id, recipient).size;
      const isHeld = held.has(name);
      const isEnded = delivered + failures > 0 || isHeld;
      if (isRefused) assert.ok(!isEnded, `refused, and yet it lives: ${name}`);
      assert.ok(delivered <= 1 + (world.maybeTwice.get(name) ?? 0), `twice: ${name}`);
      if (!isAcknowledged) continue;
      const last = fateOf(recipient, 1000);
      if (last === 'delivered') assert.ok(delivered >= 1, `lost: ${name}`);
      else assert.equal(delivered, 0);
      if (last === 'held') assert.ok(isHeld, `not held: ${name}`);
      checkTold(world, message, recipient);
    }
  }
}

/** Told once of an alias whose success was asked for, and of nobody else. */
function checkExpanded(world: World, message: IncomingMessage): void {
  for (const named of message.recipients) {
    const isAlias = named.domain === 'alias.test';
    const isTold = isAlias && wantsNotice(named, 'success') && message.reversePath !== null;
    const told = world.toldOf('expanded', message.id, named).size;
    assert.equal(told, isTold ? 1 : 0, nameOf(message.id, named));
  }
}

/** Every kind of DSN that was asked for comes once, and no other. */
function checkTold(world: World, message: IncomingMessage, recipient: Recipient): void {
  const last = fateOf(recipient, 1000);
  const isTold = message.reversePath !== null;
  const count = (action: DsnRecipient['action']): number =>
    world.toldOf(action, message.id, recipient).size;
  const expected = (isExpected: boolean): number => (isTold && isExpected ? 1 : 0);
  const what = `${nameOf(message.id, recipient)} ${JSON.stringify(recipient)}`;
  const isConfirmed = wantsNotice(recipient, 'success') && last === 'delivered';
  const handedTo = handedToOf(recipient);
  assert.equal(count('delivered'), expected(isConfirmed && handedTo === 'mailbox'), what);
  assert.equal(count('relayed'), expected(isConfirmed && handedTo === 'relay'), what);
  const isFailed = last === 'bounced' || last === 'deferred';
  assert.equal(count('failed'), expected(isFailed && wantsNotice(recipient, 'failure')), what);
  const delays = count('delayed');
  assert.ok(delays <= expected(wantsNotice(recipient, 'delay')), `${delays} delays: ${what}`);
  const isStuck = last === 'held' || (recipient.localPart.startsWith('t') && last === 'deferred');
  if (isStuck) assert.equal(delays, expected(wantsNotice(recipient, 'delay')), what);
}

async function checkCounts(world: World): Promise<void> {
  const { queued, held } = await world.stored.summarize();
  const counts = world.queue.counts();
  assert.deepEqual(
    { queued: counts.queued, held: counts.held },
    { queued, held },
    'counts differ from the store',
  );
  assert.deepEqual(
    [counts.ready, counts.inFlight, counts.settling, counts.bytesInMemory],
    [0, 0, 0, 0],
  );
}

async function simulate(seed: number, crashes: number): Promise<void> {
  const world = new World({ seed, fateOf, storeMs: 30, commitFailures: seed % 3 === 0 ? 0.1 : 0 });
  await world.start();
  const sent: Sent[] = [];
  for (let burst = 0; burst < 6; burst++) {
    const count = Math.floor(world.random() * 8);
    for (let i = 0; i < count && world.isAlive; i++) sendOne(world, sent);
    if (burst < crashes) {
      world.crashAt(1 + Math.floor(world.random() * 12), world.random() < 0.5);
    }
    await world.clock.run(Math.floor(world.random() * 40 * 60_000));
    if (!world.isAlive) await world.restart();
  }
  world.commitFailures = 0;
  if (crashes > 0) await world.restart();
  await world.clock.run(30 * hourMs);
  await checkEnds(world, sent);
  await checkCounts(world);
}

describe('a simulated queue', () => {
  it('ends every recipient once: delivered, held, or failed with one DSN', async () => {
    for (let seed = 1; seed <= 30; seed++) await simulate(seed, 0);
  });

  it('loses and doubles nothing but what was under way, through crashes at commits', async () => {
    for (let seed = 100; seed < 160; seed++) await simulate(seed, 5);
  });
});
