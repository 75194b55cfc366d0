/**
 * The part of a DSN that people read: which mail, what became of it, why, what happens next, and what
 * to do now.
 *
 * Written for somebody who has no time: one cause per paragraph, in plain words. Lines of at most 76,
 * and no text of a peer that did not pass the sanitizer.
 */
import type { Address } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { Outcome } from '../policy/outcome.ts';
import { describeDemand } from '../policy/tls-requirement.ts';
import { formatDateTime } from '../standards/message-format/date-time.ts';
import type { DsnRecipient } from './dsn-recipient.ts';
import { dsnActions } from './dsn-recipient.ts';
import { describeSeen, describeTravel } from './dsn-seen.ts';
import type { Cause } from './dsn-words.ts';
import {
  aliasWords,
  delayedWords,
  failedWords,
  headlines,
  isAboutTls,
  leftOutWords,
} from './dsn-words.ts';
import { wrapText } from './plain-text.ts';
import type { LeftOut } from './returned-content.ts';

/** What a text needs to know; `messageId` and `subject` null where there is none that may be shown. */
export interface DsnTextInput {
  readonly about: { readonly id: string; readonly receivedAtMs: number };
  readonly nowMs: number;
  readonly messageId: string | null;
  readonly subject: string | null;
  readonly leftOut: LeftOut | null;
  /** Never empty. */
  readonly recipients: readonly DsnRecipient[];
  readonly hostName: string;
  readonly postmaster: Address;
}

const recipientsShownMax = 50;

/** CRLF line ends, ends with one. */
export function writeDsnText(input: DsnTextInput): string {
  const { about, messageId, subject, recipients } = input;
  const lines = [
    ...wrapText(`This is the mail gateway ${input.hostName}.`, 0),
    ...dsnActions.flatMap((action) => {
      const concerned = recipients.filter((each) => each.action === action);
      if (concerned.length === 0) return [];
      const groups = groupByFate(concerned).flatMap((group) => describeGroup(input, group));
      return ['', ...wrapText(headlines[action], 0), ...groups];
    }),
    '',
    'Which mail',
    ...labelled('Accepted', formatTime(about.receivedAtMs)),
    ...(subject === null || subject.includes('=?') ? [] : labelled('Subject', subject)),
    ...(messageId === null ? [] : labelled('Message-ID', messageId)),
    ...labelled('Reference', about.id),
    ...describeLeftOut(input.leftOut),
    '',
    ...wrapText(
      `For administrators: "postern trace ${about.id}" shows each attempt, what was required and ` +
        `what was seen. Questions about this gateway go to ${formatAddress(input.postmaster)}.`,
      0,
    ),
  ];
  return lines.map((line) => `${line}\r\n`).join('');
}

function describeLeftOut(leftOut: LeftOut | null): string[] {
  if (leftOut === null) return [];
  const text = `You asked for the whole mail in such a report. It is not returned, ${leftOutWords[leftOut]}.`;
  return ['', ...wrapText(text, 0)];
}

interface Group {
  /** The others share all but the address with it. */
  readonly first: DsnRecipient;
  readonly addresses: string[];
}

/** Recipients who share a fate are told of it once. */
function groupByFate(recipients: readonly DsnRecipient[]): Group[] {
  const groups = new Map<string, Group>();
  for (const first of recipients) {
    const { kind, status, reason, reply, remoteMta } = first.outcome;
    const key = JSON.stringify([kind, status, reason, reply, remoteMta, first.nextAttemptAtMs]);
    const address = sanitizePeerText(formatAddress(first.recipient));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first, addresses: [address] });
    else group.addresses.push(address);
  }
  return [...groups.values()];
}

function describeGroup(input: DsnTextInput, { first, addresses }: Group): string[] {
  const shown = addresses.slice(0, recipientsShownMax);
  const others = addresses.length - shown.length;
  return [
    '',
    ...shown.flatMap((address) => wrapText(`To: ${address}`, 0)),
    ...(others === 0 ? [] : [`and ${others} more, listed in the delivery report`]),
    '',
    ...describeFate(input, first),
    ...part('Status', formatEnhancedStatus(first.outcome.status)),
  ];
}

function describeFate(input: DsnTextInput, first: DsnRecipient): string[] {
  switch (first.action) {
    case 'failed':
      return describeFailed(input, first);
    case 'delayed':
      return describeDelayed(first);
    case 'relayed':
      return describePassedOn(first);
    case 'delivered':
    case 'expanded':
      return part('When', formatTime(Date.parse(first.outcome.at)));
  }
}

