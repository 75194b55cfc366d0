/** Routes: the gateway itself. */
import { createRoute } from '@hono/zod-openapi';
import { statusSchema } from '../contract.ts';
import { json, needs, problem } from './route-parts.ts';

export const statusRoute = createRoute({
  method: 'get',
  path: '/v1/status',
  operationId: 'readStatus',
  ...needs('status.read'),
  summary: 'The running gateway: version, listeners, policy revision, queue sizes',
  responses: { 200: json('The gateway', statusSchema), default: problem },
});
