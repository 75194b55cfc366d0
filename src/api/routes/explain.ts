/** Routes: what would become of a message. */
import { createRoute } from '@hono/zod-openapi';
import { explainAnswerSchema, explainQuestionSchema } from '../contract.ts';
import { body, json, needs, problem } from './route-parts.ts';

export const explainRoute = createRoute({
  method: 'post',
  path: '/v1/explain',
  operationId: 'explainMail',
  ...needs('explain'),
  summary: 'What would happen to a hypothetical message, and why; nothing is sent',
  request: body(explainQuestionSchema),
  responses: { 200: json('The decisions', explainAnswerSchema), default: problem },
});
