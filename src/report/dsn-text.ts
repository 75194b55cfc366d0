/**
 * The part of a DSN that people read: which mail, what happened to it, why, and what to do now.
 *
 * Written for somebody who has no time: one cause per paragraph, in plain words. ASCII, lines of at
 * most 76, and no text of a peer that did not pass the sanitizer.
 */
import type { Address } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { DeferralCause, Outcome, RecipientOutcome } from '../policy/outcome.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import { describeDemand } from '../policy/tls-requirement.ts';
import { formatDateTime } from '../standards/message-format/date-time.ts';

/** What a text needs to know; `messageId` null where the mail had none that may be shown. */
export interface DsnTextInput {
  readonly id: string;
  readonly receivedAtMs: number;
  readonly nowMs: number;
  readonly isForced: boolean;
  /** What was required of the connection; empty where the caller does not say. */
  readonly clauses: readonly Clause[];
  readonly messageId: string | null;
  /** Never empty; none of them delivered. */
  readonly recipients: readonly RecipientOutcome[];
  readonly hostName: string;
  readonly postmaster: Address;
}

const recipientsShownMax = 50;
const widthMax = 76;

/** CRLF line ends, ends with one. */
export function writeDsnText(input: DsnTextInput): string {
  const groups = groupByOutcome(input.recipients);
  const lines = [
    ...wrap(`This is the mail gateway ${input.hostName}.`, 0),
    '',
    ...wrap(
      'Your mail could not be delivered to the recipients named below. It will not be tried ' +
        'again. Other recipients of the same mail, if there were any, are not affected.',
      0,
    ),
    '',
    ...labelled('Accepted', formatDateTime(input.receivedAtMs)),
    ...(input.messageId === null ? [] : labelled('Message-ID', input.messageId)),
    ...labelled('Reference', input.id),
    ...groups.flatMap((group) => describeGroup(input, group)),
    '',
    ...wrap(
      `For administrators: "postern trace ${input.id}" shows each attempt, what was required and ` +
        `what was seen. Questions about this gateway go to ${formatAddress(input.postmaster)}.`,
      0,
    ),
  ];
  return lines.map((line) => `${line}\r\n`).join('');
}

interface OutcomeGroup {
  readonly outcome: Outcome;
  readonly recipients: Address[];
}

/** Recipients who share a fate are told of it once. */
function groupByOutcome(recipients: readonly RecipientOutcome[]): OutcomeGroup[] {
  const groups = new Map<string, OutcomeGroup>();
  for (const { recipient, outcome } of recipients) {
    const { kind, status, reason, reply, remoteMta } = outcome;
    const key = JSON.stringify([kind, status, reason, reply, remoteMta]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { outcome, recipients: [recipient] });
    else group.recipients.push(recipient);
  }
  return [...groups.values()];
}

function describeGroup(input: DsnTextInput, { outcome, recipients }: OutcomeGroup): string[] {
  const shown = recipients.slice(0, recipientsShownMax).map((address) => formatAddress(address));
  const others = recipients.length - shown.length;
  const cause = outcome.kind === 'delivered' ? 'local' : outcome.cause;
  const words = wordsFor(cause, input.isForced);
  const tried =
    outcome.kind === 'bounced' ? '' : ` It was tried for ${describeSpan(input)} without success.`;
  return [
    '',
    ...shown.flatMap((address) => wrap(`To: ${address}`, 0)),
    ...(others === 0 ? [] : [`and ${others} more, listed in the delivery report`]),
    '',
    '  What happened',
    ...wrap(`${words.happened}${tried}`, 4),
    ...describeRequired(cause, input.clauses),
    `  ${isAboutTls(cause) ? 'What was seen' : 'Why'}`,
    ...wrap(toPlainText(outcome.reason), 4),
    ...describeWhere(outcome),
    '  What you can do',
    ...wrap(words.toDo, 4),
    '  Status',
    ...wrap(formatEnhancedStatus(outcome.status), 4),
  ];
}

function describeRequired(cause: Cause, clauses: readonly Clause[]): string[] {
  if (!isAboutTls(cause) || clauses.length === 0) return [];
  const required = clauses.map((clause) => {
    const { kind, name } = clause.origin;
    return `${describeDemand(clause)} (${kind} "${name}")`;
  });
  return ['  What was required', ...required.flatMap((text) => wrap(toPlainText(text), 4))];
}