function describePassedOn(first: DsnRecipient): string[] {
  const travel = describeTravel(first);
  return [
    ...part('When', formatTime(Date.parse(first.outcome.at))),
    ...describeWhere(first.outcome),
    ...(travel === null ? [] : part('How it travelled', travel)),
  ];
}

function describeFailed(input: DsnTextInput, first: DsnRecipient): string[] {
  const { outcome, clauses } = first;
  const cause = causeOf(outcome);
  const words = first.isAlias ? aliasWords.failed : failedWords(cause, clauses.length > 0);
  const tried =
    outcome.status.class === 4 ? ` It was tried for ${describeSpan(input)} without success.` : '';
  return [
    ...part('What happened', `${words.happened}${tried}`),
    ...(first.isAlias ? [] : describeWhy(first, cause)),
    ...part('What you can do', words.toDo),
  ];
}

function describeDelayed(first: DsnRecipient): string[] {
  const cause = causeOf(first.outcome);
  const words = first.isAlias ? aliasWords.delayed : delayedWords(cause, first.clauses.length > 0);
  return [
    ...part('What happened', words.happened),
    ...(first.isAlias ? [] : describeWhy(first, cause)),
    ...part('What happens next', describeNext(first)),
    ...part('What you can do', words.toDo),
  ];
}

function describeNext({ nextAttemptAtMs, willRetryUntilMs }: DsnRecipient): string {
  if (nextAttemptAtMs === null || willRetryUntilMs === null) {
    return 'It stays here until an administrator of this gateway releases it.';
  }
  const [next, until] = [formatTime(nextAttemptAtMs), formatTime(willRetryUntilMs)];
  const last = 'If it still cannot be delivered then, you get another message that says so.';
  if (nextAttemptAtMs >= willRetryUntilMs) return `It is tried once more on ${next}. ${last}`;
  return `It is tried again on ${next}, and then again and again until ${until}. ${last}`;
}

/** About TLS what was required and what each host showed; else the reason, the host and its words. */
function describeWhy(first: DsnRecipient, cause: Cause): string[] {
  const { outcome, clauses } = first;
  const reason = sanitizePeerText(outcome.reason);
  if (!isAboutTls(cause)) return [...part('Why', reason), ...describeWhere(outcome)];
  const seen = describeSeen(first);
  return [
    ...(clauses.length === 0 ? [] : describeRequired(first)),
    ...part('What was seen', ...(seen.length === 0 ? [reason] : seen)),
    ...(seen.length === 0 ? describeWhere(outcome) : []),
  ];
}

function describeRequired({ clauses }: DsnRecipient): string[] {
  const required = clauses.map((clause) => {
    const { kind, name } = clause.origin;
    return sanitizePeerText(`${describeDemand(clause)} (${kind} "${name}")`);
  });
  return part('What was required', ...required);
}

function describeWhere({ remoteMta, reply }: Outcome): string[] {
  const lines: string[] = [];
  if (remoteMta !== null) {
    const address = remoteMta.address === null ? '' : ` [${remoteMta.address}]`;
    const where = `${remoteMta.hostName}${address}, port ${remoteMta.port}`;
    lines.push(...part('At which server', sanitizePeerText(where)));
  }
  if (reply !== null) {
    const status = reply.status === null ? '' : `${formatEnhancedStatus(reply.status)} `;
    const answer = reply.lines.slice(0, 20).map((line) => `${reply.code} ${status}${line}`);
    lines.push(...part('Its answer', ...answer.map(sanitizePeerText)));
  }
  return lines;
}

function causeOf(outcome: Outcome): Cause {
  return outcome.kind === 'delivered' ? 'local' : outcome.cause;
}

function part(title: string, ...paragraphs: readonly string[]): string[] {
  return [`  ${title}`, ...paragraphs.flatMap((text) => wrapText(text, 4))];
}

/** `24 hours`, `40 minutes`. */
function describeSpan({ about, nowMs }: DsnTextInput): string {
  const minutes = Math.max(1, Math.round((nowMs - about.receivedAtMs) / 60_000));
  if (minutes < 120) return minutes === 1 ? '1 minute' : `${minutes} minutes`;
  return `${Math.round(minutes / 60)} hours`;
}

function labelled(label: string, text: string): string[] {
  return wrapText(`${`${label}:`.padEnd(12)}${sanitizePeerText(text)}`, 2);
}

/** `Sun, 22 Nov 2026 03:53:43 UTC`. */
function formatTime(ms: number): string {
  return formatDateTime(ms).replace('+0000', 'UTC');
}
