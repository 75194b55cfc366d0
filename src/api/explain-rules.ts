/** What mail-flow rules do to a hypothetical message, and the way of each recipient under it. */
import type { Address } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import { chooseOutbound } from '../policy/choose-outbound.ts';
import { considerOthers } from '../policy/consider-connectors.ts';
import type { OutboundDecision } from '../policy/decision.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import { findOrganization } from '../policy/directory.ts';
import { expandRecipients } from '../policy/expand-recipients.ts';
import { requirementOf } from '../policy/floor.ts';
import type { Policy } from '../policy/policy.ts';
import { routingOf } from '../policy/routing.ts';
import { explainRules } from '../policy/rules/explain-rules.ts';
import type { HeaderEdit } from '../policy/rules/header-edit.ts';
import type { RuledFork } from '../policy/rules/join-forks.ts';
import type { RuleMessage } from '../policy/rules/rule-message.ts';
import type { ExplainedRules } from './contract/explain-rules.ts';
import { formatReplyLine } from './queue-view.ts';

/** The hypothetical message for one organization, before its rules. */
export type ExplainedMessage = Pick<IncomingMessage, 'organization' | 'source' | 'evidence'>;

/** `fork`: what became of the asked recipient; null where it gets nothing. */
export interface RulesAnswer {
  readonly answer: ExplainedRules;
  readonly fork: RuledFork | null;
  readonly notes: readonly string[];
}

/** Null where the organization has no rules. */
export function askRules(
  policy: Policy,
  message: ExplainedMessage,
  asked: { readonly ruled: RuleMessage; readonly isSizeGiven: boolean; readonly nowMs: number },
): RulesAnswer | null {
  const organization = findOrganization(policy, message.organization);
  const explained =
    organization === null ? null : explainRules(policy, organization, asked.ruled, asked.nowMs);
  if (organization === null || explained === null) return null;
  const { result, asksContent, ...lists } = explained;
  const forks = result.kind === 'pass' ? result.forks : [];
  const [recipient] = asked.ruled.recipients.map(formatAddress);
  const deletedBy = (result.record?.deleted ?? []).map(({ rule }) => rule);
  return {
    answer: {
      organization: organization.id,
      result: result.kind,
      reply: result.kind === 'pass' ? null : formatReplyLine(result.reply),
      reason: result.kind === 'pass' ? null : result.reason,
      concerned: lists.concerned.map(({ rule, mode, result: found, why, actions }) => ({
        rule,
        mode,
        result: found,
        why,
        actions: [...actions],
      })),
      notMatched: copyNames(lists.notMatched),
      skipped: copyNames(lists.skipped),
      notReached: [...lists.notReached],
      deletedBy: [...new Set(deletedBy)],
      parts: forks.map((fork) => partOf(policy, message, fork)),
    },
    fork: forks.find((fork) => fork.recipients.map(formatAddress).includes(recipient!)) ?? null,
    notes: [
      ...(asksContent ? [contentNote] : []),
      ...(!asked.isSizeGiven && asksSize(organization.rules) ? [sizeNote] : []),
    ],
  };
}

const contentNote =
  'the body is not given: it is supposed to hold nothing that a rule asks for; rules that depend on it are unknown';
const sizeNote = 'no size was given: rules about the size are judged for an empty message';

function asksSize(rules: Parameters<typeof explainRules>[1]['rules']): boolean {
  return rules.some(({ conditions, exceptions }) =>
    [...conditions, ...exceptions].some(({ kind }) => kind === 'message-size-over'),
  );
}

function copyNames(names: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(names).map(([why, all]) => [why, [...all]]));
}

/** The clauses joined as at each attempt to deliver. */
function partOf(
  policy: Policy,
  message: ExplainedMessage,
  fork: RuledFork,
): ExplainedRules['parts'][number] {
  const { recipients, ruling, hold, headerEdits } = fork;
  return {
    recipients: recipients.map(formatAddress),
    connector: ruling.connector,
    rule: ruling.rule,
    overrides: [...ruling.overrides],
    clauses: [...ruling.clauses],
    hold: hold?.rule ?? null,
    headerEdits: headerEdits.map(describeEdit),
    to: finalDecisions(policy, message, fork),
  };
}

/** Each final recipient of a part with its decision. */
export function finalDecisions(
  policy: Policy,
  message: ExplainedMessage,
  { recipients, ruling }: Pick<RuledFork, 'recipients' | 'ruling'>,
): { address: string; outbound: OutboundDecision }[] {
  const ruled = { ...message, recipients, ruling, clauses: ruling.clauses };
  return expandRecipients(policy, ruled).map(({ recipient, clauses }) => {
    const decision = chooseFor(policy, ruled, recipient);
    const requirement = requirementOf(decision, [...ruling.clauses, ...clauses]);
    return { address: formatAddress(recipient), outbound: { ...decision, requirement } };
  });
}

/** Connectors that do not cover the domain are told too, as far as anybody would read. */
const othersMax = 50;

function chooseFor(
  policy: Policy,
  message: Pick<IncomingMessage, 'organization' | 'source' | 'ruling'>,
  recipient: Address,
): OutboundDecision {
  const { organization } = message;
  const decision = chooseOutbound(policy, organization, recipient, routingOf(message));
  const others = considerOthers(policy, decision, othersMax);
  return { ...decision, considered: [...decision.considered, ...others] };
}

function describeEdit(edit: HeaderEdit): string {
  switch (edit.kind) {
    case 'set':
      return `${edit.name} is set to "${sanitizePeerText(edit.value)}"`;
    case 'remove':
      return `${edit.name} is removed`;
    case 'prepend-subject':
      return `"${sanitizePeerText(edit.text)}" stands before the subject`;
    case 'add-address':
      return `${formatAddress(edit.address)} is added to ${edit.name}`;
    case 'count-pass':
      return 'X-Postern-Rules-Loop counts that rules sent it elsewhere';
  }
}
