/** Serves the trace: searched, read, and as records. */
import { Failure } from '../../mail/failure.ts';
import { recordsRoute, traceEventsRoute, traceRoute, traceSearchRoute } from '../routes/traces.ts';
import { tracesPerLook, watchTraces } from '../trace-events.ts';
import { pollEvents } from './event-streams.ts';
import { ownerOfTrace } from '../trace-owner.ts';
import { isInReach, organizationsInReach } from './reach.ts';
import { readId } from './read-id.ts';
import type { Serving } from './serving.ts';

export function serveTraces({ app, services, context, events }: Serving): void {
  app.openapi(traceSearchRoute, async (c) =>
    c.json(await services.searchTraces(c.req.valid('query'), organizationsInReach(c)), 200),
  );
  app.openapi(traceEventsRoute, (c) => {
    const query = c.req.valid('query');
    const reach = organizationsInReach(c);
    const look = watchTraces({
      search: (since) => {
        const asked = { ...query, since, limit: tracesPerLook };
        // Whoever may see other messages asks another question.
        const key = `traces ${JSON.stringify([asked, reach])}`;
        return events.looks.ask(key, () => services.searchTraces(asked, reach));
      },
      nowMs: Date.now,
      lastId: c.req.header('last-event-id') ?? null,
    });
    const { pollMs } = context.limits.events;
    return events.answer(c, (signal) => pollEvents(look, pollMs, signal));
  });
  app.openapi(recordsRoute, async (c) =>
    c.json(await services.readRecords(c.req.valid('query'), organizationsInReach(c)), 200),
  );
  app.openapi(traceRoute, async (c) => {
    const { id } = c.req.valid('param');
    const known = readId(id);
    const trace = known === null ? null : await services.readTrace(known);
    if (trace === null || !isInReach(c, ownerOfTrace(trace)))
      throw new Failure('trace-unknown', `nothing is known about "${id}"`);
    return c.json(trace, 200);
  });
}
