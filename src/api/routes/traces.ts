/** Routes: the trace of messages, and the records behind it. */
import { createRoute } from '@hono/zod-openapi';
import { traceViewSchema } from '../contract.ts';
import { recordPageSchema, recordQuerySchema } from '../contract/records.ts';
import { traceListSchema, traceQuerySchema } from '../contract/trace-search.ts';
import { idParam, json, problem } from './route-parts.ts';

export const traceSearchRoute = createRoute({
  method: 'get',
  path: '/v1/traces',
  operationId: 'searchTraces',
  summary: 'Messages and refusals by sender, recipient, time and what became of them, newest first',
  request: { query: traceQuerySchema },
  responses: { 200: json('One page', traceListSchema), default: problem },
});

export const recordsRoute = createRoute({
  method: 'get',
  path: '/v1/records',
  operationId: 'readRecords',
  summary: 'Whole traces as they are stored, with the facts that they cite, page by page',
  request: { query: recordQuerySchema },
  responses: { 200: json('One page', recordPageSchema), default: problem },
});

export const traceRoute = createRoute({
  method: 'get',
  path: '/v1/traces/{id}',
  operationId: 'readTrace',
  summary: 'Everything kept about one message or refusal: decisions, attempts, evidence',
  request: { params: idParam },
  responses: { 200: json('The trace', traceViewSchema), default: problem },
});
