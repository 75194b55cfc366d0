/**
 * The connectors that are suggested, as values of the policy: what is judged here is what the draft
 * demands once it is in force. They watch only, until somebody lets them enforce.
 */
import type { DomainPattern } from '../../mail/domain-pattern.ts';
import type { InboundConnector, OutboundConnector } from '../policy.ts';
import type { Terms } from './observation.ts';

/** What the peers of a domain have in common. */
export interface DraftFacts {
  readonly name: string;
  readonly comment: string;
  readonly domain: string;
  readonly terms: Terms;
  /** Never empty. */
  readonly names: readonly DomainPattern[];
}

const base = {
  enabled: true,
  connectorType: 'Partner',
  connectorSource: 'Default',
  mode: 'observe',
  owner: null,
  reviewDate: null,
  pins: [],
  minVersion: 'TLSv1.2',
  postQuantum: 'prefer',
  cloudServicesMailEnabled: false,
  trustedOrganizations: [],
} as const;

/** DomainValidation by MX. */
export function draftOutbound({
  name,
  comment,
  domain,
  terms,
  names,
}: DraftFacts): OutboundConnector {
  return {
    ...base,
    name,
    comment,
    anchors: terms.anchors,
    recipientDomains: [{ kind: 'exact', domain }],
    allAcceptedDomains: false,
    isTransportRuleScoped: false,
    routeAllMessagesViaOnPremises: false,
    route: { kind: 'mx' },
    tlsSettings: 'DomainValidation',
    tlsDomains: names,
    clientCertificate: null,
    clearTextAfterFailedTls: false,
    validation: {
      isValidated: false,
      lastValidationTimestamp: null,
      validationRecipients: [],
      everyMs: null,
    },
  };
}

/** TLS and a client certificate with one of the names. */
export function draftInbound({
  name,
  comment,
  domain,
  terms,
  names,
}: DraftFacts): InboundConnector {
  return {
    ...base,
    name,
    comment,
    anchors: terms.anchors,
    senderDomains: [{ kind: 'exact', domain }],
    exceptDomains: [],
    alsoHeaderFrom: false,
    senderIPAddresses: [],
    restrictDomainsToIPAddresses: false,
    requireTls: true,
    restrictDomainsToCertificate: true,
    tlsSenderCertificateNames: names,
    acceptServerAuthOnly: terms.purpose === 'either',
    associatedAcceptedDomains: [],
    requireTlsTemporaryMs: 3600_000,
    treatMessagesAsInternal: false,
    enhancedFiltering: { skipLastIP: false, skipIPs: [], users: [] },
  };
}
