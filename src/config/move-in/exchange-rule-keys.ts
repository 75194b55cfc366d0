/** Which parameters of New-TransportRule are keys of rules here, and how their values are read. */
import type { Reader } from '../field.ts';
import { addressRange, domainName, mailAddress } from '../mail-readers.ts';
import { choice, text } from '../readers.ts';
import {
  fileExtension,
  headerName,
  reasonText,
  rejectStatus,
  rulePattern,
  ruleWord,
} from '../rule-readers.ts';

/** `list`: each entry; `joined`: entries that hold no blanks, so that a text may be several. */
export interface TextRuleKey {
  readonly kind: 'list' | 'joined' | 'single';
  readonly key: string;
  readonly accept: Reader<unknown>;
}

export interface PlainRuleKey {
  readonly kind: 'flag' | 'size';
  readonly key: string;
}

export type RuleKey = TextRuleKey | PlainRuleKey;

const scope = choice(['InOrganization', 'NotInOrganization'], {
  ExternalPartner:
    'is not known here: write NotInOrganization, and recipientDomainIs for the partner',
  ExternalNonPartner: 'is not known here: write NotInOrganization, and exceptIfRecipientDomainIs',
});

const conditions: Readonly<Record<string, Omit<TextRuleKey, 'key'>>> = {
  FromScope: { kind: 'single', accept: scope },
  SentToScope: { kind: 'single', accept: scope },
  From: { kind: 'joined', accept: mailAddress() },
  SentTo: { kind: 'joined', accept: mailAddress() },
  SenderDomainIs: { kind: 'joined', accept: domainName() },
  RecipientDomainIs: { kind: 'joined', accept: domainName() },
  FromAddressContainsWords: { kind: 'list', accept: ruleWord() },
  FromAddressMatchesPatterns: { kind: 'list', accept: rulePattern() },
  RecipientAddressContainsWords: { kind: 'list', accept: ruleWord() },
  RecipientAddressMatchesPatterns: { kind: 'list', accept: rulePattern() },
  SubjectContainsWords: { kind: 'list', accept: ruleWord() },
  SubjectMatchesPatterns: { kind: 'list', accept: rulePattern() },
  SubjectOrBodyContainsWords: { kind: 'list', accept: ruleWord() },
  SubjectOrBodyMatchesPatterns: { kind: 'list', accept: rulePattern() },
  HeaderContainsMessageHeader: { kind: 'single', accept: headerName() },
  HeaderContainsWords: { kind: 'list', accept: ruleWord() },
  HeaderMatchesMessageHeader: { kind: 'single', accept: headerName() },
  HeaderMatchesPatterns: { kind: 'list', accept: rulePattern() },
  AttachmentNameMatchesPatterns: { kind: 'list', accept: rulePattern() },
  AttachmentExtensionMatchesWords: { kind: 'joined', accept: fileExtension() },
  SenderIPRanges: { kind: 'joined', accept: addressRange() },
  HasClassification: { kind: 'single', accept: text(128, 'a classification') },
};

const lowerFirst = (name: string): string => {
  // FromScope is fromScope, and HasClassification hasClassification.
  return name.charAt(0).toLowerCase() + name.slice(1);
};

/** By the parameter's name, conditions and exceptions. */
export const conditionKeys: ReadonlyMap<string, RuleKey> = new Map(
  [
    ...Object.entries(conditions).map(([name, how]): [string, RuleKey] => [
      name,
      { ...how, key: lowerFirst(name) },
    ]),
    ['MessageSizeOver', { kind: 'size', key: 'messageSizeOver' }] as const,
    ['HasNoClassification', { kind: 'flag', key: 'hasNoClassification' }] as const,
  ].flatMap(([name, how]): [string, RuleKey][] => [
    [name, how],
    [`ExceptIf${name}`, { ...how, key: `exceptIf${name}` }],
  ]),
);

export const actionKeys: ReadonlyMap<string, RuleKey> = new Map<string, RuleKey>([
  ['RouteMessageOutboundRequireTls', { kind: 'flag', key: 'routeMessageOutboundRequireTls' }],
  [
    'RejectMessageReasonText',
    { kind: 'single', key: 'rejectMessageReasonText', accept: reasonText() },
  ],
  [
    'RejectMessageEnhancedStatusCode',
    { kind: 'single', key: 'rejectMessageEnhancedStatusCode', accept: rejectStatus() },
  ],
  ['RedirectMessageTo', { kind: 'joined', key: 'redirectMessageTo', accept: mailAddress() }],
  ['AddToRecipients', { kind: 'joined', key: 'addToRecipients', accept: mailAddress() }],
  ['BlindCopyTo', { kind: 'joined', key: 'blindCopyTo', accept: mailAddress() }],
  ['SetHeaderName', { kind: 'single', key: 'setHeaderName', accept: headerName() }],
  ['SetHeaderValue', { kind: 'single', key: 'setHeaderValue', accept: text(256) }],
  ['RemoveHeader', { kind: 'single', key: 'removeHeader', accept: headerName() }],
  ['PrependSubject', { kind: 'single', key: 'prependSubject', accept: text(64) }],
  ['Quarantine', { kind: 'flag', key: 'quarantine' }],
  ['DeleteMessage', { kind: 'flag', key: 'deleteMessage' }],
  ['StopRuleProcessing', { kind: 'flag', key: 'stopRuleProcessing' }],
]);
