/** Makers of policy values and evidence for tests: complete, unremarkable, overridden by part. */
import { parseDomainPattern } from '../../src/mail/domain-pattern.ts';
import type { DomainPattern } from '../../src/mail/domain-pattern.ts';
import { parseAddress } from '../../src/mail/address.ts';
import type { Address } from '../../src/mail/address.ts';
import type {
  CertificateFacts,
  Evidence,
  PathResult,
  TlsEvidence,
} from '../../src/policy/evidence.ts';
import type {
  AcceptedDomain,
  DeliveryTarget,
  InboundConnector,
  Organization,
  OutboundConnector,
  Policy,
} from '../../src/policy/policy.ts';

export const dayMs = 24 * 3600_000;
/** The present in tests that judge dates. */
export const noon = Date.UTC(2026, 10, 22, 12);

export function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === null) throw new Error(`not an address: ${text}`);
  return parsed;
}

export function patterns(...texts: string[]): DomainPattern[] {
  return texts.map((text) => {
    const parsed = parseDomainPattern(text);
    if (parsed === null) throw new Error(`not a domain pattern: ${text}`);
    return parsed;
  });
}

export function acceptedDomain(domain: string, part: Partial<AcceptedDomain> = {}): AcceptedDomain {
  return {
    domain,
    isProven: true,
    type: 'authoritative',
    matchSubDomains: false,
    deliveryTarget: null,
    recipients: { kind: part.type === 'internal-relay' ? 'any' : 'none' },
    catchAll: null,
    ...part,
  };
}

/** LMTP over a Unix socket. */
export function deliveryTarget(name: string, part: Partial<DeliveryTarget> = {}): DeliveryTarget {
  return {
    name,
    protocol: 'lmtp',
    address: { kind: 'unix', path: '/run/lmtp' },
    tlsSettings: null,
    tlsDomains: [],
    pins: [],
    minVersion: 'TLSv1.2',
    anchors: 'bundled',
    clientCertificate: null,
    clearTextReason: null,
    ...part,
  };
}

export function outboundConnector(
  name: string,
  part: Partial<OutboundConnector> = {},
): OutboundConnector {
  return {
    name,
    enabled: true,
    comment: '',
    connectorType: 'Partner',
    connectorSource: 'Default',
    mode: 'enforce',
    owner: null,
    reviewDate: null,
    postQuantum: 'prefer',
    cloudServicesMailEnabled: false,
    recipientDomains: [],
    allAcceptedDomains: false,
    isTransportRuleScoped: false,
    route: { kind: 'mx' },
    tlsSettings: null,
    tlsDomains: [],
    pins: [],
    minVersion: 'TLSv1.2',
    anchors: 'bundled',
    clientCertificate: null,
    clearTextAfterFailedTls: false,
    routeAllMessagesViaOnPremises: false,
    trustedOrganizations: [],
    validation: {
      isValidated: false,
      lastValidationTimestamp: null,
      validationRecipients: [],
      everyMs: null,
    },
    ...part,
  };
}

export function inboundConnector(
  name: string,
  part: Partial<InboundConnector> = {},
): InboundConnector {
  return {
    name,
    enabled: true,
    comment: '',
    connectorType: 'Partner',
    connectorSource: 'Default',
    mode: 'enforce',
    owner: null,
    reviewDate: null,
    postQuantum: 'prefer',
    cloudServicesMailEnabled: false,
    senderDomains: patterns('*'),
    exceptDomains: [],
    senderIPAddresses: [],
    restrictDomainsToIPAddresses: false,
    requireTls: false,
    restrictDomainsToCertificate: false,
    tlsSenderCertificateNames: [],
    pins: [],
    anchors: 'bundled',
    minVersion: 'TLSv1.2',
    acceptServerAuthOnly: false,
    associatedAcceptedDomains: [],
    requireTlsTemporaryMs: 3600_000,
    alsoHeaderFrom: false,
    trustedOrganizations: [],
    treatMessagesAsInternal: false,
    enhancedFiltering: { skipLastIP: false, skipIPs: [], users: [] },
    ...part,
  };
}

