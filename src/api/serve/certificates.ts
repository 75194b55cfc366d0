/** Serves what is in our own certificates. */
import { certificateContentsRoute } from '../routes/certificates.ts';
import { limitConcurrency } from './limits.ts';
import type { Serving } from './serving.ts';

export function serveCertificates({ app, services }: Serving): void {
  app.use('/v1/certificates/:name/contents', limitConcurrency(2, 'are answered already'));
  app.openapi(certificateContentsRoute, async (c) =>
    c.json(await services.readCertificate(c.req.valid('param').name), 200),
  );
}
