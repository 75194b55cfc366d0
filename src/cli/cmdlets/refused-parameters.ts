/** Parameters of Exchange that are known here and refused, each with the reason: nothing is ignored. */
import type { PolicyKindName } from '../policy-objects/policy-kind.ts';

/** Without the dash, in Exchange's spelling. */
export interface RefusedParameter {
  readonly name: string;
  /** Completes a sentence that starts with the parameter. */
  readonly reason: string;
}

const reserved = 'is reserved by Microsoft for its own use and means nothing here';
const onPremisesOnly = 'is of Exchange Server on your own machines and means nothing here';

const inbound: Readonly<Record<string, readonly string[]>> = {
  [reserved]: ['EFSkipMailGateway', 'EFTestMode', 'ScanAndDropRecipients', 'ClientHostNames'],
};

const outbound: Readonly<Record<string, readonly string[]>> = {
  [reserved]: ['LinkForModifiedConnector'],
};

const acceptedDomain: Readonly<Record<string, readonly string[]>> = {
  'is not there: no accepted domain is the default one. What reports to senders come from is the `postmaster` of the organization':
    ['MakeDefault', 'Default'],
  'is not there yet: there is no switch for one direction of a domain': [
    'OutboundOnly',
    'SendingFromDomainDisabled',
    'SendingToDomainDisabled',
  ],
  'is of a service in many regions and means nothing here': ['MailFlowRegion'],
  [reserved]: [
    'AddressBookEnabled',
    'CanHaveCloudCache',
    'EnableNego2Authentication',
    'PendingCompletion',
    'PendingRemoval',
  ],
  [onPremisesOnly]: ['DomainController'],
};

/** Conditions have an exception of the same name with ExceptIf. */
const ruleConditions: Readonly<Record<string, readonly string[]>> = {
  'needs a directory of people and groups, which is not there: name addresses (-From, -SentTo) or domains (-SenderDomainIs, -RecipientDomainIs)':
    [
      'ADComparisonAttribute',
      'ADComparisonOperator',
      'BetweenMemberOf1',
      'BetweenMemberOf2',
      'FromMemberOf',
      'SentToMemberOf',
      'ManagerAddresses',
      'ManagerForEvaluatedUser',
      'RecipientADAttributeContainsWords',
      'RecipientADAttributeMatchesPatterns',
      'SenderADAttributeContainsWords',
      'SenderADAttributeMatchesPatterns',
      'SenderManagementRelationship',
      'RecipientInSenderList',
      'SenderInRecipientList',
      'AnyOfCcHeaderMemberOf',
      'AnyOfToCcHeaderMemberOf',
      'AnyOfToHeaderMemberOf',
    ],
  'is not there: recipients are those of the envelope; write -SentTo, or -HeaderContainsMessageHeader with -HeaderContainsWords':
    ['AnyOfCcHeader', 'AnyOfToCcHeader', 'AnyOfToHeader'],
  'is not there: write -RecipientAddressContainsWords or -RecipientAddressMatchesPatterns, which act for each recipient that fulfils them':
    ['AnyOfRecipientAddressContainsWords', 'AnyOfRecipientAddressMatchesPatterns'],
  'is not there: attachments are not opened; their names, extensions and declared types can be asked':
    [
      'AttachmentContainsWords',
      'AttachmentMatchesPatterns',
      'AttachmentHasExecutableContent',
      'AttachmentIsPasswordProtected',
      'AttachmentIsUnsupported',
      'AttachmentProcessingLimitExceeded',
      'AttachmentPropertyContainsWords',
    ],
  'is not there: attachments are not measured; write -MessageSizeOver for the whole message': [
    'AttachmentSizeOver',
  ],
  'is not there: kinds of sensitive information are not recognized': [
    'MessageContainsDataClassifications',
    'HasSenderOverride',
  ],
  'is not there: nothing here rates spam': ['SCLOver'],
  'is not there: write -HeaderContainsMessageHeader with -HeaderContainsWords': [
    'WithImportance',
    'MessageTypeMatches',
    'ContentCharacterSetContainsWords',
  ],
};

