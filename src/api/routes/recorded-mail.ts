/** Routes: what recorded mail says of connectors. */
import { createRoute } from '@hono/zod-openapi';
import { readinessQuerySchema, readinessSchema } from '../contract/readiness.ts';
import { replayedSchema, replayOrderSchema } from '../contract/replay.ts';
import { body, json, needs, problem } from './route-parts.ts';

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

export const replayRoute = createRoute({
  method: 'post',
  path: '/v1/replay',
  operationId: 'replayMail',
  ...needs('record.read'),
  summary:
    'What another policy would have made of recorded mail; nothing is sent and nothing changes',
  description:
    'Judged is the mail of the organizations that you may see. What depends on others as well is counted as undecided. More days than are read in 20 s are refused (504): ask for fewer, or read `/v1/records` yourself.',
  request: body(replayOrderSchema),
  responses: { 200: json('What would be otherwise', replayedSchema), default: problem },
});
