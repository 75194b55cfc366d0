/** Explains what would become of a message. */
import { explainRoute } from '../routes/explain.ts';
import { limitBody, smallBodyBytesMax } from './limits.ts';
import type { Serving } from './serving.ts';

export function serveExplain({ app, services }: Serving): void {
  app.use('/v1/explain', limitBody(smallBodyBytesMax));
  app.openapi(explainRoute, async (c) => c.json(await services.explain(c.req.valid('json')), 200));
}
