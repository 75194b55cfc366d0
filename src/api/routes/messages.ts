/** Routes: messages handed in. */
import { createRoute } from '@hono/zod-openapi';
import { submitSchema, submittedSchema } from '../contract.ts';
import { body, json, needs, problem } from './route-parts.ts';

export const submitRoute = createRoute({
  method: 'post',
  path: '/v1/messages',
  operationId: 'submitMessage',
  ...needs('submit'),
  summary: 'Accepts a message for delivery; it is durable when the answer comes',
  request: body(submitSchema),
  responses: { 202: json('Its queue id', submittedSchema), default: problem },
});
