/** Serves the trace: searched, read, and as records. */
import { Failure } from '../../mail/failure.ts';
import { recordsRoute, traceRoute, traceSearchRoute } from '../routes/traces.ts';
import { readId } from './read-id.ts';
import type { Serving } from './serving.ts';

export function serveTraces({ app, services }: Serving): void {
  app.openapi(traceSearchRoute, async (c) =>
    c.json(await services.searchTraces(c.req.valid('query')), 200),
  );
  app.openapi(recordsRoute, async (c) =>
    c.json(await services.readRecords(c.req.valid('query')), 200),
  );
  app.openapi(traceRoute, async (c) => {
    const { id } = c.req.valid('param');
    const known = readId(id);
    const trace = known === null ? null : await services.readTrace(known);
    if (trace === null) throw new Failure('trace-unknown', `nothing is known about "${id}"`);
    return c.json(trace, 200);
  });
}
