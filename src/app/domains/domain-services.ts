/** Accepted domains as the API shows them: the state in words, and what is to be done. */
import type { DomainListView, DomainView } from '../../api/contract/domains.ts';
import type { ApiServices } from '../../api/services.ts';
import { verificationPrefix } from '../../policy/domain-proof.ts';
import type { Reloader } from '../reloader.ts';
import type { DomainCare, KnownClaim } from './domain-care.ts';

/** The part of the API's services that is about domains. */
export function domainServices(running: {
  readonly reloader: Pick<Reloader, 'inForce'>;
  readonly domains: Pick<DomainCare, 'list' | 'verify'>;
}): Pick<ApiServices, 'listDomains' | 'verifyDomain'> {
  const { reloader, domains } = running;
  return {
    listDomains: async (): Promise<DomainListView> => {
      const known = await domains.list();
      const { domainVerification } = reloader.inForce.config;
      const views = known.map((claim) => describeClaim(claim, domainVerification));
      return { formatVersion: 1, domainVerification, domains: views };
    },
    verifyDomain: async (domain) =>
      describeClaim(await domains.verify(domain), reloader.inForce.config.domainVerification),
  };
}

function describeClaim(claim: KnownClaim, verification: 'txt' | 'off'): DomainView {
  const { organization, accepted, token, proven, look } = claim;
  const { domain, isProven } = accepted;
  const state = !claim.needsProof ? 'not-needed' : isProven ? 'proven' : 'unproven';
  const isUnproven = state === 'unproven';
  return {
    domain,
    organization,
    type: accepted.type === 'authoritative' ? 'Authoritative' : 'InternalRelay',
    state,
    text: wordsOf(state, claim, verification),
    provenAt: state === 'proven' ? (proven?.provenAt ?? null) : null,
    record:
      token === null ? null : { name: domain, type: 'TXT', text: `${verificationPrefix}${token}` },
    lastLook: look?.last ?? null,
    nextLookAt: isUnproven ? (look?.nextAt ?? null) : null,
    whatToDo: isUnproven ? adviceOf(claim) : null,
  };
}

function wordsOf(
  state: DomainView['state'],
  { organization, proven }: KnownClaim,
  verification: 'txt' | 'off',
): string {
  switch (state) {
    case 'proven':
      return `proven for ${organization}${proven === null ? '' : ` since ${proven.provenAt}`}`;
    case 'unproven':
      return `not proven for ${organization}: mail for it is put off (450)`;
    case 'not-needed':
      return verification === 'off'
        ? 'no proof is asked for (domainVerification: off)'
        : 'no proof is needed: the name cannot be in public DNS';
  }
}

function adviceOf({ accepted, token, look }: KnownClaim): string {
  if (token === null) return 'look into the log: the secret for the record cannot be read or made';
  const { domain } = accepted;
  switch (look?.last?.result) {
    case 'other-token':
      return `replace the record at ${domain} by this one, or ask whose the other one is; then postern domain verify ${domain}`;
    case 'no-such-domain':
      return `look whether ${domain} is spelled right and registered; then publish the record`;
    case 'no-answer':
      return `look at the resolvers (postern doctor); it is tried again by itself`;
    case 'absent':
    case 'proven':
    case undefined:
      return `publish the record, then postern domain verify ${domain}`;
  }
}
