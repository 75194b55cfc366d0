/** Routes: the description of all the others. */
import { createRoute, z } from '@hono/zod-openapi';
import { json, needs, problem } from './route-parts.ts';

export const documentRoute = createRoute({
  method: 'get',
  path: '/v1/openapi.json',
  operationId: 'readDocument',
  ...needs('session.read'),
  summary: 'This document',
  responses: { 200: json('OpenAPI 3.1', z.looseObject({})), default: problem },
});
