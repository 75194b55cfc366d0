/** Takes messages in. */
import { submitRoute } from '../routes/messages.ts';
import type { Serving } from './serving.ts';

export function serveMessages({ app, services, context, bodies }: Serving): void {
  const { submissionsMax, bodyBytesMax } = context.limits;
  bodies.allow('/v1/messages', { bytesMax: bodyBytesMax, atOnceMax: submissionsMax });
  app.openapi(submitRoute, async (c) => c.json(await services.submit(c.req.valid('json')), 202));
}
