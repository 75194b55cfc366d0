/** Serves accepted domains and the proof of whose they are. */
import { parseDomain } from '../../mail/domain.ts';
import { domainsRoute, domainVerifyRoute } from '../routes/domains.ts';
import type { Serving } from './serving.ts';

export function serveDomains({ app, services }: Serving): void {
  app.openapi(domainsRoute, async (c) => c.json(await services.listDomains(), 200));
  app.openapi(domainVerifyRoute, async (c) => {
    const domain = parseDomain(c.req.valid('param').domain)!;
    return c.json(await services.verifyDomain(domain), 200);
  });
}
