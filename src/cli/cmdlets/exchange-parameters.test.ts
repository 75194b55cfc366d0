import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../../test/support/command-line.ts';
import { FakePolicyObjects } from '../../../test/support/policy-objects.ts';
import { fieldsOf } from '../policy-objects/object-field.ts';
import type { PolicyKindName } from '../policy-objects/policy-kind.ts';
import { policyKinds } from '../policy-objects/policy-kind.ts';
import type { Verb } from './policy-parameters.ts';
import { fieldParameters, policyParameters } from './policy-parameters.ts';
import { onlyOnSet } from './exchange-names.ts';

/** What Microsoft's pages list as the parameters of a cmdlet, beside Name, Identity and common ones. */
interface Page {
  readonly kind: PolicyKindName;
  readonly verb: Verb;
  /** Those that are keys here. */
  readonly known: string;
  /** Those that are refused. */
  readonly refused: string;
}

const inboundKnown =
  'AssociatedAcceptedDomains CloudServicesMailEnabled Comment ConnectorSource ConnectorType EFSkipIPs EFSkipLastIP EFUsers Enabled RequireTls RestrictDomainsToCertificate RestrictDomainsToIPAddresses SenderDomains SenderIPAddresses TlsSenderCertificateName TreatMessagesAsInternal TrustedOrganizations';
const outboundKnown =
  'AllAcceptedDomains CloudServicesMailEnabled Comment ConnectorSource ConnectorType Enabled IsTransportRuleScoped MtaStsMode RecipientDomains RouteAllMessagesViaOnPremises SenderRewritingEnabled SmartHosts SmtpDaneMode TestMode TlsDomain TlsSettings UseMXRecord';
const conditionsKnown =
  'AttachmentExtensionMatchesWords AttachmentNameMatchesPatterns From FromAddressContainsWords FromAddressMatchesPatterns FromScope HasClassification HasNoClassification HeaderContainsMessageHeader HeaderContainsWords HeaderMatchesMessageHeader HeaderMatchesPatterns MessageSizeOver RecipientAddressContainsWords RecipientAddressMatchesPatterns RecipientDomainIs SenderDomainIs SenderIpRanges SentTo SentToScope SubjectContainsWords SubjectMatchesPatterns SubjectOrBodyContainsWords SubjectOrBodyMatchesPatterns';
const conditionsRefused =
  'ADComparisonAttribute ADComparisonOperator AnyOfCcHeader AnyOfCcHeaderMemberOf AnyOfRecipientAddressContainsWords AnyOfRecipientAddressMatchesPatterns AnyOfToCcHeader AnyOfToCcHeaderMemberOf AnyOfToHeader AnyOfToHeaderMemberOf AttachmentContainsWords AttachmentHasExecutableContent AttachmentIsPasswordProtected AttachmentIsUnsupported AttachmentMatchesPatterns AttachmentProcessingLimitExceeded AttachmentPropertyContainsWords AttachmentSizeOver BetweenMemberOf1 BetweenMemberOf2 ContentCharacterSetContainsWords FromMemberOf HasSenderOverride ManagerAddresses ManagerForEvaluatedUser MessageContainsDataClassifications MessageTypeMatches RecipientADAttributeContainsWords RecipientADAttributeMatchesPatterns RecipientInSenderList SCLOver SenderADAttributeContainsWords SenderADAttributeMatchesPatterns SenderInRecipientList SenderManagementRelationship SentToMemberOf WithImportance';
const ruleKnown =
  'ActivationDate AddToRecipients BlindCopyTo Comments DeleteMessage Enabled ExpiryDate Mode PrependSubject Priority Quarantine RedirectMessageTo RejectMessageEnhancedStatusCode RejectMessageReasonText RemoveHeader RouteMessageOutboundConnector RouteMessageOutboundRequireTls SenderAddressLocation SetHeaderName SetHeaderValue StopRuleProcessing';
const ruleRefused =
  'AddManagerAsRecipientType ApplyClassification ApplyHtmlDisclaimerFallbackAction ApplyHtmlDisclaimerLocation ApplyHtmlDisclaimerText ApplyOME ApplyRightsProtectionCustomizationTemplate ApplyRightsProtectionTemplate CopyTo Disconnect DlpPolicy DomainController GenerateIncidentReport GenerateNotification IncidentReportContent IncidentReportOriginalMail LogEventText ModerateMessageByManager ModerateMessageByUser NotifySender RecipientAddressType RemoveOME RemoveOMEv2 RemoveRMSAttachmentEncryption RuleErrorAction RuleSubType SetAuditSeverity SetSCL SmtpRejectMessageRejectStatusCode SmtpRejectMessageRejectText UseLegacyRegex';

const excepted = (names: string): string =>
  names
    .split(' ')
    .flatMap((name) => [name, `ExceptIf${name}`])
    .join(' ');
const rules = {
  kind: 'rule',
  known: `${excepted(conditionsKnown)} ${ruleKnown}`,
  refused: `${excepted(conditionsRefused)} ${ruleRefused}`,
} as const;

