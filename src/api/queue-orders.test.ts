import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatQueueId } from '../mail/queue-id.ts';
import type { QueueOrder } from '../queue/order.ts';
import { isFailure } from '../store/conformance.ts';
import type { DeliveryKey } from '../store/store.ts';
import { queueOrderSchema } from './contract/queue-orders.ts';
import type { OrderServices } from './queue-orders.ts';
import { takeStep, toMatch } from './queue-orders.ts';

/** Shards 0 and 2; the first has two steps. */
function fakeShards() {
  const orders: (QueueOrder & { readonly shard: number })[] = [];
  const step = async (shard: number, order: QueueOrder) => {
    orders.push({ ...order, shard });
    const next: DeliveryKey | null =
      shard === 0 && order.after === null ? { key: 7, ordinal: 1 } : null;
    return { changed: 1, pending: 0, unfit: 0, withheld: [], next };
  };
  const services: OrderServices = {
    shards: [0, 2],
    order: step,
    rehearse: async (shard, order) => ({ ...(await step(shard, order)), rows: [] }),
  };
  return { orders, services };
}

const parse = (order: object) => queueOrderSchema.parse({ action: 'retry', match: {}, ...order });

test('goes through all shards step by step', async () => {
  const { orders, services } = fakeShards();
  let after: string | null = null;
  const cursors: (string | null)[] = [];
  do {
    after = (await takeStep(parse({ all: true, after }), services, null)).next;
    cursors.push(after);
  } while (after !== null);
  assert.deepEqual(cursors, ['0.7.1', '2', null]);
  assert.deepEqual(
    orders.map(({ shard, after: from }) => [shard, from]),
    [
      [0, null],
      [0, { key: 7, ordinal: 1 }],
      [2, null],
    ],
  );
});

test('an id leads to its shard alone, an unknown shard to nothing', async () => {
  const { orders, services } = fakeShards();
  const ofShard = (shard: number) => ({ match: { id: formatQueueId({ key: 99, shard }) } });
  const answer = await takeStep(parse(ofShard(2)), services, null);
  assert.deepEqual([answer.changed, answer.next], [1, null]);
  assert.deepEqual(orders[0]?.match, { key: 99 });
  assert.equal((await takeStep(parse(ofShard(5)), services, null)).changed, 0);
  assert.equal(orders.length, 1);
});

test('an empty match wants `all`, and a strange cursor is refused', async () => {
  const { orders, services } = fakeShards();
  await assert.rejects(takeStep(parse({}), services, null), isFailure('queue-match-empty'));
  const strange = parse({ all: true, after: '0.1' });
  await assert.rejects(takeStep(strange, services, null), isFailure('queue-cursor-wrong'));
  assert.deepEqual(orders, []);
});

test('senders are addresses, domains or nobody', () => {
  const senderOf = (sender: string) => toMatch({ sender }).sender;
  assert.deepEqual(senderOf('<>'), { kind: 'null' });
  assert.deepEqual(senderOf('Contoso.com'), { kind: 'domain', domain: 'contoso.com' });
  assert.deepEqual(senderOf('a@Contoso.com'), {
    kind: 'address',
    address: { localPart: 'a', domain: 'contoso.com' },
  });
  assert.equal(
    queueOrderSchema.safeParse({ action: 'retry', match: { sender: '@' } }).success,
    false,
  );
});

test('an order reaches nothing of other organizations, and does not become smaller by that', async () => {
  const { orders, services } = fakeShards();
  const mine = ['contoso'];
  await assert.rejects(takeStep(parse({}), services, mine), isFailure('queue-match-empty'));
  await takeStep(parse({ all: true }), services, mine);
  await takeStep(parse({ match: { organization: 'fabrikam' } }), services, mine);
  assert.deepEqual(
    orders.map(({ match }) => match),
    [{ organizations: mine }, { organization: 'fabrikam', organizations: mine }],
  );
});
