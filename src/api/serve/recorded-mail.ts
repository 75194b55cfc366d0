/** Serves what recorded mail says of connectors; one such question of a kind at a time. */
import { readinessRoute } from '../routes/recorded-mail.ts';
import { limitConcurrency } from './limits.ts';
import { organizationsInReach } from './reach.ts';
import type { Serving } from './serving.ts';

export function serveRecordedMail({ app, services }: Serving): void {
  app.use(readinessRoute.path, limitConcurrency(1, 'are answered already'));
  app.openapi(readinessRoute, async (c) =>
    c.json(await services.readReadiness(c.req.valid('query'), organizationsInReach(c)), 200),
  );
}
