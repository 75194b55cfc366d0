/** Routes: accepted domains and whose they are. */
import { createRoute } from '@hono/zod-openapi';
import { domainListSchema, domainParamSchema, domainSchema } from '../contract/domains.ts';
import { json, needs, problem } from './route-parts.ts';

export const domainsRoute = createRoute({
  method: 'get',
  path: '/v1/domains',
  operationId: 'listDomains',
  ...needs('domain.read'),
  summary: 'Accepted domains: whose they are proven to be, and the record that proves it',
  responses: { 200: json('The domains', domainListSchema), default: problem },
});

export const domainVerifyRoute = createRoute({
  method: 'post',
  path: '/v1/domains/{domain}/verify',
  operationId: 'verifyDomain',
  ...needs('domain.verify'),
  summary: 'Looks into DNS now; what is proven is in force when the answer comes',
  request: { params: domainParamSchema },
  responses: { 200: json('The domain', domainSchema), default: problem },
});
