/** Routes: the audit log. */
import { createRoute } from '@hono/zod-openapi';
import {
  auditChainSchema,
  auditPageSchema,
  auditQuerySchema,
  chainQuerySchema,
} from '../contract/audit.ts';
import { json, needs, problem } from './route-parts.ts';

export const auditRoute = createRoute({
  method: 'get',
  path: '/v1/audit',
  operationId: 'searchAudit',
  ...needs('audit.read'),
  summary: 'Who changed what and who signed in, newest first',
  request: { query: auditQuerySchema },
  responses: { 200: json('One page', auditPageSchema), default: problem },
});

export const auditChainRoute = createRoute({
  method: 'get',
  path: '/v1/audit/chain',
  operationId: 'readAuditChain',
  ...needs('audit.export'),
  summary: 'The whole log as it is kept, oldest first, for exporting it and following its hashes',
  request: { query: chainQuerySchema },
  responses: { 200: json('One page', auditChainSchema), default: problem },
});
