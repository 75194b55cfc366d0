/** Routes: the configuration in force, and the next one. */
import { createRoute } from '@hono/zod-openapi';
import { reloadedSchema, reloadOrderSchema } from '../contract.ts';
import {
  configCheckOrderSchema,
  configCheckSchema,
  configQuerySchema,
  configViewSchema,
} from '../contract/config.ts';
import { json, needs, problem } from './route-parts.ts';

export const configRoute = createRoute({
  method: 'get',
  path: '/v1/config',
  operationId: 'readConfig',
  ...needs('config.read'),
  summary: 'The configuration in force, without secrets, and whether the file differs',
  request: { query: configQuerySchema },
  responses: { 200: json('The configuration', configViewSchema), default: problem },
});

export const configCheckRoute = createRoute({
  method: 'post',
  path: '/v1/config/check',
  operationId: 'checkConfig',
  ...needs('config.read'),
  summary:
    'What a reload would find in the file, or in a candidate: errors, warnings, weaker demands',
  request: { body: { content: { 'application/json': { schema: configCheckOrderSchema } } } },
  responses: {
    200: json('What it found; nothing is changed', configCheckSchema),
    default: problem,
  },
});

export const reloadRoute = createRoute({
  method: 'post',
  path: '/v1/config/reload',
  operationId: 'reloadConfig',
  ...needs('config.reload'),
  summary:
    'Reads the configuration again and puts it in force, or leaves all as it is and says why',
  request: { body: { content: { 'application/json': { schema: reloadOrderSchema } } } },
  responses: { 200: json('What is in force now', reloadedSchema), default: problem },
});
