/** What a condition or an action is called in the configuration, in records and in answers: Exchange's words. */
import type { MailFlowRule, RuleAction, RuleCondition, TextPlace } from './rule.ts';

const plain = {
  'from-scope': 'fromScope',
  'sent-to-scope': 'sentToScope',
  from: 'from',
  'sent-to': 'sentTo',
  'sender-domain-is': 'senderDomainIs',
  'recipient-domain-is': 'recipientDomainIs',
  'message-size-over': 'messageSizeOver',
  'attachment-extension-is': 'attachmentExtensionMatchesWords',
  'attachment-type-is': 'attachmentContentTypeIs',
  'has-no-classification': 'hasNoClassification',
  'has-classification': 'hasClassification',
  'sender-ip-ranges': 'senderIPRanges',
  'received-over-tls': 'receivedOverTls',
} as const;

const places: Readonly<Record<Exclude<TextPlace['kind'], 'header'>, string>> = {
  subject: 'subject',
  'subject-or-body': 'subjectOrBody',
  'sender-address': 'fromAddress',
  'recipient-address': 'recipientAddress',
  'attachment-name': 'attachmentName',
};

export function nameOfCondition(condition: RuleCondition): string {
  if (condition.kind !== 'contains-words' && condition.kind !== 'matches-patterns') {
    return plain[condition.kind];
  }
  const [verb, what] =
    condition.kind === 'contains-words' ? ['Contains', 'Words'] : ['Matches', 'Patterns'];
  if (condition.place.kind !== 'header') return `${places[condition.place.kind]}${verb}${what}`;
  return `header${verb}${what} of ${condition.place.name}`;
}

export function nameOfException(condition: RuleCondition): string {
  const name = nameOfCondition(condition);
  return `exceptIf${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

const actions: Readonly<Record<RuleAction['kind'], string>> = {
  'route-to-connector': 'routeMessageOutboundConnector',
  'require-tls': 'routeMessageOutboundRequireTls',
  reject: 'rejectMessageReasonText',
  redirect: 'redirectMessageTo',
  'add-recipients': 'addToRecipients',
  'blind-copy': 'blindCopyTo',
  'set-header': 'setHeaderName',
  'remove-header': 'removeHeader',
  'prepend-subject': 'prependSubject',
  quarantine: 'quarantine',
  delete: 'deleteMessage',
};

export function nameOfAction({ kind }: RuleAction): string {
  return actions[kind];
}

/** In their order; the end of the rules is last. */
export function actionNamesOf(rule: MailFlowRule): readonly string[] {
  const names = rule.actions.map(nameOfAction);
  return rule.stopRuleProcessing ? [...names, 'stopRuleProcessing'] : names;
}
