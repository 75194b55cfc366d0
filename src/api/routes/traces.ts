/** Routes: the trace of messages, and the records behind it. */
import { createRoute } from '@hono/zod-openapi';
import { traceViewSchema } from '../contract.ts';
import { recordPageSchema, recordQuerySchema } from '../contract/records.ts';
import {
  traceEventsQuerySchema,
  traceListSchema,
  traceQuerySchema,
} from '../contract/trace-search.ts';
import { events, idParam, json, needs, problem } from './route-parts.ts';

export const traceSearchRoute = createRoute({
  method: 'get',
  path: '/v1/traces',
  operationId: 'searchTraces',
  ...needs('trace.read'),
  summary: 'Messages and refusals by sender, recipient, time and what became of them, newest first',
  request: { query: traceQuerySchema },
  responses: { 200: json('One page', traceListSchema), default: problem },
});

export const traceEventsRoute = createRoute({
  method: 'get',
  path: '/v1/traces/events',
  operationId: 'watchTraces',
  ...needs('trace.read'),
  summary: 'New messages and refusals, and what becomes of them, as server-sent events',
  request: { query: traceEventsQuerySchema },
  responses: {
    200: events(
      '`trace` with a row of searchTraces for each that is new, and again when its state changes within a minute; `gap` where more came than are told (200 a minute). With Last-Event-ID what was missed, up to an hour. The trace is searched every 2 s',
    ),
    default: problem,
  },
});

export const recordsRoute = createRoute({
  method: 'get',
  path: '/v1/records',
  operationId: 'readRecords',
  ...needs('record.read'),
  summary: 'Whole traces as they are stored, with the facts that they cite, page by page',
  request: { query: recordQuerySchema },
  responses: { 200: json('One page', recordPageSchema), default: problem },
});

export const traceRoute = createRoute({
  method: 'get',
  path: '/v1/traces/{id}',
  operationId: 'readTrace',
  ...needs('trace.read'),
  summary: 'Everything kept about one message or refusal: decisions, attempts, evidence',
  request: { params: idParam },
  responses: { 200: json('The trace', traceViewSchema), default: problem },
});
