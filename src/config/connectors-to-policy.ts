/** Connectors of the validated configuration as values of the policy. */
import { resolve } from 'node:path';
import type {
  ConnectorMode,
  InboundConnector,
  OutboundConnector,
  SmartHost,
} from '../policy/policy.ts';
import type { ParsedInbound, ParsedOutbound } from './schema-connectors.ts';

/** `folder` is where relative paths of anchors start. */
export function toInbound(parsed: ParsedInbound, folder: string): InboundConnector {
  return {
    ...toBase(parsed, folder),
    mode: parsed.mode,
    senderDomains: parsed.senderDomains,
    exceptDomains: parsed.except,
    alsoHeaderFrom: parsed.alsoHeaderFrom,
    senderIPAddresses: parsed.senderIPAddresses,
    restrictDomainsToIPAddresses: parsed.restrictDomainsToIPAddresses,
    requireTls: parsed.requireTls,
    restrictDomainsToCertificate: parsed.restrictDomainsToCertificate,
    tlsSenderCertificateNames: parsed.tlsSenderCertificateName,
    acceptServerAuthOnly: parsed.acceptServerAuthOnly,
    associatedAcceptedDomains: parsed.associatedAcceptedDomains,
    requireTlsTemporaryMs: parsed.requireTlsTemporary,
    treatMessagesAsInternal: parsed.treatMessagesAsInternal,
    enhancedFiltering: {
      skipLastIP: parsed.efSkipLastIP,
      skipIPs: [...new Set(parsed.efSkipIPs.flat())],
      users: parsed.efUsers,
    },
  };
}

export function toOutbound(parsed: ParsedOutbound, folder: string): OutboundConnector {
  const hosts = distinctHosts(parsed.smartHosts.flat());
  return {
    ...toBase(parsed, folder),
    mode: modeOfOutbound(parsed),
    recipientDomains: parsed.recipientDomains,
    allAcceptedDomains: parsed.allAcceptedDomains,
    isTransportRuleScoped: parsed.isTransportRuleScoped,
    routeAllMessagesViaOnPremises: parsed.routeAllMessagesViaOnPremises,
    route: hosts.length > 0 ? { kind: 'smart-hosts', hosts } : { kind: 'mx' },
    tlsSettings: parsed.tlsSettings === 'Opportunistic' ? null : parsed.tlsSettings,
    tlsDomains: parsed.tlsDomain,
    clientCertificate: parsed.clientCertificate,
    clearTextAfterFailedTls: parsed.clearTextAfterFailedTls,
    validation: {
      isValidated: parsed.isValidated,
      lastValidationTimestamp: parsed.lastValidationTimestamp,
      validationRecipients: parsed.validationRecipients,
      everyMs: parsed.validationEvery,
    },
  };
}

/** Exchange's TestMode is our observe. */
export function modeOfOutbound({
  mode,
  testMode,
}: Pick<ParsedOutbound, 'mode' | 'testMode'>): ConnectorMode {
  return testMode === true ? 'observe' : mode;
}

function toBase(parsed: ParsedInbound | ParsedOutbound, folder: string) {
  return {
    name: parsed.name,
    enabled: parsed.enabled,
    comment: parsed.comment,
    connectorType: parsed.connectorType,
    connectorSource: parsed.connectorSource,
    owner: parsed.owner,
    reviewDate: parsed.reviewDate,
    pins: parsed.pins,
    minVersion: parsed.minVersion,
    postQuantum: parsed.postQuantum,
    anchors: resolveAnchors(parsed.anchors, folder),
    cloudServicesMailEnabled: parsed.cloudServicesMailEnabled,
    trustedOrganizations: parsed.trustedOrganizations,
  };
}

/** A host that a range holds and that is also named is tried once, at its first place. */
function distinctHosts(hosts: readonly SmartHost[]): readonly SmartHost[] {
  return [...new Map(hosts.map((host) => [`${host.host} ${host.port}`, host])).values()];
}

/** `file:` and an absolute path, or one of the two words. */
export function resolveAnchors(anchors: string, folder: string): string {
  return anchors.startsWith('file:') ? `file:${resolve(folder, anchors.slice(5))}` : anchors;
}
