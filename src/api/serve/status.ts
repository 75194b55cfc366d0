/** Serves the gateway's own state. */
import { statusRoute } from '../routes/status.ts';
import { organizationsInReach } from './reach.ts';
import type { Serving } from './serving.ts';

export function serveStatus({ app, services }: Serving): void {
  app.openapi(statusRoute, async (c) =>
    c.json(await services.status(organizationsInReach(c)), 200),
  );
}
