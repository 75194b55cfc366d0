/** Routes: the queue: looked at, and ordered about. */
import { createRoute, z } from '@hono/zod-openapi';
import { queueListSchema } from '../contract.ts';
import {
  queueEventsQuerySchema,
  queuedMessageSchema,
  queueOrderAnswerSchema,
  queueOrderSchema,
  queueQuerySchema,
} from '../contract/queue-orders.ts';
import { body, events, idParam, json, needs, problem } from './route-parts.ts';

export const queueRoute = createRoute({
  method: 'get',
  path: '/v1/queue',
  operationId: 'listQueue',
  ...needs('queue.read'),
  summary: 'Queued and held deliveries',
  request: { query: queueQuerySchema },
  responses: { 200: json('The deliveries', queueListSchema), default: problem },
});

export const queueEventsRoute = createRoute({
  method: 'get',
  path: '/v1/queue/events',
  operationId: 'watchQueue',
  ...needs('queue.read'),
  summary: 'The same rows as listQueue, and what changes in them, as server-sent events',
  request: { query: queueEventsQuerySchema },
  responses: {
    200: events(
      '`snapshot` with `rows` first; then `row` for each that came or changed, and `gone` with `id` and `ordinal` for each that is no longer among them. The queue is looked at every 2 s',
    ),
    default: problem,
  },
});

export const queueOrderRoute = createRoute({
  method: 'post',
  path: '/v1/queue/orders',
  operationId: 'orderQueue',
  ...needs('queue.order'),
  summary: 'Retries, holds, releases, expires or deletes whatever matches, in bounded steps',
  request: body(queueOrderSchema),
  responses: { 200: json('What the step did', queueOrderAnswerSchema), default: problem },
});

export const queuedRoute = createRoute({
  method: 'get',
  path: '/v1/queue/{id}',
  operationId: 'showQueued',
  ...needs('queue.read'),
  summary: 'One queued message: envelope, header, deliveries, what was demanded of each',
  request: { params: idParam },
  responses: { 200: json('The message', queuedMessageSchema), default: problem },
});

export const contentRoute = createRoute({
  method: 'get',
  path: '/v1/queue/{id}/content',
  operationId: 'readContent',
  ...needs('content.read'),
  summary: 'The content of a queued message as it is stored; the reading is logged',
  request: {
    params: idParam,
    query: z.object({ by: z.string().min(1).max(100).default('administrator (API)') }),
  },
  responses: {
    200: { description: 'RFC 5322', content: { 'message/rfc822': { schema: z.string() } } },
    default: problem,
  },
});
