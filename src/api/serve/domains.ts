/** Serves accepted domains and the proof of whose they are. */
import { parseDomain } from '../../mail/domain.ts';
import { Failure } from '../../mail/failure.ts';
import { domainsRoute, domainVerifyRoute } from '../routes/domains.ts';
import { actorOf, isInReach } from './reach.ts';
import type { Serving } from './serving.ts';

export function serveDomains({ app, services }: Serving): void {
  app.openapi(domainsRoute, async (c) => {
    const list = await services.listDomains();
    const domains = list.domains.filter(({ organization }) => isInReach(c, organization));
    return c.json({ ...list, domains }, 200);
  });
  app.openapi(domainVerifyRoute, async (c) => {
    const domain = parseDomain(c.req.valid('param').domain)!;
    if (!isInReach(c, services.organizationOf(domain))) {
      throw new Failure('domain-unknown', `${domain} is no accepted domain`);
    }
    const found = await services.verifyDomain(domain);
    const { organization, state } = found;
    services.people.note(actorOf(c), {
      action: 'accepted-domain.verified',
      organization,
      object: { kind: 'accepted-domain', name: domain },
      after: { state },
    });
    return c.json(found, 200);
  });
}
