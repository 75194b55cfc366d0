/** From the validated configuration to the policy value, and its revision. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type {
  AcceptedDomain,
  DeliveryTarget,
  InboundConnector,
  KnownRecipients,
  Organization,
  OutboundConnector,
  Policy,
  RetrySchedule,
} from '../policy/policy.ts';
import { isInside } from '../policy/delivery-target.ts';
import type { ParsedConfig } from './schema.ts';
import type {
  ParsedAcceptedDomain,
  ParsedInbound,
  ParsedOrganization,
  ParsedOutbound,
} from './schema-organization.ts';
import type { ParsedDeliveryTarget } from './schema-recipients.ts';

/** `folder` is where relative paths of anchors start. */
export function toPolicy(parsed: ParsedConfig, folder: string): Policy {
  const { retryFirst, retryMax, expiry } = parsed.queue;
  const retry = { firstRetryMs: retryFirst, maxRetryMs: retryMax, expiryMs: expiry };
  const organizations = parsed.organizations.map((organization) =>
    toOrganization(organization, retryOf(organization, retry), folder),
  );
  const content = { formatVersion: 1, hostName: parsed.hostName, organizations } as const;
  return { ...content, revision: revisionOf(content) };
}

/** An organization may keep its mail for longer or shorter than the others. */
function retryOf({ expiry }: ParsedOrganization, retry: RetrySchedule): RetrySchedule {
  return expiry === null ? retry : { ...retry, expiryMs: expiry };
}

/** 12 hex digits of SHA-256 over the canonical form: equal policies have equal revisions. */
export function revisionOf(content: unknown): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex').slice(0, 12);
}

/** JSON with the keys of each object in order. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function toOrganization(
  parsed: ParsedOrganization,
  retry: RetrySchedule,
  folder: string,
): Organization {
  return {
    id: parsed.id,
    name: parsed.name ?? parsed.id,
    acceptedDomains: parsed.acceptedDomains.map(toAcceptedDomain),
    mailboxes: parsed.mailboxes.map(({ account, addresses }) => ({ account, addresses })),
    aliases: parsed.aliases,
    deliveryTargets: parsed.deliveryTargets.map((target) => toDeliveryTarget(target, folder)),
    addressExtension: parsed.addressExtension,
    inboundConnectors: parsed.inboundConnectors.map((connector) => toInbound(connector, folder)),
    outboundConnectors: parsed.outboundConnectors.map((connector) => toOutbound(connector, folder)),
    rules: [],
    postmaster: parsed.postmaster,
    defaultConnector: { clearTextAfterFailedTls: parsed.clearTextAfterFailedTls },
    rejectDirectSend: parsed.rejectDirectSend,
    retry,
    delayNotices: {
      tlsMs: parsed.delayNotices.tls,
      ordinaryMs: parsed.delayNotices.ordinary,
    },
  };
}

function toAcceptedDomain(parsed: ParsedAcceptedDomain): AcceptedDomain {
  return {
    domain: parsed.domain,
    isProven: true,
    type: parsed.type === 'Authoritative' ? 'authoritative' : 'internal-relay',
    matchSubDomains: parsed.matchSubDomains,
    deliveryTarget: parsed.deliveryTarget,
    recipients: toKnownRecipients(parsed),
    catchAll: parsed.catchAll,
  };
}

/** Unless it is said, the server that keeps the recipients is asked. */
function toKnownRecipients({
  recipients,
  deliveryTarget,
  type,
}: ParsedAcceptedDomain): KnownRecipients {
  if (recipients === null) {
    return { kind: deliveryTarget !== null || type === 'InternalRelay' ? 'verify' : 'none' };
  }
  if (recipients.kind !== 'list') return recipients;
  return { kind: 'list', localParts: recipients.localParts };
}

