/** The client's calls about the queue. */
import type { QueueListView } from '../contract.ts';
import { queueListSchema } from '../contract.ts';
import type {
  QueuedMessageView,
  QueueOrderAnswer,
  QueueOrderInput,
  QueueQuery,
} from '../contract/queue-orders.ts';
import { queuedMessageSchema, queueOrderAnswerSchema } from '../contract/queue-orders.ts';
import type { Caller } from './caller.ts';
import { formatQuery } from './caller.ts';

export interface QueueClient {
  listQueue(query: QueueQuery): Promise<QueueListView>;
  /** Throws `queue-match-empty` where neither a filter nor `all` is given. */
  orderQueue(order: QueueOrderInput): Promise<QueueOrderAnswer>;
  /** Throws `message-not-queued`. */
  showQueued(id: string): Promise<QueuedMessageView>;
  /** Hands the content over piece by piece. Throws `message-not-queued`. */
  readContent(id: string, by: string, write: (part: Buffer) => Promise<void>): Promise<void>;
}

export function queueClient({ ask, stream }: Caller): QueueClient {
  return {
    listQueue: (query) =>
      ask({ method: 'GET', path: `/v1/queue${formatQuery(query)}` }, queueListSchema),
    orderQueue: (order) =>
      ask({ method: 'POST', path: '/v1/queue/orders', body: order }, queueOrderAnswerSchema),
    showQueued: (id) =>
      ask({ method: 'GET', path: `/v1/queue/${encodeURIComponent(id)}` }, queuedMessageSchema),
    readContent: (id, by, write) => {
      const path = `/v1/queue/${encodeURIComponent(id)}/content${formatQuery({ by })}`;
      return stream({ method: 'GET', path }, write);
    },
  };
}