function describeWhere({ remoteMta, reply }: Outcome): string[] {
  const lines: string[] = [];
  if (remoteMta !== null) {
    const address = remoteMta.address === null ? '' : ` [${remoteMta.address}]`;
    const where = `${remoteMta.hostName}${address}, port ${remoteMta.port}`;
    lines.push('  At which server', ...wrap(toPlainText(where), 4));
  }
  if (reply !== null) {
    lines.push('  Its answer');
    const status = reply.status === null ? '' : `${formatEnhancedStatus(reply.status)} `;
    for (const line of reply.lines.slice(0, 20)) {
      lines.push(...wrap(toPlainText(`${reply.code} ${status}${line}`), 4));
    }
  }
  return lines;
}

type Cause = DeferralCause | 'policy-weakened';

function isAboutTls(cause: Cause): boolean {
  return cause.startsWith('tls-');
}

interface Words {
  readonly happened: string;
  readonly toDo: string;
}

const askAdministrator =
  'Please forward this message to your administrator, who can see more with the reference above.';
const otherWay = 'Send it again later, or reach the recipient in another way.';

function wordsFor(cause: Cause, isForced: boolean): Words {
  switch (cause) {
    case 'dns':
      return {
        happened: "The mail server of the recipient's domain could not be found.",
        toDo: `Check the part of the address after the @ sign. If it is right: ${otherWay}`,
      };
    case 'connect':
      return { happened: "The recipient's mail server could not be reached.", toDo: otherWay };
    case 'timeout':
      return { happened: "The recipient's mail server did not answer in time.", toDo: otherWay };
    case 'connection-lost':
      return { happened: "The recipient's mail server broke the connection off.", toDo: otherWay };
    case 'peer-reply':
      return {
        happened: "The recipient's mail server did not take the mail.",
        toDo:
          'The answer above comes from the other side and says why. Check the address; if it is ' +
          'right, show that answer to the recipient or to their administrator.',
      };
    case 'tls-not-offered':
    case 'tls-refused':
    case 'tls-handshake':
    case 'tls-requirement':
      return isForced ? forcedWords : opportunisticWords;
    case 'policy':
    case 'policy-weakened':
      return {
        happened: 'A rule of this mail system does not let the mail pass.',
        toDo: askAdministrator,
      };
    case 'local':
      return {
        happened: 'A fault of this mail system kept the mail from being sent.',
        toDo: askAdministrator,
      };
  }
}

const forcedWords: Words = {
  happened:
    'Mail to this recipient must travel over a secure connection that meets a set rule. No ' +
    'connection did, so the mail was kept back: it did not leave this gateway without that ' +
    'protection.',
  toDo:
    `${askAdministrator} The recipient's server has to offer what is required; your ` +
    'administrator can settle that with theirs. Then send the mail again. Another mail service ' +
    'may not protect it in the same way.',
};

const opportunisticWords: Words = {
  happened: "An encrypted connection with the recipient's mail server could not be made.",
  toDo: `${otherWay} Their administrator can mend the encryption of that server.`,
};

/** `24 hours`, `40 minutes`. */
function describeSpan({ receivedAtMs, nowMs }: DsnTextInput): string {
  const minutes = Math.max(1, Math.round((nowMs - receivedAtMs) / 60_000));
  if (minutes < 120) return minutes === 1 ? '1 minute' : `${minutes} minutes`;
  return `${Math.round(minutes / 60)} hours`;
}

function labelled(label: string, text: string): string[] {
  return wrap(`${`${label}:`.padEnd(12)}${toPlainText(text)}`, 0);
}

/** Printable ASCII on one line. */
export function toPlainText(text: string): string {
  return sanitizePeerText(text)
    .replaceAll('…', '...')
    .replace(/[^\x20-\x7e]/g, '?');
}

/** Words longer than a line are broken hard: no line may grow without bound. */
function wrap(text: string, indent: number): string[] {
  const width = widthMax - indent;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    let rest = word;
    if (line.length > 0 && line.length + 1 + rest.length > width) {
      lines.push(line);
      line = '';
    }
    for (; rest.length > width; rest = rest.slice(width)) lines.push(rest.slice(0, width));
    line = line.length === 0 ? rest : `${line} ${rest}`;
  }
  lines.push(line);
  return lines.map((part) => `${' '.repeat(indent)}${part}`.trimEnd());
}
