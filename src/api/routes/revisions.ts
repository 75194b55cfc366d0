/** Routes: the revisions of the policy, what they changed, and the way back. */
import { createRoute, z } from '@hono/zod-openapi';
import {
  changedSchema,
  diffQuerySchema,
  diffSchema,
  inForceListSchema,
  revisionDetailSchema,
  revisionListQuerySchema,
  revisionListSchema,
  revisionParam,
  rollbackOrderSchema,
} from '../contract/policy-objects.ts';
import { body, json, needs, problem } from './route-parts.ts';

export const revisionsRoute = createRoute({
  method: 'get',
  path: '/v1/revisions',
  operationId: 'listRevisions',
  ...needs('revision.read'),
  summary: 'Revisions of the policy, newest first: who, when, how, why',
  request: { query: revisionListQuerySchema },
  responses: { 200: json('One page', revisionListSchema), default: problem },
});

export const revisionRoute = createRoute({
  method: 'get',
  path: '/v1/revisions/{revision}',
  operationId: 'readRevision',
  ...needs('revision.read'),
  summary: 'One revision, and what it changed in each object',
  request: { params: revisionParam },
  responses: { 200: json('The revision', revisionDetailSchema), default: problem },
});

export const diffRoute = createRoute({
  method: 'get',
  path: '/v1/diff',
  operationId: 'diffRevisions',
  ...needs('revision.read'),
  summary: 'What is different between the policy as of two revisions',
  request: { query: diffQuerySchema },
  responses: { 200: json('The differences', diffSchema), default: problem },
});

export const rollbackRoute = createRoute({
  method: 'post',
  path: '/v1/revisions/{revision}/rollback',
  operationId: 'rollBack',
  ...needs('revision.rollback'),
  summary:
    'Puts the policy of a revision in force again, all of it or some objects: a new revision',
  request: { params: revisionParam, ...body(rollbackOrderSchema) },
  responses: { 200: json('What changed', changedSchema), default: problem },
});

export const inForceRoute = createRoute({
  method: 'get',
  path: '/v1/policies/{policyRevision}',
  operationId: 'whenInForce',
  ...needs('revision.read'),
  summary: 'Of which revision a policy was that decision records name, and since when',
  request: {
    params: z.object({
      policyRevision: z
        .string()
        .regex(/^[0-9a-f]{12}$/)
        .meta({ description: 'as in decision records' }),
    }),
  },
  responses: { 200: json('Newest first', inForceListSchema), default: problem },
});
