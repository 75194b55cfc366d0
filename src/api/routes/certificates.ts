/** Routes: what is in our own certificates. */
import { createRoute } from '@hono/zod-openapi';
import { certificateContentsSchema } from '../contract/certificates.ts';
import { nameParam } from '../contract/policy-objects.ts';
import { json, needs, problem } from './route-parts.ts';

export const certificateContentsRoute = createRoute({
  method: 'get',
  path: '/v1/certificates/{name}/contents',
  operationId: 'readCertificateContents',
  ...needs('certificate.read'),
  summary: 'What is in a certificate: names, dates, key type, pin, chain, and who presents it',
  description: 'As it is in force. No key is shown, and no path.',
  request: { params: nameParam },
  responses: { 200: json('What is in it', certificateContentsSchema), default: problem },
});
