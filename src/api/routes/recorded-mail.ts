/** Routes: what recorded mail says of connectors. */
import { createRoute } from '@hono/zod-openapi';
import { readinessQuerySchema, readinessSchema } from '../contract/readiness.ts';
import { json, needs, problem } from './route-parts.ts';

export const readinessRoute = createRoute({
  method: 'get',
  path: '/v1/readiness',
  operationId: 'readReadiness',
  ...needs('record.read'),
  summary: "Whether recorded mail met a connector's demands, so that it could be enforced",
  description:
    'The demands are those of the time, in whatever mode. More days than are read in 20 s are refused (504): ask for fewer, or read `/v1/records` yourself.',
  request: { query: readinessQuerySchema },
  responses: { 200: json('Met and unmet, with the failures', readinessSchema), default: problem },
});