const pages: readonly Page[] = [
  {
    kind: 'inbound-connector',
    verb: 'New',
    known: inboundKnown,
    refused: 'ClientHostNames EFSkipMailGateway EFTestMode ScanAndDropRecipients',
  },
  {
    kind: 'inbound-connector',
    verb: 'Set',
    known: `${inboundKnown} Name`,
    refused: 'EFSkipMailGateway EFTestMode ScanAndDropRecipients',
  },
  {
    kind: 'outbound-connector',
    verb: 'New',
    known: outboundKnown,
    refused: 'LinkForModifiedConnector',
  },
  {
    kind: 'outbound-connector',
    verb: 'Set',
    known: `${outboundKnown} IsValidated LastValidationTimestamp Name ValidationRecipients`,
    refused: '',
  },
  {
    kind: 'accepted-domain',
    verb: 'New',
    known: 'DomainName DomainType Name',
    refused: 'DomainController',
  },
  {
    kind: 'accepted-domain',
    verb: 'Set',
    known: 'DomainType MatchSubDomains',
    refused:
      'AddressBookEnabled CanHaveCloudCache DomainController EnableNego2Authentication MailFlowRegion MakeDefault Name OutboundOnly PendingCompletion PendingRemoval SendingFromDomainDisabled SendingToDomainDisabled',
  },
  { ...rules, verb: 'New' },
  { ...rules, verb: 'Set', known: `${rules.known} Name` },
];

for (const { kind, verb, known, refused } of pages) {
  test(`${verb}-${policyKinds[kind].noun} knows every parameter of Microsoft's page, or says why not`, () => {
    const set = policyParameters(verb, kind);
    const theirs = set.parameters.filter(({ isOurs }) => !isOurs).map(({ name }) => name);
    for (const name of known.split(' ')) assert.ok(theirs.includes(name), name);
    const names = refused.split(' ').filter((name) => name !== '');
    for (const name of names) {
      const reason = set.refused.find((each) => each.name === name)?.reason ?? '';
      assert.match(reason, /^(?:is|needs|cannot) .{15}/, name);
    }
  });
}

test('every key of the schema is a parameter of New and of Set, and no parameter is two', () => {
  for (const { kind, nameKey } of Object.values(policyKinds)) {
    for (const verb of ['New', 'Set'] as const) {
      const { parameters, refused } = policyParameters(verb, kind);
      for (const { key } of fieldsOf(policyKinds[kind])) {
        const isFixed = verb === 'Set' && kind === 'accepted-domain' && key === nameKey;
        const isLater =
          verb === 'New' && onlyOnSet.some((name) => name.toLowerCase() === key.toLowerCase());
        if (isFixed || isLater) continue;
        assert.ok(
          parameters.some((parameter) => parameter.key === key),
          `${verb} ${kind} ${key}`,
        );
      }
      const names = [...parameters, ...refused].map(({ name }) => name.toLowerCase());
      assert.deepEqual(
        names.filter((name, at) => names.indexOf(name) !== at),
        [],
        `${verb} ${kind}`,
      );
    }
  }
});

test('a parameter takes true and false, a list or a text as its key does', () => {
  const takes = (kind: PolicyKindName, name: string) =>
    fieldParameters(kind).find((each) => each.name === name)?.takes;
  assert.equal(takes('outbound-connector', 'Enabled'), 'flag');
  assert.equal(takes('outbound-connector', 'UseMXRecord'), 'flag');
  assert.equal(takes('outbound-connector', 'SenderRewritingEnabled'), 'flag');
  assert.equal(takes('outbound-connector', 'SmartHosts'), 'list');
  assert.equal(takes('outbound-connector', 'TlsSettings'), 'text');
  assert.equal(takes('inbound-connector', 'SenderDomains'), 'list');
  assert.equal(takes('accepted-domain', 'Recipients'), 'word-or-list');
  assert.equal(takes('rule', 'ExceptIfHasNoClassification'), 'flag');
  assert.equal(takes('rule', 'ExceptIfSenderIpRanges'), 'list');
});

/** What Microsoft's pages give as the default. */
const defaults: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  [
    'Get-InboundConnector',
    {
      Enabled: true,
      ConnectorSource: 'Default',
      RequireTls: true,
      RestrictDomainsToCertificate: false,
      RestrictDomainsToIPAddresses: false,
      CloudServicesMailEnabled: false,
      TreatMessagesAsInternal: false,
      EFSkipLastIP: false,
      EFUsers: [],
    },
  ],
  [
    'Get-OutboundConnector',
    {
      Enabled: true,
      ConnectorType: 'Partner',
      ConnectorSource: 'Default',
      AllAcceptedDomains: false,
      IsTransportRuleScoped: false,
      RouteAllMessagesViaOnPremises: false,
      UseMXRecord: true,
      // Exchange's null.
      TlsSettings: 'Opportunistic',
      CloudServicesMailEnabled: false,
      SenderRewritingEnabled: false,
      TestMode: false,
      IsValidated: false,
      // Exchange's is Opportunistic; neither is looked up here, and the value says so.
      MtaStsMode: 'None',
      SmtpDaneMode: 'None',
    },
  ],
  ['Get-AcceptedDomain', { DomainType: 'Authoritative', MatchSubDomains: false }],
  [
    'Get-TransportRule',
    {
      Enabled: true,
      State: 'Enabled',
      Mode: 'Enforce',
      Priority: 0,
      SenderAddressLocation: 'Header',
    },
  ],
];

test("what is left out acts as Exchange's default", async () => {
  const fake = new FakePolicyObjects(['fabrikam'], {
    'inbound-connector': [{ name: 'one', senderDomains: ['a.example'] }],
    'outbound-connector': [{ name: 'two', recipientDomains: ['a.example'] }],
    rule: [{ name: 'three', prependSubject: 'x' }],
  });
  for (const [cmdlet, wanted] of defaults) {
    const { stdout } = await run([cmdlet, '--output', 'json'], { io: fake.io });
    const [object] = JSON.parse(stdout) as readonly Readonly<Record<string, unknown>>[];
    const shown = Object.fromEntries(Object.keys(wanted).map((name) => [name, object![name]]));
    assert.deepEqual(shown, wanted);
    assert.equal(object!['IsValid'], true);
    assert.equal(object!['Identity'], object!['Name']);
    assert.equal(object!['WhenChangedUTC'], '2026-11-28T09:00:00.000Z');
  }
});