/** A port that is not written is the protocol's own. */
function toDeliveryTarget(parsed: ParsedDeliveryTarget, folder: string): DeliveryTarget {
  const { protocol, address } = parsed;
  const settings = tlsSettingsOf(parsed);
  return {
    name: parsed.name,
    protocol,
    address:
      address.kind === 'unix'
        ? address
        : { ...address, port: address.port ?? (protocol === 'lmtp' ? 24 : 25) },
    tlsSettings: settings === 'Opportunistic' ? null : settings,
    tlsDomains: parsed.tlsDomain,
    pins: parsed.pins,
    minVersion: parsed.minVersion,
    anchors: resolveAnchors(parsed.anchors, folder),
    clientCertificate: parsed.clientCertificate,
    clearTextReason: parsed.clearTextReason,
  };
}

/** What is written, or the default of the place where the server is. */
export function tlsSettingsOf(
  target: Pick<ParsedDeliveryTarget, 'address' | 'tlsSettings'>,
): NonNullable<ParsedDeliveryTarget['tlsSettings']> {
  return target.tlsSettings ?? (isInside(target.address) ? 'Opportunistic' : 'EncryptionOnly');
}

function toInbound(parsed: ParsedInbound, folder: string): InboundConnector {
  return {
    name: parsed.name,
    enabled: parsed.enabled,
    comment: parsed.comment,
    connectorType: parsed.connectorType,
    connectorSource: 'Default',
    mode: 'enforce',
    owner: null,
    reviewDate: null,
    postQuantum: 'prefer',
    cloudServicesMailEnabled: false,
    senderDomains: parsed.senderDomains,
    exceptDomains: parsed.except,
    senderIPAddresses: parsed.senderIPAddresses,
    restrictDomainsToIPAddresses: parsed.restrictDomainsToIPAddresses,
    requireTls: parsed.requireTls,
    restrictDomainsToCertificate: parsed.restrictDomainsToCertificate,
    tlsSenderCertificateNames: parsed.tlsSenderCertificateName,
    pins: parsed.pins,
    anchors: resolveAnchors(parsed.anchors, folder),
    minVersion: parsed.minVersion,
    acceptServerAuthOnly: parsed.acceptServerAuthOnly,
    associatedAcceptedDomains: parsed.associatedAcceptedDomains,
    requireTlsTemporaryMs: parsed.requireTlsTemporary,
    alsoHeaderFrom: false,
    trustedOrganizations: [],
    treatMessagesAsInternal: false,
    enhancedFiltering: { skipLastIP: false, skipIPs: [], users: [] },
  };
}

function toOutbound(parsed: ParsedOutbound, folder: string): OutboundConnector {
  const hosts = parsed.smartHosts;
  return {
    name: parsed.name,
    enabled: parsed.enabled,
    comment: parsed.comment,
    connectorType: parsed.connectorType,
    connectorSource: 'Default',
    mode: 'enforce',
    owner: null,
    reviewDate: null,
    postQuantum: 'prefer',
    cloudServicesMailEnabled: false,
    recipientDomains: parsed.recipientDomains,
    allAcceptedDomains: parsed.allAcceptedDomains,
    isTransportRuleScoped: parsed.isTransportRuleScoped,
    route: hosts.length > 0 ? { kind: 'smart-hosts', hosts } : { kind: 'mx' },
    tlsSettings: parsed.tlsSettings === 'Opportunistic' ? null : parsed.tlsSettings,
    tlsDomains: parsed.tlsDomain,
    pins: parsed.pins,
    minVersion: parsed.minVersion,
    anchors: resolveAnchors(parsed.anchors, folder),
    clientCertificate: parsed.clientCertificate,
    clearTextAfterFailedTls: parsed.clearTextAfterFailedTls,
    routeAllMessagesViaOnPremises: false,
    trustedOrganizations: [],
    validation: { isValidated: false, lastValidationTimestamp: null, validationRecipients: [] },
  };
}

/** `file:` and an absolute path, or one of the two words. */
export function resolveAnchors(anchors: string, folder: string): string {
  return anchors.startsWith('file:') ? `file:${resolve(folder, anchors.slice(5))}` : anchors;
}
