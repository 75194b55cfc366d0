/** Explains what would become of a message. */
import { explainRoute } from '../routes/explain.ts';
import type { Serving } from './serving.ts';

export function serveExplain({ app, services }: Serving): void {
  app.openapi(explainRoute, async (c) => c.json(await services.explain(c.req.valid('json')), 200));
}
