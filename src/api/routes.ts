/** The API's routes as data: from them come the handlers' validation and the OpenAPI document. */
import { createRoute, z } from '@hono/zod-openapi';
import {
  explainAnswerSchema,
  explainQuestionSchema,
  problemSchema,
  queueListSchema,
  reloadedSchema,
  reloadOrderSchema,
  statusSchema,
  submitSchema,
  submittedSchema,
  traceViewSchema,
} from './contract.ts';
import {
  queuedMessageSchema,
  queueOrderAnswerSchema,
  queueOrderSchema,
  queueQuerySchema,
} from './contract/queue-orders.ts';
import {
  configCheckOrderSchema,
  configCheckSchema,
  configQuerySchema,
  configViewSchema,
} from './contract/config.ts';
import { domainListSchema, domainParamSchema, domainSchema } from './contract/domains.ts';
import { recordPageSchema, recordQuerySchema } from './contract/records.ts';
import { traceListSchema, traceQuerySchema } from './contract/trace-search.ts';

const problem = {
  description: 'Why not',
  content: { 'application/problem+json': { schema: problemSchema } },
};

function json<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } };
}

function body<Schema extends z.ZodType>(schema: Schema) {
  return { body: { required: true, content: { 'application/json': { schema } } } };
}

export const statusRoute = createRoute({
  method: 'get',
  path: '/v1/status',
  operationId: 'readStatus',
  summary: 'The running gateway: version, listeners, policy revision, queue sizes',
  responses: { 200: json('The gateway', statusSchema), default: problem },
});

export const queueRoute = createRoute({
  method: 'get',
  path: '/v1/queue',
  operationId: 'listQueue',
  summary: 'Queued and held deliveries',
  request: { query: queueQuerySchema },
  responses: { 200: json('The deliveries', queueListSchema), default: problem },
});

export const queueOrderRoute = createRoute({
  method: 'post',
  path: '/v1/queue/orders',
  operationId: 'orderQueue',
  summary: 'Retries, holds, releases, expires or deletes whatever matches, in bounded steps',
  request: body(queueOrderSchema),
  responses: { 200: json('What the step did', queueOrderAnswerSchema), default: problem },
});

const idParam = z.object({ id: z.string().max(64) });

export const queuedRoute = createRoute({
  method: 'get',
  path: '/v1/queue/{id}',
  operationId: 'showQueued',
  summary: 'One queued message: envelope, header, deliveries, what was demanded of each',
  request: { params: idParam },
  responses: { 200: json('The message', queuedMessageSchema), default: problem },
});

export const contentRoute = createRoute({
  method: 'get',
  path: '/v1/queue/{id}/content',
  operationId: 'readContent',
  summary: 'The content of a queued message as it is stored; the reading is logged',
  request: {
    params: idParam,
    query: z.object({ by: z.string().min(1).max(100).default('administrator (API)') }),
  },
  responses: {
    200: { description: 'RFC 5322', content: { 'message/rfc822': { schema: z.string() } } },
    default: problem,
  },
});

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

export const submitRoute = createRoute({
  method: 'post',
  path: '/v1/messages',
  operationId: 'submitMessage',
  summary: 'Accepts a message for delivery; it is durable when the answer comes',
  request: body(submitSchema),
  responses: { 202: json('Its queue id', submittedSchema), default: problem },
});

export const configRoute = createRoute({
  method: 'get',
  path: '/v1/config',
  operationId: 'readConfig',
  summary: 'The configuration in force, without secrets, and whether the file differs',
  request: { query: configQuerySchema },
  responses: { 200: json('The configuration', configViewSchema), default: problem },
});

export const configCheckRoute = createRoute({
  method: 'post',
  path: '/v1/config/check',
  operationId: 'checkConfig',
  summary:
    'What a reload would find in the file, or in a candidate: errors, warnings, weaker demands',
  request: { body: { content: { 'application/json': { schema: configCheckOrderSchema } } } },
  responses: {
    200: json('What it found; nothing is changed', configCheckSchema),
    default: problem,
  },
});

export const explainRoute = createRoute({
  method: 'post',
  path: '/v1/explain',
  operationId: 'explainMail',
  summary: 'What would happen to a hypothetical message, and why; nothing is sent',
  request: body(explainQuestionSchema),
  responses: { 200: json('The decisions', explainAnswerSchema), default: problem },
});

export const domainsRoute = createRoute({
  method: 'get',
  path: '/v1/domains',
  operationId: 'listDomains',
  summary: 'Accepted domains: whose they are proven to be, and the record that proves it',
  responses: { 200: json('The domains', domainListSchema), default: problem },
});

export const domainVerifyRoute = createRoute({
  method: 'post',
  path: '/v1/domains/{domain}/verify',
  operationId: 'verifyDomain',
  summary: 'Looks into DNS now; what is proven is in force when the answer comes',
  request: { params: domainParamSchema },
  responses: { 200: json('The domain', domainSchema), default: problem },
});

export const reloadRoute = createRoute({
  method: 'post',
  path: '/v1/config/reload',
  operationId: 'reloadConfig',
  summary:
    'Reads the configuration again and puts it in force, or leaves all as it is and says why',
  request: { body: { content: { 'application/json': { schema: reloadOrderSchema } } } },
  responses: { 200: json('What is in force now', reloadedSchema), default: problem },
});
