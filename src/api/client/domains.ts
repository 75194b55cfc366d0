/** The client's calls about accepted domains. */
import type { DomainListView, DomainView } from '../contract/domains.ts';
import { domainListSchema, domainSchema } from '../contract/domains.ts';
import type { Caller } from './caller.ts';

export interface DomainsClient {
  listDomains(): Promise<DomainListView>;
  /** Throws `domain-unknown`. */
  verifyDomain(domain: string): Promise<DomainView>;
}

export function domainsClient({ ask }: Caller): DomainsClient {
  return {
    listDomains: () => ask({ method: 'GET', path: '/v1/domains' }, domainListSchema),
    verifyDomain: (domain) => {
      const path = `/v1/domains/${encodeURIComponent(domain)}/verify`;
      return ask({ method: 'POST', path, body: {} }, domainSchema);
    },
  };
}
