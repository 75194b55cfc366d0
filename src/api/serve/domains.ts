/** Serves accepted domains and the proof of whose they are. */
import { parseDomain } from '../../mail/domain.ts';
import { domainsRoute, domainVerifyRoute } from '../routes/domains.ts';
import { limitBody, smallBodyBytesMax } from './limits.ts';
import type { Serving } from './serving.ts';

export function serveDomains({ app, services }: Serving): void {
  app.use('/v1/domains/*', limitBody(smallBodyBytesMax));
  app.openapi(domainsRoute, async (c) => c.json(await services.listDomains(), 200));
  app.openapi(domainVerifyRoute, async (c) => {
    const domain = parseDomain(c.req.valid('param').domain)!;
    return c.json(await services.verifyDomain(domain), 200);
  });
}
