/** Routes: connectors that recorded mail suggests. */
import { createRoute } from '@hono/zod-openapi';
import { suggestionsSchema, suggestQuerySchema } from '../contract/suggestions.ts';
import { json, needs, problem } from './route-parts.ts';

export const suggestionsRoute = createRoute({
  method: 'get',
  path: '/v1/suggestions',
  operationId: 'suggestConnectors',
  ...needs('record.read'),
  summary: 'Domains whose recorded mail always had validated TLS, as drafts of connectors',
  request: { query: suggestQuerySchema },
  responses: { 200: json('Drafts, and what nearly is one', suggestionsSchema), default: problem },
});
