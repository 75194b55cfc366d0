/**
 * Exchange's names of parameters beside our keys: facts about Microsoft's cmdlets.
 *
 * A key has Exchange's name where that exists, else its own with a capital; those are marked ours.
 * @see New-InboundConnector, New-OutboundConnector, Set-AcceptedDomain, New-TransportRule
 */
import type { PolicyKindName } from '../policy-objects/policy-kind.ts';

/** Exchange's spelling of the parameters that are keys here, whatever the case of the key. */
const exchangeNames: Readonly<Record<PolicyKindName, readonly string[]>> = {
  'inbound-connector': [
    'Name',
    'SenderDomains',
    'ConnectorType',
    'ConnectorSource',
    'Enabled',
    'Comment',
    'RequireTls',
    'RestrictDomainsToCertificate',
    'TlsSenderCertificateName',
    'RestrictDomainsToIPAddresses',
    'SenderIPAddresses',
    'AssociatedAcceptedDomains',
    'CloudServicesMailEnabled',
    'TreatMessagesAsInternal',
    'TrustedOrganizations',
    'EFSkipLastIP',
    'EFSkipIPs',
    'EFUsers',
  ],
  'outbound-connector': [
    'Name',
    'ConnectorType',
    'ConnectorSource',
    'Enabled',
    'Comment',
    'RecipientDomains',
    'AllAcceptedDomains',
    'IsTransportRuleScoped',
    'RouteAllMessagesViaOnPremises',
    'UseMXRecord',
    'SmartHosts',
    'TlsSettings',
    'TlsDomain',
    'CloudServicesMailEnabled',
    'SenderRewritingEnabled',
    'MtaStsMode',
    'SmtpDaneMode',
    'TestMode',
    'IsValidated',
    'LastValidationTimestamp',
    'ValidationRecipients',
  ],
  'accepted-domain': ['DomainName', 'DomainType', 'MatchSubDomains'],
  rule: [
    'Name',
    'Enabled',
    'Comments',
    'Mode',
    'ActivationDate',
    'ExpiryDate',
    'SenderAddressLocation',
    'FromScope',
    'SentToScope',
    'From',
    'SentTo',
    'SenderDomainIs',
    'RecipientDomainIs',
    'FromAddressContainsWords',
    'FromAddressMatchesPatterns',
    'RecipientAddressContainsWords',
    'RecipientAddressMatchesPatterns',
    'SubjectContainsWords',
    'SubjectMatchesPatterns',
    'SubjectOrBodyContainsWords',
    'SubjectOrBodyMatchesPatterns',
    'HeaderContainsMessageHeader',
    'HeaderContainsWords',
    'HeaderMatchesMessageHeader',
    'HeaderMatchesPatterns',
    'AttachmentNameMatchesPatterns',
    'AttachmentExtensionMatchesWords',
    'MessageSizeOver',
    'SenderIpRanges',
    'HasClassification',
    'HasNoClassification',
    'RouteMessageOutboundConnector',
    'RouteMessageOutboundRequireTls',
    'RejectMessageReasonText',
    'RejectMessageEnhancedStatusCode',
    'RedirectMessageTo',
    'AddToRecipients',
    'BlindCopyTo',
    'SetHeaderName',
    'SetHeaderValue',
    'RemoveHeader',
    'PrependSubject',
    'Quarantine',
    'DeleteMessage',
    'StopRuleProcessing',
  ],
};

/** Keys that bear another name here than in Exchange. */
const renamed: Partial<Record<PolicyKindName, Readonly<Record<string, string>>>> = {
  'accepted-domain': { domain: 'DomainName', type: 'DomainType' },
};

/** Parameters of Set that New does not have. */
export const onlyOnSet: readonly string[] = [
  'IsValidated',
  'LastValidationTimestamp',
  'ValidationRecipients',
];

export interface ExchangeName {
  readonly name: string;
  /** Not in Exchange. */
  readonly isOurs: boolean;
}

/** The parameter that means a key. */
export function exchangeNameOf(kind: PolicyKindName, key: string): ExchangeName {
  const wanted = (renamed[kind]?.[key] ?? key).toLowerCase();
  const bare = wanted.startsWith('exceptif') ? wanted.slice('exceptif'.length) : wanted;
  const found = exchangeNames[kind].find((name) => name.toLowerCase() === bare);
  if (found !== undefined) {
    return { name: bare === wanted ? found : `ExceptIf${found}`, isOurs: false };
  }
  return { name: `${key.charAt(0).toUpperCase()}${key.slice(1)}`, isOurs: true };
}