/** Organization `org` with example.test and the mailbox user@example.test. */
export function organization(part: Partial<Organization> = {}): Organization {
  return {
    id: 'org',
    name: 'Org',
    acceptedDomains: [acceptedDomain('example.test')],
    mailboxes: [{ account: 'user', addresses: [address('user@example.test')] }],
    aliases: [],
    deliveryTargets: [],
    addressExtension: null,
    inboundConnectors: [],
    outboundConnectors: [],
    rules: [],
    postmaster: null,
    rehearsalAddress: null,
    defaultConnector: { clearTextAfterFailedTls: false },
    rejectDirectSend: true,
    delayNotices: { tlsMs: 5 * 60_000, ordinaryMs: 4 * 3600_000 },
    retry: { firstRetryMs: 15 * 60_000, maxRetryMs: 3600_000, expiryMs: dayMs },
    ...part,
  };
}

export function policy(part: Partial<Organization> = {}): Policy {
  return {
    formatVersion: 1,
    revision: '000000000000',
    hostName: 'mx.example.test',
    organizations: [organization(part)],
  };
}

/** A leaf named mx.partner.test, valid from a day before to a day after noon. */
export function certificate(part: Partial<CertificateFacts> = {}): CertificateFacts {
  return {
    fingerprint256: 'leaf-fingerprint',
    spki256: 'leaf-key',
    subject: 'CN=mx.partner.test',
    issuer: 'CN=Test CA',
    serialNumber: '01',
    notBefore: new Date(noon - dayMs).toISOString(),
    notAfter: new Date(noon + dayMs).toISOString(),
    dnsNames: ['mx.partner.test'],
    commonName: 'mx.partner.test',
    isSelfSigned: false,
    ...part,
  };
}

export function reached(part: Partial<PathResult & { kind: 'reached' }> = {}): PathResult {
  return {
    kind: 'reached',
    anchors: 'bundled',
    purpose: 'serverAuth',
    anchorFingerprint256: 'anchor',
    notBefore: new Date(noon - dayMs).toISOString(),
    notAfter: new Date(noon + dayMs).toISOString(),
    ...part,
  };
}

/** TLS 1.3 to a host with the leaf above that reaches `bundled`, OpenSSL agreeing. */
export function tlsEvidence(part: Partial<TlsEvidence> = {}): TlsEvidence {
  return {
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    cipherStandardName: 'TLS_AES_256_GCM_SHA384',
    group: 'X25519MLKEM768',
    mode: 'starttls',
    sni: 'mx.partner.test',
    chain: [certificate()],
    paths: [reached()],
    openssl: { anchors: 'bundled', result: 'ok' },
    revocation: 'not-checked',
    ownCertificate: null,
    resumedFrom: null,
    ...part,
  };
}

export function evidence(part: Partial<Evidence> = {}): Evidence {
  return {
    formatVersion: 1,
    connectionId: 'c1',
    observedAt: new Date(noon).toISOString(),
    role: 'client',
    peer: { address: '192.0.2.9', port: 25, hostName: 'mx.partner.test' },
    encryption: 'established',
    failure: null,
    tls: tlsEvidence(),
    ...part,
  };
}

/** An inbound session in clear. */
export function clearSession(part: Partial<Evidence> = {}): Evidence {
  return evidence({ role: 'server', encryption: 'not-used', tls: null, ...part });
}

/** An inbound session under TLS whose client showed these certificates. */
export function serverEvidence(part: Partial<TlsEvidence> = {}): Evidence {
  return evidence({
    role: 'server',
    tls: tlsEvidence({ openssl: null, paths: [reached({ purpose: 'clientAuth' })], ...part }),
  });
}
