/** From the validated configuration to the policy value, and its revision. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type {
  InboundConnector,
  Organization,
  OutboundConnector,
  Policy,
  RetrySchedule,
} from '../policy/policy.ts';
import { defaultDelayNotices } from '../policy/retry.ts';
import type { ParsedConfig } from './schema.ts';
import type { ParsedInbound, ParsedOrganization, ParsedOutbound } from './schema-organization.ts';

/** `folder` is where relative paths of anchors start. */
export function toPolicy(parsed: ParsedConfig, folder: string): Policy {
  const { retryFirst, retryMax, expiry } = parsed.queue;
  const retry = { firstRetryMs: retryFirst, maxRetryMs: retryMax, expiryMs: expiry };
  const organizations = parsed.organizations.map((organization) =>
    toOrganization(organization, retry, folder),
  );
  const content = { formatVersion: 1, hostName: parsed.hostName, organizations } as const;
  return { ...content, revision: revisionOf(content) };
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
    acceptedDomains: parsed.acceptedDomains.map(({ domain, type, matchSubDomains }) => ({
      domain,
      type: type === 'Authoritative' ? 'authoritative' : 'internal-relay',
      matchSubDomains,
      deliveryTarget: null,
      recipients: { kind: type === 'Authoritative' ? 'none' : 'any' },
      catchAll: null,
    })),
    mailboxes: parsed.mailboxes.map(({ account, addresses }) => ({ account, addresses })),
    aliases: [],
    deliveryTargets: [],
    addressExtension: null,
    inboundConnectors: parsed.inboundConnectors.map((connector) => toInbound(connector, folder)),
    outboundConnectors: parsed.outboundConnectors.map((connector) => toOutbound(connector, folder)),
    defaultConnector: { clearTextAfterFailedTls: parsed.clearTextAfterFailedTls },
    rejectDirectSend: parsed.rejectDirectSend,
    retry,
    delayNotices: defaultDelayNotices,
  };
}

function toInbound(parsed: ParsedInbound, folder: string): InboundConnector {
  return {
    name: parsed.name,
    enabled: parsed.enabled,
    comment: parsed.comment,
    connectorType: parsed.connectorType,
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
  };
}

function toOutbound(parsed: ParsedOutbound, folder: string): OutboundConnector {
  const hosts = parsed.smartHosts;
  return {
    name: parsed.name,
    enabled: parsed.enabled,
    comment: parsed.comment,
    connectorType: parsed.connectorType,
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
  };
}

/** `file:` and an absolute path, or one of the two words. */
export function resolveAnchors(anchors: string, folder: string): string {
  return anchors.startsWith('file:') ? `file:${resolve(folder, anchors.slice(5))}` : anchors;
}
