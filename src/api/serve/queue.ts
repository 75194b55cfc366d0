/** Serves the queue: lists, single messages, their content, orders. */
import { Readable } from 'node:stream';
import { mayDo } from '../../identity/permissions.ts';
import { Failure } from '../../mail/failure.ts';
import { parseQueueCursor } from '../contract/queue-orders.ts';
import type { QueuedMessageView } from '../contract/queue-orders.ts';
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
import { actorOf, signedBy, isInReach, onlyOneInReach, organizationsInReach } from './reach.ts';
import type { ApiRequest, Serving } from './serving.ts';

export function serveQueue(serving: Serving): void {
  const { app, services, context, events } = serving;
  app.openapi(queueRoute, async (c) => {
    const { limit, after, ...query } = c.req.valid('query');
    const place = after === undefined ? null : parseQueueCursor(after);
    const behind = place === null ? {} : { after: place };
    const match = { ...behind, ...reachOf(c), ...toMatch(query) };
    const rows = (await services.listQueue({ limit, ...match })).map(describeQueueRow);
    const last = rows.at(-1);
    const next = rows.length < limit || last === undefined ? null : `${last.id}.${last.ordinal}`;
    return c.json({ rows, limit, next }, 200);
  });
  app.openapi(queueEventsRoute, (c) => {
    const { limit, ...query } = c.req.valid('query');
    const filter = { limit, ...reachOf(c), ...toMatch(query) };
    // Whoever may see other rows asks another question.
    const list = () =>
      events.looks.ask(`queue ${JSON.stringify(filter)}`, async () =>
        (await services.listQueue(filter)).map(describeQueueRow),
      );
    const { pollMs } = context.limits.events;
    return events.answer(c, (signal) => pollEvents(watchQueue(list), pollMs, signal));
  });
  app.openapi(queueOrderRoute, async (c) => {
    const order = c.req.valid('json');
    const by = signedBy(c, order.by);
    const done = await services.orderQueue({ ...order, by }, organizationsInReach(c));
    if (!order.dryRun && done.changed + done.pending > 0) {
      services.people.note(actorOf(c), {
        action: `queue.${order.action}`,
        organization: order.match.organization ?? onlyOneInReach(c),
        object: null,
        after: { match: order.match, changed: done.changed, pending: done.pending },
      });
    }
    return c.json(done, 200);
  });
  app.openapi(queuedRoute, async (c) => {
    const message = await findQueued(serving, c, c.req.valid('param').id);
    const organization = message.deliveries[0]?.organization ?? null;
    const mayReadContent = mayDo(actorOf(c), 'content.read', organization);
    return c.json(mayReadContent ? message : { ...message, header: null }, 200);
  });
  app.openapi(contentRoute, async (c) => {
    const { id, deliveries } = await findQueued(serving, c, c.req.valid('param').id);
    const content = await services.openContent(id, signedBy(c, c.req.valid('query').by));
    if (content === null) throw notQueued(id);
    services.people.note(actorOf(c), {
      action: 'content.read',
      organization: deliveries[0]?.organization ?? null,
      object: { kind: 'message', name: id },
    });
    const stream = Readable.toWeb(content) as ReadableStream;
    return c.body(stream, 200, { 'content-type': 'message/rfc822' });
  });
}

/** Throws `message-not-queued`, also where it is another organization's. */
async function findQueued(
  { services }: Serving,
  c: ApiRequest,
  text: string,
): Promise<QueuedMessageView> {
  const id = readId(text);
  const message = id === null ? null : await services.showQueued(id);
  const isMine = message?.deliveries.every(({ organization }) => isInReach(c, organization));
  if (message === null || isMine !== true) throw notQueued(text);
  return message;
}

/** Only rows of the organizations in reach; nothing where all are. */
function reachOf(c: ApiRequest): { readonly organizations?: readonly string[] } {
  const organizations = organizationsInReach(c);
  return organizations === null ? {} : { organizations };
}

function notQueued(id: string): Failure {
  return new Failure('message-not-queued', `no message ${id} is queued`);
}
