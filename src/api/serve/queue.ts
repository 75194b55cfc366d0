/** Serves the queue: lists, single messages, their content, orders. */
import { Readable } from 'node:stream';
import { Failure } from '../../mail/failure.ts';
import { parseQueueCursor } from '../contract/queue-orders.ts';
import { toMatch } from '../queue-orders.ts';
import { describeQueueRow } from '../queue-view.ts';
import { watchQueue } from '../queue-events.ts';
import {
  contentRoute,
  queuedRoute,
  queueEventsRoute,
  queueOrderRoute,
  queueRoute,
} from '../routes/queue.ts';
import { pollEvents } from './event-streams.ts';
import { readId } from './read-id.ts';
import type { Serving } from './serving.ts';

export function serveQueue({ app, services, context, events }: Serving): void {
  app.openapi(queueRoute, async (c) => {
    const { limit, after, ...query } = c.req.valid('query');
    const place = after === undefined ? null : parseQueueCursor(after);
    const behind = place === null ? {} : { after: place };
    const rows = (await services.listQueue({ limit, ...behind, ...toMatch(query) })).map(
      describeQueueRow,
    );
    const last = rows.at(-1);
    const next = rows.length < limit || last === undefined ? null : `${last.id}.${last.ordinal}`;
    return c.json({ rows, limit, next }, 200);
  });
  app.openapi(queueEventsRoute, (c) => {
    const { limit, ...query } = c.req.valid('query');
    const filter = { limit, ...toMatch(query) };
    const list = () =>
      events.looks.ask(`queue ${JSON.stringify(filter)}`, async () =>
        (await services.listQueue(filter)).map(describeQueueRow),
      );
    const { pollMs } = context.limits.events;
    return events.answer(c, (signal) => pollEvents(watchQueue(list), pollMs, signal));
  });
  app.openapi(queueOrderRoute, async (c) =>
    c.json(await services.orderQueue(c.req.valid('json')), 200),
  );
  app.openapi(queuedRoute, async (c) => {
    const id = readId(c.req.valid('param').id);
    const message = id === null ? null : await services.showQueued(id);
    if (message === null) throw notQueued(c.req.valid('param').id);
    return c.json(message, 200);
  });
  app.openapi(contentRoute, async (c) => {
    const id = readId(c.req.valid('param').id);
    const content = id === null ? null : await services.openContent(id, c.req.valid('query').by);
    if (content === null) throw notQueued(c.req.valid('param').id);
    const stream = Readable.toWeb(content) as ReadableStream;
    return c.body(stream, 200, { 'content-type': 'message/rfc822' });
  });
}

function notQueued(id: string): Failure {
  return new Failure('message-not-queued', `no message ${id} is queued`);
}
