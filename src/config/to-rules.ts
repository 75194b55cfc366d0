/** From the configuration's rules to those of the policy. */
import type { MailFlowRule, RuleAction, RuleCondition } from '../policy/rules/rule.ts';
import { defaultRejectText } from '../policy/rules/rule-reply.ts';
import type { ParsedConditions, ParsedRule } from './schema-rules.ts';
import { exceptionsIn } from './schema-rules.ts';

export function toRule(parsed: ParsedRule): MailFlowRule {
  return {
    name: parsed.name,
    enabled: parsed.enabled,
    comments: parsed.comments,
    mode: parsed.mode,
    activationAtMs: parsed.activationDate,
    expiryAtMs: parsed.expiryDate,
    senderAddressLocation: parsed.senderAddressLocation,
    conditions: toConditions(parsed),
    exceptions: toConditions(exceptionsIn(parsed)),
    actions: toActions(parsed),
    stopRuleProcessing: parsed.stopRuleProcessing,
    overrides: parsed.overrides,
  };
}

/** What is not set is no condition. */
export function toConditions(given: ParsedConditions): RuleCondition[] {
  return [...envelopeConditions(given), ...textConditions(given), ...messageConditions(given)];
}

function envelopeConditions(given: ParsedConditions): RuleCondition[] {
  const found: RuleCondition[] = [];
  const { fromScope, sentToScope, from, sentTo, senderDomainIs, recipientDomainIs } = given;
  if (fromScope !== null) found.push({ kind: 'from-scope', scope: fromScope });
  if (sentToScope !== null) found.push({ kind: 'sent-to-scope', scope: sentToScope });
  if (from.length > 0) found.push({ kind: 'from', addresses: from });
  if (sentTo.length > 0) found.push({ kind: 'sent-to', addresses: sentTo });
  if (senderDomainIs.length > 0) {
    found.push({ kind: 'sender-domain-is', domains: senderDomainIs });
  }
  if (recipientDomainIs.length > 0) {
    found.push({ kind: 'recipient-domain-is', domains: recipientDomainIs });
  }
  if (given.senderIPRanges.length > 0) {
    found.push({ kind: 'sender-ip-ranges', ranges: given.senderIPRanges });
  }
  const { receivedOverTls } = given;
  if (receivedOverTls !== null) {
    found.push({ kind: 'received-over-tls', isOverTls: receivedOverTls });
  }
  return found;
}

function textConditions(given: ParsedConditions): RuleCondition[] {
  const inWords = headerPlace(given.headerContainsMessageHeader);
  const inPatterns = headerPlace(given.headerMatchesMessageHeader);
  const words = [
    [{ kind: 'sender-address' }, given.fromAddressContainsWords],
    [{ kind: 'recipient-address' }, given.recipientAddressContainsWords],
    [{ kind: 'subject' }, given.subjectContainsWords],
    [{ kind: 'subject-or-body' }, given.subjectOrBodyContainsWords],
    [inWords, given.headerContainsWords],
  ] as const;
  const patterns = [
    [{ kind: 'sender-address' }, given.fromAddressMatchesPatterns],
    [{ kind: 'recipient-address' }, given.recipientAddressMatchesPatterns],
    [{ kind: 'subject' }, given.subjectMatchesPatterns],
    [{ kind: 'subject-or-body' }, given.subjectOrBodyMatchesPatterns],
    [inPatterns, given.headerMatchesPatterns],
    [{ kind: 'attachment-name' }, given.attachmentNameMatchesPatterns],
  ] as const;
  return [
    ...words.flatMap(([place, list]): RuleCondition[] =>
      list.length === 0 ? [] : [{ kind: 'contains-words', place, words: list }],
    ),
    ...patterns.flatMap(([place, list]): RuleCondition[] =>
      list.length === 0 ? [] : [{ kind: 'matches-patterns', place, patterns: list }],
    ),
  ];
}

/** The check refuses words without a field before this is read. */
function headerPlace(name: string | null) {
  return { kind: 'header', name: (name ?? '').toLowerCase() } as const;
}

function messageConditions(given: ParsedConditions): RuleCondition[] {
  const found: RuleCondition[] = [];
  const { attachmentExtensionMatchesWords, attachmentContentTypeIs, messageSizeOver } = given;
  if (attachmentExtensionMatchesWords.length > 0) {
    const extensions = attachmentExtensionMatchesWords;
    found.push({ kind: 'attachment-extension-is', extensions });
  }
  if (attachmentContentTypeIs.length > 0) {
    found.push({ kind: 'attachment-type-is', types: attachmentContentTypeIs });
  }
  if (messageSizeOver !== null) found.push({ kind: 'message-size-over', bytes: messageSizeOver });
  if (given.hasNoClassification) found.push({ kind: 'has-no-classification' });
  const classification = given.hasClassification;
  if (classification !== null) found.push({ kind: 'has-classification', classification });
  return found;
}

/** In the order in which they act on the header; else it does not matter. */
export function toActions(parsed: ParsedRule): RuleAction[] {
  const found: RuleAction[] = [];
  const connector = parsed.routeMessageOutboundConnector;
  if (connector !== null) found.push({ kind: 'route-to-connector', connector });
  if (parsed.routeMessageOutboundRequireTls) found.push({ kind: 'require-tls' });
  const { rejectMessageReasonText, rejectMessageEnhancedStatusCode } = parsed;
  if (rejectMessageReasonText !== null || rejectMessageEnhancedStatusCode !== null) {
    const text = rejectMessageReasonText ?? defaultRejectText;
    found.push({
      kind: 'reject',
      enhancedStatus: rejectMessageEnhancedStatusCode ?? '5.7.1',
      text,
    });
  }
  const { redirectMessageTo, addToRecipients, blindCopyTo } = parsed;
  if (redirectMessageTo.length > 0) found.push({ kind: 'redirect', to: redirectMessageTo });
  if (addToRecipients.length > 0) found.push({ kind: 'add-recipients', to: addToRecipients });
  if (blindCopyTo.length > 0) found.push({ kind: 'blind-copy', to: blindCopyTo });
  return [...found, ...headerActions(parsed)];
}

function headerActions(parsed: ParsedRule): RuleAction[] {
  const found: RuleAction[] = [];
  const { setHeaderName, setHeaderValue, removeHeader, prependSubject } = parsed;
  if (removeHeader !== null) found.push({ kind: 'remove-header', name: removeHeader });
  if (setHeaderName !== null && setHeaderValue !== null) {
    found.push({ kind: 'set-header', name: setHeaderName, value: setHeaderValue });
  }
  if (prependSubject !== null) found.push({ kind: 'prepend-subject', text: prependSubject });
  if (parsed.quarantine) found.push({ kind: 'quarantine' });
  if (parsed.deleteMessage) found.push({ kind: 'delete' });
  return found;
}
