/** Takes messages in. */
import { submitRoute } from '../routes/messages.ts';
import { limitBody, limitConcurrency } from './limits.ts';
import type { Serving } from './serving.ts';

export function serveMessages({ app, services, context }: Serving): void {
  const { submissionsMax, bodyBytesMax } = context.limits;
  app.use('/v1/messages', limitConcurrency(submissionsMax), limitBody(bodyBytesMax));
  app.openapi(submitRoute, async (c) => c.json(await services.submit(c.req.valid('json')), 202));
}
