/** The queue behind the API: orders go to the lane that holds the mail, looks to the shards' readers. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { OrderServices } from '../api/queue-orders.ts';
import { takeStep } from '../api/queue-orders.ts';
import { describeQueuedMessage } from '../api/queue-view.ts';
import type { ApiServices, IdentifiedQueueRow } from '../api/services.ts';
import { Failure } from '../mail/failure.ts';
import { parseQueueId } from '../mail/queue-id.ts';
import { findWeakerPolicy } from '../policy/weaker-policy.ts';
import type { QueueOrder, Withheld } from '../queue/order.ts';
import { isFit, looksPerStep } from '../queue/order.ts';
import { readOriginal } from '../queue/read-original.ts';
import type { Log } from '../report/log.ts';
import type { Running } from './running.ts';

type QueueServices = Pick<ApiServices, 'orderQueue' | 'showQueued' | 'openContent'>;

const deliveriesMax = 1000;

export function queueServices(log: Log, running: Running): QueueServices {
  const { lanes, readers, reloader } = running;
  const weakerOf = ({ message, delivery }: IdentifiedQueueRow) =>
    findWeakerPolicy(reloader.inForce.policy, message, delivery);
  const services: OrderServices = {
    shards: lanes.map(({ shard }) => shard).sort((a, b) => a - b),
    order: async (shard, order) => {
      const lane = lanes.find((each) => each.shard === shard);
      if (lane === undefined) throw new Failure('lane-unavailable', `no lane has shard ${shard}`);
      const done = await lane.ask('order', order);
      const { action, by } = order;
      const { changed, pending } = done;
      if (changed + pending > 0) log.info({ action, by, shard, changed, pending }, 'queue order');
      return done;
    },
    rehearse: async (shard, order) => {
      const step = { after: order.after, looks: looksPerStep };
      const { rows, next } = await readers.pageQueue(shard, order.match, step);
      return { ...rehearse(rows, order, weakerOf), next };
    },
  };
  return {
    orderQueue: (view, organizations) => takeStep(view, services, organizations),
    showQueued: async (id) => {
      const { key, shard } = parseQueueId(id)!;
      const rows = await readers.listQueue({ key, shard, limit: deliveriesMax });
      const message = rows.length === 0 ? null : await readers.readMessage(id);
      const header = message === null ? null : (await readOriginal(message.content)).header;
      return describeQueuedMessage(rows, header, weakerOf);
    },
    openContent: async (id, by) => {
      const message = await readers.readMessage(id);
      if (message === null) return null;
      log.info({ queueId: id, by }, 'the content of a queued message was read');
      const { content } = message;
      if (content.kind === 'memory') return Readable.from([content.bytes]);
      const { path, offset, sizeBytes } = content;
      return createReadStream(path, { start: offset, end: offset + sizeBytes - 1 });
    },
  };
}

/** What an order would do. What is under way counts as if it were not. */
function rehearse(
  rows: readonly IdentifiedQueueRow[],
  order: QueueOrder,
  weakerOf: (row: IdentifiedQueueRow) => Withheld['weaker'] | null,
) {
  const nowMs = Date.now();
  const fit = rows.filter(({ delivery }) => isFit(order.action, delivery, nowMs));
  const withheld: Withheld[] = [];
  const touched = fit.filter((row) => {
    const mayWithhold = order.action === 'release' && !order.acceptsWeakerPolicy;
    const weaker = mayWithhold ? weakerOf(row) : null;
    if (weaker === null) return true;
    const { key, ordinal, recipients } = row.delivery;
    withheld.push({ key, ordinal, recipients, weaker });
    return false;
  });
  const unfit = rows.length - fit.length;
  return { changed: touched.length, pending: 0, unfit, withheld, rows: touched };
}