const ruleOthers: Readonly<Record<string, readonly string[]>> = {
  'is not there: messages are not changed in their text': [
    'ApplyHtmlDisclaimerFallbackAction',
    'ApplyHtmlDisclaimerLocation',
    'ApplyHtmlDisclaimerText',
  ],
  'is not there: messages are not encrypted for a person; -RouteMessageOutboundRequireTls protects them on the way':
    [
      'ApplyOME',
      'ApplyRightsProtectionCustomizationTemplate',
      'ApplyRightsProtectionTemplate',
      'RemoveOME',
      'RemoveOMEv2',
      'RemoveRMSAttachmentEncryption',
    ],
  'is not there: write -SetHeaderName with -SetHeaderValue': ['ApplyClassification', 'SetSCL'],
  'is not there: nobody approves mail; -Quarantine holds it until somebody releases it': [
    'ModerateMessageByManager',
    'ModerateMessageByUser',
  ],
  'needs a directory of people, which is not there: name addresses in -AddToRecipients': [
    'AddManagerAsRecipientType',
  ],
  'is not there: write -AddToRecipients, or -BlindCopyTo': ['CopyTo'],
  'is not there: rules send no reports and no notes; the trace has what a rule did': [
    'GenerateIncidentReport',
    'GenerateNotification',
    'IncidentReportContent',
    'IncidentReportOriginalMail',
    'NotifySender',
    'SetAuditSeverity',
  ],
  'cannot be chosen: where a message cannot be examined, rules that only protect act, and for all others it waits':
    ['RuleErrorAction'],
  'cannot be chosen: addresses are compared as the sender named them': ['RecipientAddressType'],
  'is not there: write -RejectMessageReasonText and -RejectMessageEnhancedStatusCode': [
    'SmtpRejectMessageRejectStatusCode',
    'SmtpRejectMessageRejectText',
  ],
  [reserved]: ['DlpPolicy', 'RuleSubType', 'UseLegacyRegex'],
  [onPremisesOnly]: ['Disconnect', 'DomainController', 'LogEventText'],
};

function listed(table: Readonly<Record<string, readonly string[]>>): RefusedParameter[] {
  return Object.entries(table).flatMap(([reason, names]) =>
    names.map((name) => ({ name, reason })),
  );
}

/** Of New and Set. */
export const refusedParameters: Readonly<Record<PolicyKindName, readonly RefusedParameter[]>> = {
  'inbound-connector': listed(inbound),
  'outbound-connector': listed(outbound),
  'accepted-domain': listed(acceptedDomain),
  rule: [
    ...listed(ruleConditions).flatMap(({ name, reason }) => [
      { name, reason },
      { name: `ExceptIf${name}`, reason },
    ]),
    ...listed(ruleOthers),
  ],
};

const variables = 'sets a variable of PowerShell, and there are none here';

/** Common parameters of PowerShell that have no meaning for a program. */
export const refusedCommon: readonly RefusedParameter[] = listed({
  [variables]: [
    'ErrorVariable',
    'WarningVariable',
    'InformationVariable',
    'OutVariable',
    'PipelineVariable',
  ],
  'is of the pipeline of PowerShell, and there is none here': ['OutBuffer'],
  'is not there: warnings go to standard error': [
    'WarningAction',
    'InformationAction',
    'ProgressAction',
  ],
  'is not there: write -Verbose': ['Debug'],
});

/** Of Get, Remove, Enable and Disable. */
export const refusedOnLook: readonly RefusedParameter[] = listed({
  [onPremisesOnly]: ['DomainController'],
  [reserved]: ['DlpPolicy'],
  'is not there: every object is shown whole': ['ExcludeConditionActionDetails'],
  'is not there: name one with -Identity, or filter what is printed': ['Filter'],
});
